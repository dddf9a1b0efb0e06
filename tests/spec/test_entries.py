"""Dated lists (1.2, 1.3): what stands on a date, what must agree with the registers, and what shows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.guides import Unlike, unlike
from domain.identifiers import make_matter_code, make_uscc
from domain.lists import Mismatch, mismatches
from domain.reform import Deferred, deferred, standing
from tests.unit.spec import MATTER, OWN_MATTER, Region

PUBLISHED = {"legal_basis": "建筑法第七条", "duties": ["受理", "审查"], "published_on": "2024-03-01"}
POWER: dict[str, Any] = {"kind": "power_item", "matter": MATTER, "name": "施工许可", "organ": "spj", **PUBLISHED}
SUPERVISION: dict[str, Any] = {**POWER, "kind": "supervision_item", "organ": "s1", "item": "JG-1"}
PROPOSAL = {"kind": "proposal", "matter": OWN_MATTER, "batch": "2026-1"}
DEFERRAL = {"kind": "deferral", "matter": OWN_MATTER, "reason": "检测能力不足", "review_on": "2026-09-01"}
BUNDLE = {"kind": "bundle", "code": "kcy", "name": "开餐饮店", "lead": "spj", "matters": [MATTER, OWN_MATTER]}
GUIDE = {
    "kind": "guide",
    "matter": MATTER,
    "elements": ["申请书", "图纸"],
    "steps": ["受理", "审查", "决定"],
    "promised_days": 5,
}
DAY = date(2026, 3, 1)


def enter(region: Region, entry: dict[str, Any], since: str = "2026-03-01", by: str = "sgb") -> None:
    region.accepted("register.enter", by, entry=entry, valid_from=since, basis="通知")


def refused(region: Region, rule: str, entry: dict[str, Any], since: str = "2026-03-01", by: str = "sgb") -> None:
    region.refused(rule, "register.enter", by, entry=entry, valid_from=since, basis="通知")


@pytest.mark.clause("1.3a")
def test_the_power_list_keeps_its_versions(region: Region) -> None:
    enter(region, POWER, "2024-03-01")
    enter(region, POWER | {"duties": ["受理"]}, "2026-01-01")
    enter(region, POWER | {"name": "旧名"}, "2025-01-01")  # recorded late
    found = [region.world.registers.entries_on("power_item", date(year, 6, 1)) for year in (2023, 2024, 2025, 2026)]
    assert found[0] == {}
    assert [one[MATTER].name for one in found[1:]] == ["施工许可", "旧名", "施工许可"]  # type: ignore[attr-defined]
    region.accepted("register.strike", "sgb", kind="power_item", key=MATTER, valid_from="2026-07-01", basis="取消")
    assert region.world.registers.entries_on("power_item", date(2026, 6, 30)) != {}
    assert region.world.registers.entries_on("power_item", date(2026, 7, 1)) == {}


@pytest.mark.clause("1.3a", refused=True)
def test_it_names_who_holds_the_power_and_is_the_reform_offices(region: Region) -> None:
    refused(region, "list.not_holder", POWER | {"organ": "zjj"})
    enter(region, POWER | {"organ": "zjj"}, "2023-06-01")  # it held the power then
    refused(region, "mandate.role", POWER, by="spj")
    region.waits("department/x", "register.enter", "sgb", entry=POWER | {"organ": "x"}, valid_from="2026-03-01",
                 basis="通知")  # fmt: skip
    gone = {"kind": "power_item", "key": MATTER, "valid_from": "2023-01-01", "basis": "取消"}
    region.refused("entry.none", "register.strike", "sgb", **gone)
    region.waits(f"entry/power_item/{OWN_MATTER}", "register.strike", "sgb", **(gone | {"key": OWN_MATTER}))
    # The transfer comes by another topic and may be on its way.
    region.waits(f"matter/{OWN_MATTER}", "register.enter", "sgb", entry=POWER | {"matter": OWN_MATTER},
                 valid_from="2026-03-01", basis="通知")  # fmt: skip


@pytest.mark.clause("1.3b")
def test_a_matter_may_have_several_supervision_items(region: Region) -> None:
    enter(region, SUPERVISION)
    enter(region, SUPERVISION | {"item": "JG-2", "organ": "s2"})
    assert set(region.world.registers.entries_on("supervision_item", DAY)) == {"JG-1", "JG-2"}


@pytest.mark.clause("1.3b", refused=True)
def test_the_approver_is_no_supervisor_in_it(region: Region) -> None:
    refused(region, "mandate.role", SUPERVISION | {"organ": "spj"})
    both = {"code": "spj", "name": "审批局", "roles": ["APPROVAL", "SUPERVISION"], "region": "150100"}
    region.accepted("department.register", "sgb", entry=both | {"valid_from": "2020-01-01"})
    refused(region, "list.approver", SUPERVISION | {"organ": "spj"})
    refused(region, "list.not_supervisor", SUPERVISION | {"organ": "s3"})


@pytest.mark.clause("1.3c")
def test_what_the_lists_lack_of_each_other_shows(region: Region) -> None:
    assert mismatches(region.world.registers, DAY) == [
        Mismatch(MATTER, "power_item"),
        Mismatch(MATTER, "supervision_item"),
    ]
    enter(region, POWER)
    enter(region, SUPERVISION)
    assert mismatches(region.world.registers, DAY) == []
    enter(region, SUPERVISION | {"matter": OWN_MATTER, "item": "JG-9"})
    assert mismatches(region.world.registers, DAY) == [Mismatch(OWN_MATTER, "power_item", "JG-9")]
    assert mismatches(region.world.registers, date(2023, 1, 1)) == []  # nothing was transferred yet
    region.accepted("register.strike", "sgb", kind="power_item", key=MATTER, valid_from="2026-05-01", basis="重列")
    enter(region, POWER | {"organ": "zjj"}, "2023-06-01")
    enter(region, POWER | {"organ": "spj"}, "2024-06-01")
    assert Mismatch(MATTER, "power_holder") in mismatches(region.world.registers, date(2024, 2, 1))


@pytest.mark.clause("1.3d", refused=True)
@pytest.mark.clause("1.3c", refused=True)
def test_a_classified_matter_stands_in_no_list(region: Region) -> None:
    secret = {"code": MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法", "classified": True}
    region.accepted("matter.register", "sgb", entry=secret)
    refused(region, "classified", POWER)
    refused(region, "classified", SUPERVISION)
    assert mismatches(region.world.registers, DAY) == []


@pytest.mark.clause("1.2a")
def test_a_matter_is_proposed_deferred_transferred_and_returned(region: Region) -> None:
    enter(region, PROPOSAL, "2026-01-01")
    enter(region, DEFERRAL, "2026-02-01")
    enter(region, PROPOSAL, "2026-03-01")
    supervisors = [{"department": "s1"}]
    transfer = {"matter": OWN_MATTER, "valid_from": "2026-04-01", "basis": "通知", "to": "spj", "batch": "2026-1"}
    region.accepted("matter.transfer", "sgb", **transfer, supervisors=supervisors)
    region.accepted("matter.return", "sgb", matter=OWN_MATTER, valid_from="2026-06-01", basis="收回")
    stood = [
        standing(region.world.registers, OWN_MATTER, date(year, month, 15))
        for year, month in ((2025, 12), (2026, 1), (2026, 2), (2026, 3), (2026, 5), (2026, 6))
    ]
    assert stood == ["untransferred", "proposed", "deferred", "proposed", "transferred", "returned"]


@pytest.mark.clause("1.2a", refused=True)
def test_what_is_transferred_is_neither_proposed_nor_deferred(region: Region) -> None:
    refused(region, "matter.state", PROPOSAL | {"matter": MATTER})
    refused(region, "matter.state", DEFERRAL | {"matter": MATTER})
    enter(region, PROPOSAL | {"matter": MATTER}, "2023-06-01")  # it was not, then


@pytest.mark.clause("3.1a")
def test_the_guide_in_force_is_pinned_on_the_decision(region: Region) -> None:
    enter(region, GUIDE, "2026-01-01")
    enter(region, GUIDE | {"promised_days": 3}, "2026-02-20")
    region.accept("1")
    [decided, *_] = region.accepted("case.decide", "spj", **region.decision("1"))
    assert (decided.guide_since, decided.guide_version) == (date(2026, 1, 1), 1)  # type: ignore[attr-defined]
    region.accepted("register.strike", "sgb", kind="guide", key=MATTER, valid_from="2026-02-05", basis="废止")
    region.accept("2")
    [decided, *_] = region.accepted("case.decide", "spj", **region.decision("2"))
    assert decided.guide_since is None  # type: ignore[attr-defined]


@pytest.mark.clause("3.1a", refused=True)
def test_a_guide_promises_a_time_and_is_not_the_approvers_to_write(region: Region) -> None:
    refused(region, "mandate.role", GUIDE, by="spj")
    for wrong in ({"promised_days": 0}, {"steps": []}, {"elements": []}):
        with pytest.raises(ValidationError):
            enter(region, GUIDE | wrong)


@pytest.mark.clause("3.1b")
def test_like_matters_handled_unlike_show(region: Region) -> None:
    elsewhere = make_matter_code(make_uscc("11150200000000002"), 3, MATTER[19:])
    entry = {"code": elsewhere, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法"}
    region.accepted("matter.register", "sgb", entry=entry)
    enter(region, GUIDE)
    enter(region, GUIDE | {"matter": elsewhere, "promised_days": 9, "elements": ["图纸", "申请书"]})
    found = Unlike(MATTER[19:], (MATTER, elsewhere), ("promised_days",))
    assert unlike(region.world.registers, DAY) == [found]
    enter(region, GUIDE | {"matter": elsewhere}, "2026-06-01")
    assert unlike(region.world.registers, date(2026, 6, 1)) == []


@pytest.mark.clause("3.1b", refused=True)
def test_other_matters_are_not_compared(region: Region) -> None:
    enter(region, GUIDE)
    enter(region, GUIDE | {"matter": OWN_MATTER, "promised_days": 9})
    assert unlike(region.world.registers, DAY) == []


@pytest.mark.clause("1.2c")
def test_several_matters_are_one_thing(region: Region) -> None:
    enter(region, BUNDLE)
    [bundle] = region.world.registers.entries_on("bundle", DAY).values()
    assert bundle.matters == (MATTER, OWN_MATTER)  # type: ignore[attr-defined]


@pytest.mark.clause("1.2c", refused=True)
def test_a_bundle_is_of_known_matters_each_once(region: Region) -> None:
    unknown = MATTER[:-1] + "9"
    bundle = BUNDLE | {"matters": [MATTER, unknown]}
    region.waits(f"matter/{unknown}", "register.enter", "sgb", entry=bundle, valid_from="2026-03-01", basis="通知")
    for wrong in ([MATTER, MATTER], [MATTER]):
        with pytest.raises(ValidationError):
            enter(region, BUNDLE | {"matters": wrong})
    refused(region, "mandate.role", BUNDLE, by="spj")


@pytest.mark.clause("1.2d")
def test_review_dates_fall_due(region: Region) -> None:
    enter(region, DEFERRAL)
    found = Deferred(OWN_MATTER, "检测能力不足", date(2026, 9, 1), due=False)
    assert deferred(region.world.registers, date(2026, 2, 28)) == []
    assert deferred(region.world.registers, date(2026, 8, 31)) == [found]
    assert deferred(region.world.registers, date(2026, 9, 1)) == [found._replace(due=True)]
    enter(region, PROPOSAL, "2026-10-01")
    assert deferred(region.world.registers, date(2026, 10, 2)) == []


@pytest.mark.clause("1.2d", refused=True)
def test_a_review_lies_ahead(region: Region) -> None:
    wrong = DEFERRAL | {"review_on": "2026-03-01"}
    region.dead("entry.review_on", "date.order", "register.enter", "sgb", entry=wrong, valid_from="2026-03-01",
                basis="通知")  # fmt: skip
