"""Licences 证照 as a register: where each stands on a date, and who answers for its supervision (2.8a, 2.8b)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Literal, TypeVar

from domain.cases import CaseCorrected, CaseDecided
from domain.event import Recorded
from domain.lists import supervision_item
from domain.submissions import local_date

if TYPE_CHECKING:
    from domain.case_state import CaseState
    from domain.registers import Registers

LicenceStatus = Literal[
    "in_force", "not_yet", "expired", "suspended", "stopped", "penalised", "withdrawn", "revoked", "cancelled",
    "annulled",
]  # fmt: skip
"""有效, 未生效, 已过期, 暂扣, 停止执行, 已吊销, 撤回, 撤销, 注销, 复议或诉讼撤销."""
STANDING: frozenset[str] = frozenset({"in_force", "suspended", "stopped"})
"""Of these somebody must answer for the supervision."""


def licence_status(case: CaseState, on: date) -> LicenceStatus | None:
    """Where the permit stands on that date; None where there is none, or not yet.

    What the `approvals` read model is asked is the same, in SQL (`projections/licences.py`).
    """
    if case.outcome != "granted" or on.isoformat() < (case.decision["decided_on"] or ""):
        return None
    if case.ended is not None and case.ended[1] <= on:
        return case.ended[0]
    if case.penalised_on is not None and case.penalised_on <= on:
        return "penalised"
    covering = [one.by for one in case.suspensions if one.covers(on)]
    if covering:
        return "stopped" if "" in covering else "suspended"
    day = on.isoformat()
    if day < (case.decision["valid_from"] or ""):
        return "not_yet"
    return "expired" if day > (case.decision["valid_to"] or "9999") else "in_force"


def accountable(case: CaseState, registers: Registers, on: date) -> tuple[str, ...]:
    """Who answers for the permit's supervision: whoever holds its notices; where nobody was ever told, because it is
    stock or its matter was not transferred then, whoever is in charge of the matter on that date.

    Nobody does while the only holder disputes its duty, or has ceased and its notices have not passed on yet.
    """
    if case.holders:
        return tuple(h.department for h in case.holders if not h.disputed and not registers.ceased(h.department, on))
    return registers.in_charge(case.matter, on)


def supervision_basis(registers: Registers, matter: str, department: str, on: date) -> str:
    """On what legal basis a department supervises: that of its item in the supervision list, else of its being named
    for the matter, else the matter's own."""
    item = supervision_item(registers, matter, department, on)
    if item is not None:
        return item.legal_basis
    return registers.route_basis(matter, department, on) or registers.matters[matter].entry.legal_basis


E = TypeVar("E", bound=Recorded)


def true_at(events: Iterable[E], on: date) -> list[E]:
    """What of a case's history held in the world by the end of a day, by all that is known of it now.

    A fact holds from its own date on, or from the day it occurred on; a correction from the day of what it corrects.
    """
    known = list(events)
    decided: dict[str, date] = {}
    for event in (one.event for one in known):
        if isinstance(event, CaseDecided):
            decided[event.originator_id] = event.decided_on
        elif isinstance(event, CaseCorrected) and event.target == "decided_on":
            decided[event.originator_id] = date.fromisoformat(event.new)
    found = []
    for one in known:
        event = one.event
        if isinstance(event, (CaseDecided, CaseCorrected)):
            since = decided[event.originator_id]
        else:
            own = event.effective_on
            since = date.fromisoformat(own) if own else local_date(event.meta.occurred_at)
        if since <= on:
            found.append(one)
    return found
