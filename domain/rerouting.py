"""Corrections that re-route: on another day, or of another matter, others had to hear of the decision."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from domain.case_state import CaseState
from domain.cases import Correctable
from domain.notices import Holder

if TYPE_CHECKING:
    from domain.registers import Registers


class Rerouted(NamedTuple):
    """As in `CaseCorrected`: the matter that is right, whose notices are superseded, who joins, and who leaves."""

    matter: str
    holders: tuple[Holder, ...]
    joining: tuple[str, ...]
    leaving: tuple[Holder, ...]


def reroute(state: CaseState, registers: Registers, target: Correctable, new: str, told_on: date) -> Rerouted:
    """What a correction of the case comes to. Who holds the case by a return or a ruling goes on holding it."""
    holders = tuple(one for one in state.holders if not one.disputed)
    matter = new if target == "matter" else state.matter
    decided_on = date.fromisoformat(state.decision["decided_on"] or "")
    new_day = date.fromisoformat(new) if target == "decided_on" else decided_on
    if state.legacy or (matter, new_day) == (state.matter, decided_on):
        return Rerouted(matter, holders, (), ())
    before = _routed(state, registers, state.matter, decided_on, told_on)
    after = _routed(state, registers, matter, new_day, told_on)
    leaving = tuple(one for one in holders if one.department in before and one.department not in after)
    kept = {one.department for one in state.holders} - {one.department for one in leaving}
    # Who was to hear of it already has, unless the registers learnt of it only afterwards, or has handed it on.
    joining = tuple(one for one in after if one not in kept and (one not in before or one not in state.told))
    return Rerouted(matter, tuple(one for one in holders if one not in leaving), joining, leaving)


def _routed(state: CaseState, registers: Registers, matter: str, on: date, told_on: date) -> tuple[str, ...]:
    if not registers.matters[matter].entry.tells(state.outcome, state.manner):
        return ()
    return tuple(one.department for one in registers.supervisors(matter, on, told_on))
