"""Associated work and the other tasks of a case (2.3).

A decision is refused, not parked, where a result that it needs is still to come. So what must precede a decision is
either the deciding department's own, or comes through the platform in one order with it; what a decision leaves for
afterwards stays open until that department has done its own part after it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.offices import PLATFORM_PRINCIPAL
from infra.generator.scenario import scenario


def _open(case: Case, work: str, *asked: str, **options: Any) -> Arrival:
    """The deciding department asks for work; `asked` are the others that must hear of it."""
    said = {
        **case.key_of_case,
        "task": f"RW{len(case.arrivals):02d}",
        "work": work,
        "opened_on": case.today,
        "due_on": case.day(30),
    }
    fact = case.send("task.open", case.organ, said, **options)
    for department in asked:
        case.owe(department, fact, "task")
    return fact


def _complete(case: Case, task: Arrival, department: str, result: str = "passed", **options: Any) -> Arrival:
    """A party hands in its result; the deciding department hears of another's."""
    case.wait(1, 4)
    said = {
        **case.key_of_case,
        "task": task.data["task"],
        "began_at": (case.now - timedelta(minutes=50)).isoformat(),
        "ended_at": (case.now - timedelta(minutes=10)).isoformat(),
        "result": result,
        "conclusion": "符合要求" if result == "passed" else "现场条件不符合要求",
        "signers": [case.registry.officer(case.rng, department)],
    }
    fact = case.send("task.complete", department, said, **options)
    if fact.disposition == "accepted" and department != case.organ:
        case.owe(case.organ, fact, "task_result")
    return fact


def _receive_all(case: Case) -> None:
    case.wait(1, 3)
    for notice in case.notices:
        case.receive(notice)


@scenario(0.2, stands="surveyed")
def surveyed(case: Case) -> None:
    """Nothing is granted without the survey on record, which both sides carry out. Through the platform."""
    case.through = PLATFORM_PRINCIPAL
    case.accept()
    case.wait(1, 3)
    case.decide(expect="refused", rule="task.required")
    survey = _open(case, "survey", case.competent)
    _complete(case, survey, case.competent)
    _complete(case, survey, case.organ)
    case.wait(1, 3)
    case.decide()
    case.seal()
    case.licence(electronic=True)
    _receive_all(case)


@scenario(0.2, stands="worked")
def survey_failed(case: Case) -> None:
    """The competent department's survey fails, an expert review is no longer wanted: not granted, which waits for no
    result.
    """
    case.accept()
    case.wait(1, 3)
    survey = _open(case, "survey", case.competent)
    review = _open(case, "expert_review", case.competent)
    case.wait(1, 4)
    said = {**case.key_of_case, "task": review.data["task"], "on": case.today, "reason": "勘验未通过，无须再论证"}
    dropped = case.send("task.drop", case.organ, said)
    case.owe(case.competent, dropped, "task_dropped")
    _complete(case, survey, case.competent, "failed")
    case.wait(1, 3)
    case.decide({"outcome": "not_granted"})
    _receive_all(case)


@scenario(0.5, stands="worked")
def left_for_later(case: Case) -> None:
    """告知承诺 or 容缺: granted while a task is open, whose result comes afterwards."""
    case.accept()
    case.wait(1, 3)
    if case.turn % 2:
        task = _open(case, "papers")
        case.decide({"manner": "lacking"})
    else:
        task = _open(case, "commitment", case.competent)
        case.decide({"manner": "commitment"})
        _complete(case, task, case.competent)
    case.seal()
    case.licence(electronic=True)
    case.wait(5, 20)
    _complete(case, task, case.organ)
    _receive_all(case)


@scenario(0.2, stands="worked")
def wrong_task(case: Case) -> None:
    """Work that is no longer on record, a stranger's result, a decision before the result, a result twice."""
    case.accept()
    case.wait(1, 3)
    _open(case, "testing", expect="refused", rule="task.not_on_record")
    review = _open(case, "technical_review")
    case.decide(expect="refused", rule="task.required")
    _complete(case, review, case.others()[0], expect="refused", rule="task.not_party")
    _complete(case, review, case.organ)
    _complete(case, review, case.organ, expect="refused", rule="task.done")
    case.decide()
    case.seal()
    _receive_all(case)
