"""What rows of several read models have in common: a day until when something is to be done, and what became of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from domain.clock_state import (
    ClockEscalated,
    ClockExtended,
    ClockRecomputed,
    ClockReminded,
    ClockResumed,
    ClockSuspended,
)
from domain.clocks import Due
from domain.event import Recorded


class Clocked(Protocol):
    """A row with these columns; they are explained in clocks.sql."""

    due_on: date | None
    yellow_on: date | None
    due_limit: str | None
    due_document: str | None
    due_calendar: str | None
    suspended_on: date | None
    extra: int
    rungs: int
    pressed_at: datetime | None


def set_due(row: Clocked, due: Due) -> None:
    row.due_on, row.yellow_on = due.on, due.yellow
    row.due_limit, row.due_document, row.due_calendar = due.limit, due.document, due.calendar


def follow_clock(row: Clocked, one: Recorded) -> None:
    """What the event did to the row's clock, if anything."""
    event = one.event
    match event:
        case ClockSuspended():
            row.suspended_on = event.on
        case ClockResumed():
            row.suspended_on, row.extra = None, row.extra + event.days
            set_due(row, event.due)
        case ClockExtended():
            row.extra += event.days
            set_due(row, event.due)
        case ClockRecomputed():
            set_due(row, event.due)
        case ClockReminded() | ClockEscalated():
            row.rungs, row.pressed_at = row.rungs + 1, one.recorded_at
