"""What if: the same clocks under another limit or calendar, and what would be different.

Nothing is recorded. A copy of the registers takes in what is supposed, and every clock is reckoned once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime

from domain.calendars import CalendarYear
from domain.clocks import ClockKind, Due, TimeLimit, reckon
from domain.entries import entry_stream
from domain.event import Meta
from domain.registering import EntryRegistered
from domain.registers import Registers


@dataclass(frozen=True, slots=True)
class Past:
    """A clock as it ran: since when, until when by the rules, `extra` working days beyond them, until it was `held`."""

    subject: str
    kind: ClockKind
    department: str
    matter: str
    since: date
    due_on: date | None
    extra: int
    held: date | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A clock that would be due on another day, and whether it was overdue, and would be: null where none can say."""

    past: Past
    due: Due
    was_overdue: bool | None
    would_be_overdue: bool | None


def suppose(registers: Registers, entries: Iterable[TimeLimit | CalendarYear], since: date) -> Registers:
    """The registers as they would be if these had held since a day, whatever is on record from then on."""
    supposed = deepcopy(registers)
    for entry in entries:
        stream = entry_stream(entry.kind, entry.key())
        versions = supposed.entries.get(entry.kind, {}).get(entry.key(), [])
        version = max((one.number for one in versions), default=0)
        versions[:] = [one for one in versions if one.since < since]
        meta = Meta(source="whatif", id="whatif", principal="whatif", auth="none", occurred_at=datetime.now(UTC))
        supposed.evolve(
            EntryRegistered(
                originator_id=stream,
                originator_version=version + 1,
                meta=meta,
                entry=entry,
                valid_from=since,
                basis="whatif",
            )
        )
    return supposed


def differences(clocks: Iterable[Past], registers: Registers, supposed: Registers, today: date) -> Iterator[Difference]:
    """Those that would be due on another day, and that because of what is supposed."""
    for past in clocks:
        due = _due(past, supposed)
        if due.on not in (past.due_on, _due(past, registers).on):
            until = past.held or today
            was = None if past.due_on is None else until > past.due_on
            yield Difference(past, due, was, None if due.on is None else until > due.on)


def _due(past: Past, registers: Registers) -> Due:
    region = registers.departments[past.department].region
    if not past.extra:
        return registers.due(past.kind, past.since, region=region, matter=past.matter)
    rule = registers.limit(past.kind, past.since, region, past.matter)
    assert rule is not None
    return reckon(registers.calendar, past.since, rule.days + past.extra, rule.yellow, rule.name, rule.document)
