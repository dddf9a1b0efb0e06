"""Blanks 空白证照 of a series of the case's own (2.5).

The approval department does all of it but the assistance, which is still due however early or late it comes: for only a
part of what was asked for is received.
"""

from __future__ import annotations

from typing import Any

from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.offices import HIGHER
from infra.generator.scenario import scenario

_FIRST = 2025_0001


def _say(case: Case, type_: str, data: dict[str, Any], **options: Any) -> Arrival:
    return case.send(f"blanks.{type_}", case.organ, {"series": _series(case), **data}, **options)


def _series(case: Case) -> str:
    return f"KB{case.index:07d}"


def _issue(case: Case, serial: int, **options: Any) -> Arrival:
    return _say(case, "use", {"serial_number": serial, "fate": "issued", "number": case.number}, **options)


def _receive_all(case: Case) -> None:
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario(0.2)
def blanks_from_above(case: Case) -> None:
    """Asked for from the higher authority with the competent department's help, received in part, used."""
    _say(case, "request", {"certificate": case.item.kind.certificate, "copies": 200, "to": HIGHER})
    said = {"requester": case.organ, "series": _series(case)}
    case.send("blanks.assist", case.competent, said)
    case.wait(3, 6)
    _say(case, "receive", {"first": _FIRST, "copies": 120})
    case.grant(electronic=True)
    _say(case, "use", {"serial_number": _FIRST, "fate": "spoiled"})
    _issue(case, _FIRST + 1)
    _receive_all(case)


@scenario(0.2)
def blanks_printed(case: Case) -> None:
    """Printed by the department itself, and used; no number twice, and none that there is not."""
    run = {"certificate": case.item.kind.certificate, "first": _FIRST, "copies": 50}
    _say(case, "print", run)
    _say(case, "print", {**run, "first": _FIRST + 49}, expect="refused", rule="blanks.twice")
    case.grant()
    _issue(case, _FIRST)
    _issue(case, _FIRST, expect="refused", rule="blanks.used")
    _issue(case, _FIRST + 50, expect="refused", rule="blanks.unknown")
    _say(case, "use", {"serial_number": _FIRST + 1, "fate": "voided"})
    _receive_all(case)
