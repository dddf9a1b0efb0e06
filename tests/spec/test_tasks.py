"""Associated work (2.3): tasks of a case, whose they are, what came of them, and what is not decided without them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.tasks import Pause, TasksState, pauses
from tests.spec.test_entries import enter
from tests.unit.spec import MATTER, Region, owed

RESULT: dict[str, Any] = {
    "began_at": "2026-02-06T09:00:00+08:00",
    "ended_at": "2026-02-07T12:00:00+08:00",
    "result": "passed",
    "conclusion": "与申报一致",
    "signers": [{"id": "7", "name": "高娃"}, {"id": "8", "name": "布和"}],
}


def on_record(region: Region, work: str, party: str, since: str = "2024-01-01", **more: Any) -> None:
    enter(region, {"kind": "work_capability", "matter": MATTER, "work": work, "party": party, **more}, since)


def task(region: Region, task: str = "1", work: str = "survey", **more: Any) -> dict[str, Any]:
    return region.case(task=task, **({"work": work, "opened_on": "2026-02-05"} | more))


def opened(region: Region, party: str = "competent", number: str = "1", **more: Any) -> list[str]:
    """A case with a task; the notices owed."""
    on_record(region, "survey", party, **more)
    region.accept(number)
    return owed(region.accepted("task.open", "spj", **task(region, due_on="2026-02-20")))


def tasks_of(region: Region) -> TasksState:
    return region.world.tasks("spj", "1")


@pytest.mark.clause("2.3a")
def test_work_is_asked_for_as_a_task_of_the_case(region: Region) -> None:
    for work in ("survey", "technical_review", "expert_review", "testing"):
        on_record(region, work, "competent")
    region.accept()
    for number, work in enumerate(("survey", "technical_review", "expert_review", "testing")):
        [notice] = owed(region.accepted("task.open", "spj", **task(region, str(number), work)))
        assert region.state(notice).owed.about == "task"  # type: ignore[union-attr]
    assert [one.opened.work for one in tasks_of(region).tasks.values()] == [
        "survey", "technical_review", "expert_review", "testing",
    ]  # fmt: skip
    [notice] = owed(
        region.accepted("task.drop", "spj", **region.case(task="0", on="2026-02-06", reason="改为书面审查"))
    )
    assert notice.startswith("zjj/")
    assert tasks_of(region).tasks["0"].dropped


@pytest.mark.clause("2.3a", refused=True)
def test_only_the_approving_side_asks_and_once(region: Region) -> None:
    opened(region)
    region.refused("task.exists", "task.open", "spj", **task(region))
    region.refused("power.transferred", "task.open", "zjj", **task(region, "2"))
    region.refused("power.transferred", "task.drop", "zjj", **region.case(task="1", on="2026-02-06", reason="不做"))
    region.dead("opened_on", "date.order", "task.open", "spj", **task(region, "2", opened_on="2026-01-20"))
    region.accepted("task.drop", "spj", **region.case(task="1", on="2026-02-06", reason="不需要"))
    region.refused("task.done", "task.drop", "spj", **region.case(task="1", on="2026-02-07", reason="不需要"))
    region.accepted("case.decide", "spj", **region.decision())
    region.refused("case.state", "task.open", "spj", **task(region, "3", opened_on="2026-02-20"))


@pytest.mark.clause("2.3b")
@pytest.mark.parametrize(
    ("party", "parties"), [("competent", ("zjj",)), ("approval", ("spj",)), ("both", ("zjj", "spj"))]
)
def test_who_carries_it_out_is_who_is_on_record_then(region: Region, party: str, parties: tuple[str, ...]) -> None:
    notices = opened(region, party)
    assert tasks_of(region).tasks["1"].opened.parties == parties
    assert [one.split("/")[0] for one in notices] == [one for one in parties if one != "spj"]
    on_record(region, "survey", "approval", since="2026-02-20")
    region.accepted("task.open", "spj", **task(region, "2"))
    assert tasks_of(region).tasks["2"].opened.parties == parties  # on the day that it is opened
    region.accepted("task.open", "spj", **task(region, "3", opened_on="2026-02-20"))
    assert tasks_of(region).tasks["3"].opened.parties == ("spj",)


@pytest.mark.clause("2.3b", refused=True)
def test_nobody_else_hands_in_a_result(region: Region) -> None:
    opened(region)
    for stranger in ("spj", "s1"):
        region.refused("task.not_party", "task.complete", stranger, **region.case(task="1", **RESULT))
    region.waits("tasks/spj/1", "task.complete", "zjj", **region.case(task="9", **RESULT))
    region.waits(f"entry/work_capability/{MATTER}.testing", "task.open", "spj", **task(region, "2", "testing"))
    on_record(region, "testing", "competent", since="2026-02-20")
    region.refused("task.not_on_record", "task.open", "spj", **task(region, "2", "testing"))


@pytest.mark.clause("2.3c")
def test_each_party_signs_its_result_and_the_clock_stands_still_meanwhile(region: Region) -> None:
    opened(region, "both")
    [completed, *told] = region.accepted("task.complete", "zjj", **region.case(task="1", **RESULT))
    assert [one.id for one in completed.signers] == ["7", "8"]  # type: ignore[attr-defined]
    assert owed(told)[0].startswith("spj/")
    assert tasks_of(region).tasks["1"].owing == ("spj",)
    later = RESULT | {"ended_at": "2026-02-09T12:00:00+08:00"}
    assert owed(region.accepted("task.complete", "spj", **region.case(task="1", **later))) == []
    assert tasks_of(region).tasks["1"].done
    region.accepted("task.open", "spj", **task(region, "2", opened_on="2026-02-08"))
    found = pauses(tasks_of(region).tasks.values())
    assert found == [Pause(date(2026, 2, 5), None)]
    region.accepted("task.drop", "spj", **region.case(task="2", on="2026-02-12", reason="不需要"))
    region.accepted("task.open", "spj", **task(region, "3", opened_on="2026-02-20"))
    found = pauses(tasks_of(region).tasks.values())
    assert found == [Pause(date(2026, 2, 5), date(2026, 2, 12)), Pause(date(2026, 2, 20), None)]


@pytest.mark.clause("2.3c", refused=True)
def test_a_result_has_signers_and_times_that_can_be(region: Region) -> None:
    opened(region)
    for field, rule, wrong in (
        ("began_at", "date.order", {"began_at": "2026-02-04T09:00:00+08:00"}),
        ("ended_at", "date.future", {"ended_at": "2026-03-04T09:00:00+08:00"}),
    ):
        region.dead(field, rule, "task.complete", "zjj", **region.case(task="1", **(RESULT | wrong)))
    region.accepted("task.complete", "zjj", **region.case(task="1", **RESULT))
    region.refused("task.done", "task.complete", "zjj", **region.case(task="1", **RESULT))


@pytest.mark.clause("2.3d")
def test_a_decision_has_the_results_it_needs(region: Region) -> None:
    opened(region, required=True)
    region.accepted("task.complete", "zjj", **region.case(task="1", **(RESULT | {"result": "failed"})))
    region.refused("task.required", "case.decide", "spj", **region.decision())
    region.accepted("task.open", "spj", **task(region, "2"))
    region.refused("task.required", "case.decide", "spj", **region.decision())
    region.accepted("task.complete", "zjj", **region.case(task="2", **RESULT))
    assert len(owed(region.accepted("case.decide", "spj", **region.decision()))) == 2


@pytest.mark.clause("2.3d", refused=True)
def test_nothing_is_granted_without_them(region: Region) -> None:
    on_record(region, "survey", "competent", required=True)
    region.accept()
    region.refused("task.required", "case.decide", "spj", **region.decision())
    nothing = {"outcome": "not_granted", "valid_from": None, "valid_to": None}
    region.accepted("case.decide", "spj", **region.decision(**nothing))


def test_an_open_task_must_end_even_if_not_required(region: Region) -> None:
    opened(region)
    region.refused("task.required", "case.decide", "spj", **region.decision())
    region.accepted("task.drop", "spj", **region.case(task="1", on="2026-02-06", reason="不需要"))
    region.accepted("case.decide", "spj", **region.decision())


@pytest.mark.parametrize(("work", "manner"), [("papers", "lacking"), ("commitment", "commitment")])
def test_what_is_left_for_afterwards_is_said_and_stays_open(region: Region, work: str, manner: str) -> None:
    """容缺 and 告知承诺 (domain notes §4.13)."""
    on_record(region, work, "approval")
    region.accept()
    region.refused("decision.manner", "case.decide", "spj", **region.decision(manner=manner))
    region.accepted("task.open", "spj", **task(region, "1", work, due_on="2026-03-20"))
    if work == "papers":
        region.refused("decision.manner", "case.decide", "spj", **region.decision())
    [decided, *told] = region.accepted("case.decide", "spj", **region.decision(manner=manner))
    assert decided.manner == manner  # type: ignore[attr-defined]
    assert len(owed(told)) == 2
    assert tasks_of(region).tasks["1"].open
    late = RESULT | {"began_at": "2026-02-11T09:00:00+08:00", "ended_at": "2026-02-20T09:00:00+08:00"}
    region.accepted("task.complete", "spj", **region.case(task="1", **late))
    assert pauses(tasks_of(region).tasks.values()) == []


def test_the_matter_says_whether_such_decisions_are_told(region: Region) -> None:
    entry = {"code": MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法", "push_lacking": False}
    region.accepted("matter.register", "sgb", entry=entry)
    on_record(region, "papers", "approval")
    region.accept()
    region.accepted("task.open", "spj", **task(region, "1", "papers", due_on="2026-03-20"))
    assert owed(region.accepted("case.decide", "spj", **region.decision(manner="lacking"))) == []
    region.accept("2")
    ended = {"outcome": "discontinued", "valid_from": None, "valid_to": None}
    assert owed(region.accepted("case.decide", "spj", **region.decision("2", **ended))) == []
    region.accepted("matter.register", "sgb", entry=entry | {"push_discontinued": True})
    region.accept("3")
    assert len(owed(region.accepted("case.decide", "spj", **region.decision("3", **ended)))) == 2
