"""Inspections (2.8c): by whoever supervises the case, reported once, corrected as a whole, retracted for good."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from domain.attempts import AttemptRefused
from domain.inspections import InspectionCorrected, InspectionReported, InspectionRetracted
from domain.personal import Sealed
from domain.submissions import read_payload
from tests.unit.spec import OWN_MATTER, Region

INSPECTION: dict[str, Any] = {
    "number": "JC1",
    "case_organ": "spj",
    "case_number": "1",
    "item": "10123200100101",
    "checklist": "11150100000000001F310123200100101",
    "form": "on_site",
    "category": "random",
    "manner": "visit",
    "result": "failed",
    "inspectors": [{"name": "高娃", "certificate": "15010011103"}],
    "inspected_at": "2026-02-20T10:00:00+08:00",
    "finding": "未按图施工",
}
RETRACTION = {"number": "JC1", "reason": "重复上报"}


@pytest.fixture
def region(region: Region) -> Region:
    region.granted()
    return region


@pytest.mark.clause("2.8c")
def test_a_report_is_on_record_and_owes_no_notice(region: Region) -> None:
    [event] = region.accepted("inspection.report", "s1", **INSPECTION)
    assert isinstance(event, InspectionReported)
    assert (event.originator_id, event.case, event.department) == ("inspection/s1/JC1", "case/spj/1", "s1")
    assert (event.result, event.checklist, event.effective_on) == ("failed", INSPECTION["checklist"], "2026-02-20")
    [inspector] = event.inspectors
    assert isinstance(inspector.name, Sealed)
    assert isinstance(event.finding, Sealed)
    assert (inspector.name.subject, inspector.certificate) == ("inspector/15010011103", "15010011103")


@pytest.mark.clause("2.8c")
def test_a_correction_is_the_whole_record_anew_and_a_retraction_ends_it(region: Region) -> None:
    region.accepted("inspection.report", "s1", **INSPECTION)
    anew = INSPECTION | {"result": "rectify", "finding": None}
    [corrected] = region.accepted("inspection.correct", "s1", **anew)
    assert isinstance(corrected, InspectionCorrected)
    assert (corrected.result, corrected.finding) == ("rectify", None)
    assert region.world.inspection("s1", "JC1").record == corrected
    [retracted] = region.accepted("inspection.retract", "s1", **RETRACTION)
    assert isinstance(retracted, InspectionRetracted)
    assert (retracted.case, retracted.originator_version) == ("case/spj/1", 3)
    assert region.world.inspection("s1", "JC1").retracted


@pytest.mark.clause("2.8c")
def test_what_comes_before_what_it_needs_waits(region: Region) -> None:
    region.waits("inspection/s1/JC1", "inspection.correct", "s1", **INSPECTION)
    region.waits("inspection/s1/JC1", "inspection.retract", "s1", **RETRACTION)
    early = INSPECTION | {"case_number": "2"}
    region.waits("case/spj/2", "inspection.report", "s1", **early)
    region.accept("2")
    region.waits("case/spj/2", "inspection.report", "s1", **early)


@pytest.mark.clause("2.8c", refused=True)
def test_a_number_is_reported_once_and_nothing_follows_its_retraction(region: Region) -> None:
    region.accepted("inspection.report", "s1", **INSPECTION)
    region.refused("inspection.exists", "inspection.report", "s1", **INSPECTION)
    region.accepted("inspection.retract", "s1", **RETRACTION)
    region.refused("inspection.exists", "inspection.report", "s1", **INSPECTION)
    region.refused("inspection.retracted", "inspection.correct", "s1", **INSPECTION)
    region.refused("inspection.retracted", "inspection.retract", "s1", **RETRACTION)


@pytest.mark.clause("2.8c", refused=True)
def test_nobody_touches_anothers_inspection(region: Region) -> None:
    """A number is its department's: under another's name it is another inspection, which nobody reported."""
    [reported] = region.accepted("inspection.report", "s1", **INSPECTION)
    region.waits("inspection/s2/JC1", "inspection.correct", "s2", **INSPECTION)
    region.waits("inspection/s2/JC1", "inspection.retract", "s2", **RETRACTION)
    outcome = region.submit("inspection.retract", "s1", by="s2", **RETRACTION)
    assert (outcome.disposition, outcome.rule) == ("refused", "mandate.principal")
    region.accepted("inspection.report", "s2", **INSPECTION)
    assert region.world.inspection("s1", "JC1").record == reported


@pytest.mark.clause("2.8c", refused=True)
def test_a_correction_moves_no_inspection_to_another_case(region: Region) -> None:
    region.granted("2")
    region.accepted("inspection.report", "s1", **INSPECTION)
    region.refused("inspection.other_case", "inspection.correct", "s1", **(INSPECTION | {"case_number": "2"}))


@pytest.mark.clause("2.8c", refused=True)
def test_who_was_not_told_does_not_inspect(region: Region) -> None:
    for department in ("s3", "zjj"):
        region.refused("supervision.not_addressee", "inspection.report", department, **INSPECTION)


@pytest.mark.clause("1.1c", refused=True)
def test_the_approver_does_not_inspect_what_was_transferred(region: Region) -> None:
    outcome = region.submit("inspection.report", "spj", **INSPECTION)
    [attempt] = outcome.events
    assert isinstance(attempt, AttemptRefused)
    assert (outcome.rule, attempt.clause, attempt.about) == ("supervision.by_approver", "1.1c", "case/spj/1")


@pytest.mark.clause("2.1d")
def test_an_untransferred_matters_department_inspects_itself(region: Region) -> None:
    region.accept("5", OWN_MATTER, "zjj")
    region.accepted("case.decide", "zjj", **(region.decision("5") | {"organ": "zjj"}))
    own = INSPECTION | {"case_organ": "zjj", "case_number": "5"}
    region.refused("supervision.not_addressee", "inspection.report", "s1", **own)
    region.accepted("inspection.report", "zjj", **own)


@pytest.mark.parametrize("type_", ["inspection.report", "inspection.correct"])
def test_it_lies_between_the_decision_and_the_report(region: Region, type_: str) -> None:
    if type_ == "inspection.correct":
        region.accepted("inspection.report", "s1", **INSPECTION)
    early = INSPECTION | {"inspected_at": "2026-02-09T23:59:59+08:00"}
    region.dead("inspected_at", "date.order", type_, "s1", **early)
    late = INSPECTION | {"inspected_at": "2026-03-02T17:00:01+08:00"}
    region.dead("inspected_at", "date.future", type_, "s1", **late)


def test_an_inspection_on_the_day_of_the_decision_is_of_that_day_in_beijing(region: Region) -> None:
    region.accepted("inspection.report", "s1", **(INSPECTION | {"inspected_at": "2026-02-09T16:00:00Z"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "9" * 51},
        {"number": "JC/1"},
        {"number": "150102199001010019"},
        {"item": "1012320010010"},
        {"item": "1012320010010A"},
        {"checklist": "11150100000000001F"},
        {"checklist": "11150100000000001F0101"},
        {"checklist": "1501021990010100193001"},
        {"checklist": "11150100000000001F3150102199001010019"},
        {"form": "remote"},
        {"inspectors": []},
        {"inspectors": [{"name": "高娃", "certificate": f"1501{n}"} for n in range(21)]},
        {"inspectors": [{"name": "高娃", "certificate": "150102199001010019"}]},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}-{str(next(iter(wrong.values())))[:40]}",
)
def test_what_is_malformed_never_comes_in(region: Region, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        region.submit("inspection.report", "s1", **(INSPECTION | wrong))
    assert {error["loc"][0] for error in caught.value.errors()} == set(wrong)


def test_a_checklists_code_is_normalised() -> None:
    written = INSPECTION | {"department": "s1", "checklist": " 11150100000000001f-3 10123200100101"}
    payload = read_payload("inspection.report", json.dumps(written).encode())
    assert payload.model_dump()["checklist"] == INSPECTION["checklist"]
