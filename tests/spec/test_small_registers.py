"""Innovations and relations (5.1a), tasks of the reform (5.2a), policy documents and what rests on them (5.3a)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.documents import Citation, citations, documents
from domain.duties import duties
from tests.unit.spec import MATTER, OWN_MATTER, Region

INNOVATION = {"kind": "innovation", "code": "CX1", "name": "一业一证", "department": "spj", "description": "一次办结"}
RELATION = {
    "kind": "relation", "code": "GX1", "relation": "subordinate", "from_department": "zx", "to_department": "spj",
    "description": "政务服务中心隶属政务服务局", "document": "呼编发〔2020〕3号",
}  # fmt: skip
DUTY = {
    "kind": "duty", "code": "RW1", "name": "专家评审制度", "responsible": "spj", "overseer": "sgb",
    "due_on": "2026-06-30", "cost_item": "expert_evaluation", "budget": "league", "amount": 300000,
}  # fmt: skip
NUMBER = "内政办发〔2020〕9号"
DOCUMENT = {
    "kind": "document", "code": "WJ1", "number": NUMBER, "title": "相对集中行政许可权改革的通知",
    "issuer": "内蒙古自治区人民政府办公厅", "issued_on": "2020-04-30",
}  # fmt: skip
PROPOSAL = {"kind": "proposal", "matter": OWN_MATTER, "batch": "2026-1"}
DAY = date(2026, 6, 1)


def enter(region: Region, entry: dict[str, Any], since: str = "2026-03-01", basis: str = "通知") -> None:
    region.accepted("register.enter", "sgb", entry=entry, valid_from=since, basis=basis)


def refused(region: Region, rule: str, entry: dict[str, Any], basis: str = "通知", by: str = "sgb") -> None:
    region.refused(rule, "register.enter", by, entry=entry, valid_from="2026-03-01", basis=basis)


@pytest.fixture
def region(region: Region) -> Region:
    centre = {
        "code": "zx",
        "name": "政务服务中心",
        "roles": ["APPROVAL"],
        "region": "150100",
        "valid_from": "2020-01-01",
    }
    region.accepted("department.register", "sgb", entry=centre)
    return region


@pytest.mark.clause("5.1a")
def test_innovations_and_relations_are_on_record_by_date(region: Region) -> None:
    enter(region, INNOVATION)
    enter(region, RELATION)
    enter(region, RELATION | {"relation": "entrusted"}, "2026-05-01")
    registers = region.world.registers
    assert list(registers.entries_on("innovation", DAY)) == ["CX1"]
    found = [registers.entries_on("relation", date(2026, month, 15))["GX1"] for month in (4, 5)]
    assert [one.relation for one in found] == ["subordinate", "entrusted"]  # type: ignore[attr-defined]
    region.accepted("register.strike", "sgb", kind="innovation", key="CX1", valid_from="2026-06-01", basis="推广")
    assert region.world.registers.entries_on("innovation", DAY) == {}


@pytest.mark.clause("5.1a", refused=True)
def test_a_relation_is_between_two_departments_that_are_there(region: Region) -> None:
    refused(region, "mandate.role", RELATION, by="spj")
    region.waits("department/x", "register.enter", "sgb", entry=RELATION | {"to_department": "x"},
                 valid_from="2026-03-01", basis="通知")  # fmt: skip
    with pytest.raises(ValidationError):
        enter(region, RELATION | {"to_department": "zx"})
    region.accepted("department.succeed", "sgb", old="zx", to="spj", valid_from="2026-02-01", basis="改革")
    refused(region, "department.ceased", RELATION)
    refused(region, "department.ceased", INNOVATION | {"department": "zx"})


@pytest.mark.clause("5.2a")
def test_a_task_has_who_is_responsible_who_oversees_and_who_pays(region: Region) -> None:
    enter(region, DUTY)
    stood = [duties(region.world.registers, date(2026, *day))[0].status for day in ((6, 30), (7, 1))]
    assert stood == ["open", "overdue"]
    enter(region, DUTY | {"done": True}, "2026-07-02")
    assert [one.status for one in duties(region.world.registers, date(2026, 7, 2))] == ["done"]
    enter(region, DUTY | {"code": "RW2", "cost_item": "testing", "payer": "applicant", "budget": None, "amount": None})
    above = {"code": "RW3", "responsible": "qu", "budget": "region", "due_on": "2026-05-01"}
    enter(region, DUTY | above)
    assert [one.duty.code for one in duties(region.world.registers, DAY)] == ["RW3", "RW1", "RW2"]


@pytest.mark.clause("5.2a", refused=True)
def test_applicants_never_pay_for_experts_or_certificates_and_each_level_pays_for_itself(region: Region) -> None:
    for item in ("expert_evaluation", "certificate_printing"):
        refused(region, "duty.charged", DUTY | {"payer": "applicant", "cost_item": item})
    refused(region, "duty.budget", DUTY | {"budget": "region"})
    refused(region, "duty.budget", DUTY | {"budget": "banner"})
    refused(region, "mandate.role", DUTY, by="spj")
    for wrong in ({"overseer": "spj"}, {"budget": None}, {"cost_item": None}):
        with pytest.raises(ValidationError):
            enter(region, DUTY | wrong)


@pytest.mark.clause("5.3a")
def test_what_rests_on_a_document_is_known_and_its_repeal_shows_it(region: Region) -> None:
    enter(region, DOCUMENT, "2020-05-01")
    enter(region, PROPOSAL, basis="根据内政办发[2020]9号")
    enter(region, INNOVATION | {"document": NUMBER})
    routed = {"matter": MATTER, "valid_from": "2026-03-01", "supervisors": [{"department": "s3"}]}
    region.accepted("matter.route", "sgb", **routed, basis=f"{NUMBER}第三条")
    taken = {"old": "s2", "to": "s3", "valid_from": "2026-03-01"}
    region.accepted("department.succeed", "sgb", **taken, basis=NUMBER)
    rests = [("succession", "s2"), ("route", MATTER), ("innovation", "CX1"), ("proposal", OWN_MATTER)]
    assert {one[:2] for one in citations(region.world.registers, NUMBER, DAY)} == set(rests)
    [route] = [one for one in citations(region.world.registers, NUMBER, DAY) if one.kind == "route"]
    assert route == Citation("route", MATTER, date(2026, 3, 1), f"{NUMBER}第三条")
    assert citations(region.world.registers, NUMBER, date(2026, 2, 28)) == []
    region.accepted("register.strike", "sgb", kind="document", key="WJ1", valid_from="2026-05-01", basis="废止决定")
    stood = [documents(region.world.registers, date(2026, month, 1))["WJ1"].status for month in (4, 5)]
    assert stood == ["in_force", "repealed"]
    assert len(citations(region.world.registers, NUMBER, DAY)) == 4  # which repealing it affects


@pytest.mark.clause("5.3a", refused=True)
def test_nothing_new_rests_on_a_repealed_document(region: Region) -> None:
    enter(region, DOCUMENT, "2020-05-01")
    enter(region, DOCUMENT | {"repealed_on": "2026-02-01"}, "2026-02-01", f"自行废止{NUMBER}")
    refused(region, "document.repealed", PROPOSAL, NUMBER)
    refused(region, "document.repealed", INNOVATION | {"document": "内政办发(2020) 9号"})
    on = {"valid_from": "2026-03-01", "basis": f"依据{NUMBER}"}
    supervisors = [{"department": "s1"}]
    region.refused("document.repealed", "matter.transfer", "sgb", matter=OWN_MATTER, to="spj", supervisors=supervisors,
                   **on)  # fmt: skip
    region.refused("document.repealed", "matter.route", "sgb", matter=MATTER, supervisors=supervisors, **on)
    region.refused("document.repealed", "department.succeed", "sgb", old="s2", to="s3", **on)
    matter = {"code": OWN_MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": NUMBER}
    region.refused("document.repealed", "matter.register", "sgb", entry=matter)
    enter(region, PROPOSAL, "2026-01-31", NUMBER)  # it held then
    refused(region, "document.exists", DOCUMENT | {"code": "WJ2"})
    refused(region, "mandate.role", DOCUMENT | {"code": "WJ3", "number": "另一号"}, by="spj")
    with pytest.raises(ValidationError):
        enter(region, DOCUMENT | {"repealed_on": "2020-01-01"})
    enter(region, DOCUMENT, "2026-02-15")  # in force again
    enter(region, PROPOSAL, basis=NUMBER)
