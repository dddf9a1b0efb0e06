"""The register of licences at the terminal (2.8), by the read models and by the log, which must agree."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.departments import RegisterDepartment, RegisterPrincipal
from domain.inspections import Inspector, ReportInspection, RetractInspection
from domain.matters import RouteMatter, Supervisor
from domain.notices import ReturnNotice
from domain.penalties import ImposePenalty, LiftPenalty
from domain.permits import CancelCase, IssueLicence
from domain.remedies import RecordRemedy
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    MATTER,
    OFFICE,
    OWN_MATTER,
    S1,
    S2,
    S3,
    accept,
    case,
    decide,
    granted,
    receive,
)  # fmt: skip
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore, department

PENALTY: dict[str, Any] = {"document_number": "罚1", "on": DAY, "reason": "超范围经营"}
USCC = "11150100000000001F"


def inspect(store: TestStore, number: str, by: str = S1, case_number: str = "1") -> None:
    store.submit(
        ReportInspection(
            department=by, number=number, item="10123200100101", checklist=f"{USCC}31", case_organ=APPROVAL,
            case_number=case_number, form="on_site", category="routine", manner="visit", result="passed",
            inspectors=(Inspector(name="高娃", certificate="15010011103"),), inspected_at=store.now,
        )
    )  # fmt: skip


def numbers(found: dict[str, Any]) -> list[str]:
    return sorted(one["number"] for one in found["items"])


def both(store: TestStore, *options: str) -> dict[str, Any]:
    """The read models' answer, once the log's own is the same."""
    found = ask_json(store, "licences", *options)
    known = ask_json(store, "licences", *options, "--as-known-at", moment_after(store))
    keys = ("organ", "number", "matter", "standing", "supervisors", "bases", "valid_to")
    picked = [[{key: one[key] for key in keys} for one in answer["items"]] for answer in (found, known)]
    assert sorted(picked[0], key=str) == sorted(picked[1], key=str)
    return found


@pytest.mark.door("command")
@pytest.mark.clause("2.8a")
def test_where_licences_stand_and_who_answers_for_them(region: TestStore) -> None:
    for number in ("1", "2", "3", "4"):
        granted(region, number)
    region.submit(
        case(IssueLicence, "1", licence_number="证1", certificate="许可证", issued_on=DAY),
        case(ImposePenalty, "2", by=S1, penalty="1", measure="suspension", until=DAY + timedelta(days=9), **PENALTY),
        case(ImposePenalty, "3", by=S1, penalty="2", measure="revocation", **PENALTY),
        case(CancelCase, "4", on=DAY, document_number="注1", reason="申请"),
        accept("5", organ=FORMER, matter=OWN_MATTER),
        decide("5", organ=FORMER),
        accept("6"),
        decide("6", basis="legacy"),
    )
    region.project()
    on = ("--as-true-at", "2026-03-05")
    found = {one["number"]: one for one in both(region, *on)["items"]}
    assert {number: one["standing"] for number, one in found.items()} == {
        "1": "in_force", "2": "suspended", "3": "penalised", "4": "cancelled", "5": "in_force", "6": "in_force",
    }  # fmt: skip
    assert found["1"]["supervisors"] == found["6"]["supervisors"] == [S1, S2]
    assert (found["5"]["supervisors"], found["5"]["bases"]) == ([FORMER], ["建筑法"])
    assert found["1"]["bases"] == ["内政办发〔2020〕9号"]
    assert found["1"]["licence_number"] == "证1"
    later = {one["number"]: one["standing"] for one in both(region, "--as-true-at", "2026-03-12")["items"]}
    assert later["2"] == "in_force"
    assert set(later.values()) == {"in_force", "penalised", "cancelled"}
    assert numbers(both(region, "--as-true-at", "2030-01-01", "--status", "expired")) == ["1", "2", "5", "6"]
    assert both(region, "--as-true-at", "2026-03-01")["items"] == []
    assert numbers(both(region, *on, "--department", FORMER)) == ["5"]
    assert numbers(both(region, *on, "--department", S2)) == ["1", "2", "3", "4", "6"]
    text = ask(region, "licences", *on, "--status", "suspended")
    assert "暂扣" in text
    assert "监管一局、监管二局" in text
    assert "in force" in ask(region, "licences", *on, "--lang", "en")


@pytest.mark.door("command")
@pytest.mark.clause("2.8a", refused=True)
@pytest.mark.clause("2.8d", refused=True)
def test_what_cannot_be_asked_is_told(region: TestStore) -> None:
    assert "in_force" in ask(region, "licences", "--status", "valid", code=2)
    assert "--never-inspected" in ask(region, "licences", "--never-inspected", "--as-known-at", "2026-03-02", code=2)
    # Nobody inspects in another's place.
    fact = granted(region, "1")
    region.submit(receive(S1, fact, region.now))
    region.submit(
        ReportInspection(
            department=APPROVAL, number="1", item="10123200100101", checklist=f"{USCC}31", case_organ=APPROVAL,
            case_number="1", form="on_site", category="routine", manner="visit", result="passed",
            inspectors=(Inspector(name="高娃", certificate="15010011103"),), inspected_at=region.now,
        ),
        expect="refused",
    )  # fmt: skip
    region.project()
    assert numbers(ask_json(region, "licences", "--never-inspected", "--as-true-at", "2026-03-05")) == ["1"]


@pytest.mark.door("command")
@pytest.mark.clause("2.8b")
def test_licences_of_which_nobody_answers(region: TestStore) -> None:
    region.submit(
        RouteMatter(
            department=OFFICE, matter=MATTER, valid_from=date(2026, 1, 1), basis="二",
            supervisors=(Supervisor(department=S1),),
        )
    )  # fmt: skip
    fact = granted(region, "1")
    granted(region, "2")
    region.submit(ReturnNotice(department=S1, notice=f"{S1}/{fact}", proposed=S2, reason="不归我"), id_="r1")
    region.submit(ReturnNotice(department=S2, notice=f"{S2}/test/r1", proposed=S3, reason="不归我"), id_="r2")
    region.project()
    on = ("--as-true-at", "2026-03-05")
    assert numbers(both(region, *on, "--unsupervised")) == ["1"]
    assert numbers(both(region, *on)) == ["1", "2"]
    assert both(region, "--as-true-at", "2030-01-01", "--unsupervised")["items"] == []  # nothing stands any more


@pytest.mark.door("command")
@pytest.mark.clause("2.8c")
@pytest.mark.clause("2.8d")
def test_received_and_never_inspected(region: TestStore) -> None:
    for number in ("1", "2"):
        fact = granted(region, number)
        region.submit(receive(S1, fact, region.now))
    inspect(region, "JC1")
    region.project()
    on = ("--as-true-at", "2026-03-05")
    found = ask_json(region, "licences", *on, "--never-inspected")["items"]
    assert [(one["number"], one["never_inspected_by"]) for one in found] == [("2", [S1])]
    assert numbers(ask_json(region, "licences", "--never-inspected", *on, "--department", S2)) == ["2"]
    [inspection] = ask_json(region, "inspections", "--department", S1)["items"]
    assert (inspection["number"], inspection["case"], inspection["result"]) == ("JC1", "1", "passed")
    assert "日常检查" in ask(region, "inspections")
    region.submit(RetractInspection(department=S1, number="JC1", reason="重复上报"))
    region.project()
    assert numbers(ask_json(region, "licences", *on, "--never-inspected")) == ["1", "2"]


def test_a_case_along_both_axes(region: TestStore) -> None:
    region.submit(RegisterDepartment(department=OFFICE, entry=department("sfj", "司法局", "REVIEW_ORGAN")))
    region.submit(RegisterPrincipal(principal="sfj", acts_for=("sfj",)), principal="operator")
    granted(region, "1")
    known = moment_after(region)
    suspension = {**PENALTY, "on": DAY}
    region.submit(case(ImposePenalty, "1", by=S1, penalty="1", measure="suspension", **suspension))
    region.submit(case(LiftPenalty, "1", by=S1, penalty="1", **suspension))
    region.submit(
        case(
            RecordRemedy, "1", by="sfj", procedure="litigation", outcome="annulled", document_number="判1", on=DAY,
            content="撤销",
        )
    )  # fmt: skip
    now = ask_json(region, "case", "1", "--as-true-at", "2026-03-05")
    assert (now["state"]["status"], now["state"]["licence"]) == ("ended", "annulled")
    then = ask_json(region, "case", "1", "--as-true-at", "2026-03-05", "--as-known-at", known)
    assert (then["state"]["status"], then["state"]["licence"]) == ("granted", "in_force")
    assert ask_json(region, "case", "1", "--as-true-at", "2026-03-01", code=1)["error"]
    assert "复议或诉讼撤销" in ask(region, "case", "1", "--as-true-at", "2026-03-05")
