"""A log's signatures and registers, judged again from its events alone."""

from __future__ import annotations

from collections.abc import Iterable

from domain.event import Event, Recorded
from domain.notices import NoticeOwed, notice_stream
from domain.recheck import Problem
from domain.registers import Registers
from domain.signing_check import SigningCheck


def signing_problems(log: Iterable[Recorded], before: Iterable[Event] = ()) -> list[Problem]:
    """`before`: what is to have been in the registers when the log began."""
    registers, check = Registers(), SigningCheck()
    for event in before:
        registers.evolve(event)
    owed: dict[str, NoticeOwed] = {}
    found: list[Problem] = []
    for one in log:
        found += check.take(one, registers, owed.get(one.event.originator_id))
        registers.evolve(one.event)
        if isinstance(one.event, NoticeOwed):
            owed[notice_stream(one.event.notice)] = one.event
    return [*found, *check.finish()]
