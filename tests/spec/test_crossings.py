"""Where the mechanisms meet: successions, disputes, penalties, remedies, tasks and corrections of one case."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain import system
from domain.licences import accountable, licence_status
from tests.spec.test_entries import enter
from tests.spec.test_penalties import correction, lifting, penalty, remedy, told
from tests.spec.test_succession import pass_on, problems, succeed
from tests.spec.test_tasks import RESULT, on_record, task
from tests.unit.spec import MATTER, NOW, OWN_MATTER, Region, owed


@pytest.fixture
def region(region: Region) -> Region:
    """With a second reform office, another competent department and a review organ."""
    for code, role in (("sgb2", "REFORM_OFFICE"), ("zjj2", "SUPERVISION"), ("fyj", "REVIEW_ORGAN")):
        entry = {"code": code, "name": code, "roles": [role], "region": "150100", "valid_from": "2020-01-01"}
        region.accepted("department.register", "sgb", entry=entry)
        region.accepted("principal.register", "operator", principal=code, acts_for=[code])
    return region


def returned(region: Region, notice: str, by: str, to: str) -> str:
    [following] = owed(region.accepted("notice.return", by, notice=notice, proposed=to, reason="不归我"))
    return following


@pytest.mark.clause("2.2d")
def test_a_dispute_is_ruled_on_by_the_offices_successor(region: Region) -> None:
    s1, _ = region.granted()
    dispute = returned(region, returned(region, s1, "s1", "s3"), "s3", "s1")
    succeed(region, "sgb", "sgb2")
    [passed] = pass_on(region, dispute)
    assert "s1" not in accountable(region.world.case("spj", "1"), region.world.registers, NOW.date())
    region.accepted("duty.rule", "sgb2", notice=passed, assign_to="s1", reason="归你")
    assert {one.department for one in region.world.case("spj", "1").holders} == {"s1", "s2"}
    assert problems(region) == []


@pytest.mark.clause("1.1c", refused=True)
@pytest.mark.clause("2.2d", refused=True)
def test_who_returned_it_supervises_it_no_longer(region: Region) -> None:
    s1, _ = region.granted()
    returned(region, s1, "s1", "s3")
    region.refused("supervision.not_addressee", "penalty.impose", "s1", **penalty())
    region.accepted("penalty.impose", "s3", **penalty())


@pytest.mark.clause("2.8a")
def test_what_was_decided_before_the_transfer_is_supervised_by_who_is_in_charge_now(region: Region) -> None:
    region.accept("1", OWN_MATTER, "zjj")
    own = {"organ": "zjj"}
    region.accepted("case.decide", "zjj", **(region.decision() | own))
    region.accepted(
        "matter.transfer", "sgb", matter=OWN_MATTER, valid_from="2026-02-15", basis="划转", to="spj",
        supervisors=[{"department": "s1"}],
    )  # fmt: skip
    assert accountable(region.world.case("zjj", "1"), region.world.registers, NOW.date()) == ("s1",)
    change: dict[str, Any] = {"document_number": "变1", "on": "2026-02-20", "content": "变更"}
    assert told(owed(region.accepted("case.change", "spj", **(region.case(**change) | own)))) == ["s1"]
    assert told(owed(region.accepted("penalty.impose", "s1", **(penalty() | own)))) == ["spj"]
    region.refused("supervision.not_addressee", "penalty.impose", "zjj", **(penalty(penalty="2") | own))
    assert problems(region) == []


def test_the_successor_goes_on_with_penalties_tasks_and_handovers(region: Region) -> None:
    on_record(region, "survey", "competent")
    region.granted()
    region.accepted("penalty.impose", "s1", **penalty())
    region.accept("2")
    region.accepted("task.open", "spj", **region.case("2", task="1", work="survey", opened_on="2026-02-05"))
    lines = {"approval": ["审批"], "supervision": ["检查"]}
    items = [{"kind": "archive", "title": "档案", "copies": 1}]
    region.accepted("handover.draw", "zjj", number="J1", taker="spj", matters=[MATTER], items=items, note=lines)
    succeed(region, "s1", "s3")
    succeed(region, "zjj", "zjj2")
    region.refused("supervision.not_addressee", "penalty.lift", "s2", **lifting(), imposed_by="s1")
    lifted = owed(region.accepted("penalty.lift", "s3", **lifting(), imposed_by="s1"))
    assert told(lifted) == ["s2", "spj"]
    region.refused("task.not_party", "task.complete", "s2", **region.case("2", task="1", **RESULT))
    assert told(owed(region.accepted("task.complete", "zjj2", **region.case("2", task="1", **RESULT)))) == ["spj"]
    region.accepted("handover.sign", "zjj2", giver="zjj", number="J1")
    assert problems(region) == []


@pytest.mark.clause("2.2i", refused=True)
def test_nobody_is_told_anew_of_what_it_or_its_predecessor_was_told(region: Region) -> None:
    supervisors = [{"department": "s1"}, {"department": "s2"}, {"department": "s3"}]
    region.granted()
    region.accepted("matter.route", "sgb", matter=MATTER, valid_from="2026-02-20", basis="二", supervisors=supervisors)
    region.accepted("subscription.start", "s3", number="1", matters=[MATTER], backfill_from="2020-01-01")
    succeed(region, "s1", "s3")
    made = region.record(lambda world: system.subscriber_joined(world, "subscription/s3/1", "case/spj/1", NOW))
    assert made == []


def test_a_case_ordered_anew_after_it_was_cancelled(region: Region) -> None:
    region.granted()
    end = {"document_number": "注1", "on": "2026-02-15", "reason": "申请注销"}
    region.accepted("case.cancel", "spj", **region.case(**end))
    region.accepted("remedy.record", "fyj", **remedy("anew"))
    region.refused("remedy.annulled", "remedy.record", "fyj", **remedy("annulled"))
    anew = {"organ": "spj", "party": {"kind": "法人及非法人组织", "name": "草原公司"}}
    anew |= {"anew_of": {"organ": "spj", "number": "1"}}
    region.refused("remedy.anew", "case.accept", "spj", number="7", matter=MATTER, accepted_on="2026-02-19", **anew)
    region.accepted("case.accept", "spj", number="8", matter=MATTER, accepted_on="2026-02-25", **anew)
    assert licence_status(region.world.case("spj", "1"), NOW.date()) == "cancelled"


@pytest.mark.clause("2.3d", refused=True)
def test_required_work_is_not_got_round(region: Region) -> None:
    on_record(region, "survey", "competent", required=True)
    region.accept()
    region.accepted("task.open", "spj", **task(region))
    late = RESULT | {"ended_at": "2026-02-20T12:00:00+08:00"}
    region.accepted("task.complete", "zjj", **region.case(task="1", **late))
    region.refused("task.required", "case.decide", "spj", **region.decision())  # dated before the result
    region.accepted("task.open", "spj", **task(region, "2", opened_on="2026-02-21"))
    failed = RESULT | {"began_at": "2026-02-21T09:00:00+08:00", "ended_at": "2026-02-22T09:00:00+08:00"}
    region.accepted("task.complete", "zjj", **region.case(task="2", **(failed | {"result": "failed"})))
    region.refused("task.required", "case.decide", "spj", **region.decision(decided_on="2026-02-25"))  # the last counts
    other = MATTER[:-1] + "5"
    entry = {"code": other, "name": "另一事项", "competent": "zjj", "legal_basis": "建筑法"}
    region.accepted("matter.register", "sgb", entry=entry)
    transfer = {"matter": other, "valid_from": "2024-01-01", "basis": "划转", "to": "spj"}
    region.accepted("matter.transfer", "sgb", **transfer, supervisors=[{"department": "s3"}])
    region.accept("2", other)
    region.accepted("case.decide", "spj", **region.decision("2"))
    wrong = correction(target="matter", old=other, new=MATTER) | {"number": "2"}
    region.refused("task.required", "case.correct", "spj", **wrong)


@pytest.mark.parametrize("written", ["20260208", "2026-W06-7"])
def test_a_corrected_date_is_written_as_dates_are(region: Region, written: str) -> None:
    region.granted()
    wrong = correction(target="valid_to", old="2031-02-09", new=written)
    region.dead("new", "date.shape", "case.correct", "spj", **wrong)


def test_an_extension_holds_from_its_day_on(region: Region) -> None:
    region.accept()
    region.accepted("case.decide", "spj", **region.decision(valid_to="2026-02-15"))
    extension = {"document_number": "延1", "on": "2026-02-25", "valid_to": "2030-01-01"}
    region.accepted("case.extend", "spj", **region.case(**extension))
    days = [date(2026, 2, 15), date(2026, 2, 20), date(2026, 2, 25)]
    case = region.world.case("spj", "1")
    assert [licence_status(case, day) for day in days] == ["in_force", "expired", "in_force"]
    region.accepted("case.correct", "spj", **correction(target="valid_to", old="2030-01-01", new="2029-01-01"))
    case = region.world.case("spj", "1")
    assert [licence_status(case, day) for day in (days[1], date(2029, 6, 1))] == ["expired", "expired"]


def test_a_correction_reaches_the_successor(region: Region) -> None:
    s1, _ = region.granted()
    succeed(region, "s1", "s3")
    fix = correction(target="document_number", old="呼1号", new="呼2号")
    assert told(owed(region.accepted("case.correct", "spj", **fix))) == ["s3", "s2"]
    assert pass_on(region, s1) == []
    assert problems(region) == []


def test_a_transfer_leaves_the_windows_of_before_behind(region: Region) -> None:
    placement = {
        "kind": "placement", "matter": OWN_MATTER, "organ": "zjj", "section": "审批科", "in_hall": True,
        "windows": ["A1"], "online": True, "monitored": True,
    }  # fmt: skip
    enter(region, placement, "2025-01-01")
    region.accepted(
        "matter.transfer", "sgb", matter=OWN_MATTER, valid_from="2026-01-15", basis="划转", to="spj",
        supervisors=[{"department": "s1"}],
    )  # fmt: skip
    region.accept("1", OWN_MATTER)
    [decided, *_] = region.accepted("case.decide", "spj", **region.decision())
    assert not decided.outside_window  # type: ignore[attr-defined]


def test_verify_finds_a_notice_left_behind_and_a_forged_joining(region: Region) -> None:
    region.granted()
    succeed(region)
    region.record(lambda world: system.succession_advanced(world, "s1", "succession/s1/1", 1, NOW))
    assert any(one.startswith("audience") for one in problems(region))
