"""Inspections of permits' holders (2.8c), and what supervision comes to in the end.

An inspection waits for the decision, and is its department's own; what follows it waits for it. Nothing is returned in
these cases, so who supervises them is sure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.scenario import scenario


def _inspect(case: Case, number: str, type_: str, department: str, result: str = "passed", **options: Any) -> Arrival:
    officer = case.registry.officer(case.rng, department)
    said = {
        "number": number,
        "case_organ": case.organ,
        "case_number": case.number,
        "item": f"1{int(case.item.code[-6:-3]):013d}",
        "checklist": f"{case.registry.departments[department].uscc}3{case.item.code[-12:]}",
        "form": "on_site",
        "category": case.rng.choice(("routine", "random", "key")),
        "manner": "visit",
        "result": result,
        "inspectors": [{"name": officer["name"], "certificate": f"05{case.item.league.code}{officer['id']}"}],
        "inspected_at": (case.now - timedelta(hours=1)).isoformat(),
        "finding": f"对{case.party['name']}的现场检查",
    }
    return case.send(f"inspection.{type_}", department, said, **options)


def _retract(case: Case, number: str, department: str) -> None:
    case.send("inspection.retract", department, {"number": number, "reason": "误报其他企业的检查"})


def _number(case: Case) -> str:
    return f"JC{case.index:07d}{len(case.arrivals):02d}"


@scenario(0.2)
def inspected(case: Case) -> None:
    """Inspected, the record put right, another retracted; what was found comes back as feedback and is disposed of."""
    case.grant(electronic=True)
    supervisor = case.told[0].addressee
    for notice in case.told:
        case.receive(notice)
        case.take(notice)
    case.wait(20, 50)
    first, second = _number(case), f"{_number(case)}F"
    _inspect(case, first, "report", supervisor)
    _inspect(case, second, "report", supervisor)
    case.wait(1, 3)
    _inspect(case, first, "correct", supervisor, "rectify")
    _retract(case, second, supervisor)
    finding = case.feedback(supervisor, "rectify")
    case.receive(case.notices[-1])
    case.dispose(finding)
    case.receive(case.notices[-1])


@scenario(0.2)
def wrong_inspection(case: Case) -> None:
    """By the approver (1.1c), by one who was not told, of a number that was reported, of one that was retracted."""
    case.grant()
    supervisor = case.told[0].addressee
    case.receive(case.told[0])
    case.wait(20, 50)
    number = _number(case)
    _inspect(case, number, "report", case.organ, expect="refused", rule="supervision.by_approver")
    _inspect(case, number, "report", case.others()[0], expect="refused", rule="supervision.not_addressee")
    _inspect(case, number, "report", supervisor)
    _inspect(case, number, "report", supervisor, expect="refused", rule="inspection.exists")
    _retract(case, number, supervisor)
    _inspect(case, number, "correct", supervisor, expect="refused", rule="inspection.retracted")
