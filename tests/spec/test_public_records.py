"""双公示 records: routed by the mapping, parked without one, and never by somebody who may not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.cases import CaseAccepted, CaseDecided, LicenceIssued
from domain.event import Event
from domain.identifiers import make_resident_id, make_uscc
from domain.notices import NoticeOwed
from domain.public_records import CaseReported, document_key
from tests.unit.spec import MATTER, Region

ORGAN = make_uscc("11150100MB1234567")
RESIDENT = make_resident_id("15010219900101001")
PERMIT: dict[str, Any] = {
    "organ_uscc": ORGAN,
    "organ_name": "呼和浩特市行政审批和政务服务局",
    "certificate": "食品经营许可证",
    "kind": "普通",
    "document_title": "准予行政许可决定书",
    "document_number": "呼审批许字〔2026〕1号",
    "licence_number": "JY11501020000001",
    "party": {"kind": "法人及非法人组织", "name": "内蒙古草原牧业有限公司"},
    "content": "热食类食品制售",
    "decided_on": "2026-01-05",
    "valid_from": "2026-01-05",
    "valid_to": "2031-01-04",
    "source_name": "呼和浩特市行政审批和政务服务局",
    "source_uscc": ORGAN,
}
"""A food permit of a company."""


@pytest.fixture
def region(region: Region) -> Region:
    """With a platform that may act for the approval bureau, and the bureau's own, pt, that may not."""
    region.accepted("principal.register", "operator", principal="platform", acts_for=["pt", "spj"])
    return region


def route(region: Region, certificate_type: str = "食品经营许可证", organ: str = "spj") -> None:
    data = {"organ_uscc": ORGAN, "certificate_type": certificate_type, "organ": organ, "matter": MATTER}
    region.accepted("mapping.register", "sgb", **data)


def reported(region: Region, department: str = "pt", by: str = "platform", **more: Any) -> list[Event]:
    return region.accepted("permit.report", department, by=by, **(PERMIT | more))


def refused(region: Region, rule: str, department: str = "pt", by: str = "platform", **more: Any) -> None:
    region.refused(rule, "permit.report", department, by=by, **(PERMIT | more))


@pytest.mark.clause("2.6a")
def test_one_row_is_one_decided_case_and_owes_its_notices(region: Region) -> None:
    route(region)
    events = reported(region, note="备注")
    told = [NoticeOwed] * 2
    assert [type(e) for e in events] == [CaseAccepted, CaseDecided, *told, LicenceIssued, CaseReported]
    assert events[0].originator_id == "case/spj/呼审批许字〔2026〕1号"
    assert [e.originator_version for e in events if not isinstance(e, NoticeOwed)] == [1, 2, 3, 4]
    decision = events[1]
    assert isinstance(decision, CaseDecided)
    assert (decision.power_since, decision.power_basis) == (date(2024, 1, 1), "划转通知")
    assert decision.supervisors == ("s1", "s2")
    assert [(e.addressee, e.about) for e in events if isinstance(e, NoticeOwed)] == [
        ("s1", "decision"),
        ("s2", "decision"),
    ]
    assert {(e.meta.department, e.meta.principal, e.meta.officer) for e in events} == {("spj", "platform", None)}


@pytest.mark.clause("2.6a")
def test_without_a_licence_number_no_licence_and_stock_owes_nothing(region: Region) -> None:
    route(region)
    assert LicenceIssued not in [type(e) for e in reported(region, licence_number=None)]
    stock = reported(region, basis="legacy", document_number="2号")
    assert NoticeOwed not in [type(e) for e in stock]


@pytest.mark.clause("2.6a")
def test_the_kind_routes_only_where_no_certificate_is_named(region: Region) -> None:
    route(region, "普通")
    region.waits(f"mapping/{ORGAN}", "permit.report", "pt", by="platform", **PERMIT)
    reported(region, certificate=None, document_number="2号")


@pytest.mark.clause("2.6a")
def test_nothing_personal_stays_in_clear(region: Region) -> None:
    route(region)
    events = reported(
        region,
        party={"kind": "自然人", "name": "白其其格",
               "person": {"name": "白其其格", "id_type": "身份证", "id_number": RESIDENT}},
        party_codes={"tax_number": RESIDENT, "representative_document": "身份证 123"},
        content="许可白其其格经营",
        note="联系白其其格",
        kind_detail="其他-白其其格",
    )  # fmt: skip
    text = "".join(e.model_dump_json() for e in events)
    assert "白其其格" not in text
    assert f'"{RESIDENT}"' not in text


@pytest.mark.clause("2.6a")
def test_a_row_waits_for_its_organs_mapping(region: Region) -> None:
    region.waits(f"mapping/{ORGAN}", "permit.report", "pt", by="platform", **PERMIT)
    route(region)
    assert region.world.case("spj", PERMIT["document_number"]).status == "granted"
    reported(region, document_number="2号")


@pytest.mark.clause("2.6a", refused=True)
@pytest.mark.parametrize(
    ("by", "department"), [("zjj", "zjj"), ("pt", "pt"), ("zjj", "spj"), ("platform", "nobody")]
)  # fmt: skip
def test_who_may_not_act_for_the_organ(region: Region, by: str, department: str) -> None:
    route(region)
    refused(region, "mandate.principal", department, by)
    reported(region, "spj", "spj")  # the organ itself may


@pytest.mark.clause("2.6a", refused=True)
@pytest.mark.clause("1.1b", refused=True)
def test_an_organ_whose_power_had_gone(region: Region) -> None:
    route(region, organ="zjj")
    refused(region, "power.transferred", "zjj", "zjj")
    reported(region, "zjj", "zjj", decided_on="2023-12-31")


@pytest.mark.clause("2.6a", refused=True)
def test_the_same_document_again_and_a_decision_after_its_report(region: Region) -> None:
    route(region)
    reported(region)
    refused(region, "case.exists", document_number="呼审批许字 〔2026〕1号")
    late = PERMIT | {"document_number": "2号", "decided_on": "2026-03-03"}
    region.dead("decided_on", "date.future", "permit.report", "pt", by="platform", **late)


@pytest.mark.clause("2.6a", refused=True)
def test_wrong_values(region: Region) -> None:
    route(region)
    for field, value, rule in (
        ("document_number", " 1", "string_pattern_mismatch"),
        ("document_number", "", "string_pattern_mismatch"),
        ("document_number", "a\nb", "string_pattern_mismatch"),
        ("document_number", "x" * 65, "string_pattern_mismatch"),
        ("organ_uscc", "123", "uscc.shape"),
        ("kind", "其他-备案", "literal_error"),
        ("valid_to", "2020-01-01", "date.order"),
    ):
        region.dead(field, rule, "permit.report", "pt", by="platform", **(PERMIT | {field: value}))
    reported(region)


@pytest.mark.parametrize(
    ("number", "key"), [("呼审〔2026〕1号", "呼审〔2026〕1号"), ("A 1/2026", "A1／2026"), ("x" * 64, "x" * 64)]
)
def test_a_case_is_known_by_its_documents_number(number: str, key: str) -> None:
    assert document_key(number) == key
