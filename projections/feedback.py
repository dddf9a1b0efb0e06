"""Supervision feedback: which finding was answered how, and which waits for its answer (2.2e, 2.2f)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from domain.clock_state import ClockEvent, clock_stream
from domain.clocks import Due
from domain.event import Event, Recorded
from domain.supervision import FeedbackClosed, FeedbackDisposed, FeedbackRaised, FeedbackReplied
from projections.clocked import follow_clock, set_due
from projections.page import Slice, slice_after
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table
from projections.two_way import SINCE_KNOWN, of_party

PREFIX = "feedback/"
CLOCK = clock_stream(PREFIX)


@dataclass(slots=True)
class Thread:
    """A row; the columns are explained in feedback.sql."""

    stream: str
    department: str
    number: str
    case_stream: str
    matter: str
    organ: str
    found_on: date
    suggestion: str
    exchange: Json
    recorded_at: datetime
    last_position: int
    status: str = "open"
    outcome: str | None = None
    replies: int = 0
    disposed_at: datetime | None = None
    closed_at: datetime | None = None
    due_on: date | None = None
    yellow_on: date | None = None
    due_limit: str | None = None
    due_document: str | None = None
    due_calendar: str | None = None
    suspended_on: date | None = None
    extra: int = 0
    rungs: int = 0
    pressed_at: datetime | None = None


THREADS = Table("feedback", Thread)


class Feedback(Projection):
    name = "feedback"
    tables = ("feedback",)
    topics = topics_of("feedback.", "clock.")

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        mine = [one for one in events if one.event.originator_id.startswith((PREFIX, CLOCK))]
        threads = Fold(conn, THREADS, {(_thread(one.event),) for one in mine})
        for one in mine:
            stream = _thread(one.event)
            threads.rows[stream,] = _folded(threads.rows.get((stream,)), one)
        threads.save(bulk)


def _thread(event: Event) -> str:
    return event.originator_id.removeprefix(clock_stream(""))


def _folded(row: Thread | None, one: Recorded) -> Thread:
    event = one.event
    if isinstance(event, FeedbackRaised):
        return _raised(one, event)
    if row is None:
        raise KeyError(_thread(event))
    row.last_position = one.position
    match event:
        case FeedbackDisposed():
            row.status, row.outcome, row.disposed_at = "disposed", event.outcome, one.recorded_at
            _say(row, one, event.reason, event.outcome)
        case FeedbackReplied():
            row.status, row.replies = "open", row.replies + 1
            _say(row, one, event.detail)
            _run(row, event.due)
        case FeedbackClosed():
            row.status, row.closed_at = "closed", one.recorded_at
            _say(row, one)
        case ClockEvent():
            follow_clock(row, one)
    if isinstance(event, FeedbackDisposed | FeedbackReplied | FeedbackClosed):
        row.department, row.organ = event.department, event.organ
    return row


def _raised(one: Recorded, event: FeedbackRaised) -> Thread:
    row = Thread(
        stream=event.originator_id,
        department=event.department,
        number=event.number,
        case_stream=event.case,
        matter=event.matter,
        organ=event.organ,
        found_on=event.found_on,
        suggestion=event.suggestion,
        exchange=[],
        recorded_at=one.recorded_at,
        last_position=one.position,
    )
    _say(row, one, event.detail)
    _run(row, event.due)
    return row


def _say(row: Thread, one: Recorded, text: Any = None, outcome: str | None = None) -> None:
    meta = one.event.meta
    said = {
        "kind": one.event.TOPIC,
        "recorded_at": one.recorded_at,
        "occurred_at": meta.occurred_at,
        "department": meta.department,
        "officer": meta.officer.id if meta.officer else None,
        "officer_name": meta.officer.name if meta.officer else None,
        "outcome": outcome,
        "text": text,
    }
    row.exchange = [*row.exchange, said]


def _run(row: Thread, due: Due | None) -> None:
    """The clock begins; what was done with the one before is over."""
    row.due_on = row.yellow_on = row.due_limit = row.due_document = row.due_calendar = None
    row.suspended_on, row.extra, row.rungs, row.pressed_at = None, 0, 0, None
    if due is not None:
        set_due(row, due)


def thread_then(events: Iterable[Recorded]) -> dict[str, Any]:
    """The row of a thread as some of its events make it, its clock's among them, in log order."""
    row: Thread | None = None
    for one in events:
        row = _folded(row, one)
    assert row is not None
    return {field.name: getattr(row, field.name) for field in fields(row)}


def feedback_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    party: str | None = None,
    stream: str | None = None,
    department: str | None = None,
    organ: str | None = None,
    matter: str | None = None,
    case: str | None = None,
    suggestion: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    known_at: datetime | None = None,
) -> Slice:
    """Threads from the last raised on, by `recorded_at`; `party`: on cases to which that department is one.

    `known_at`: those that there were by a moment, on cases of which the party had heard by then.
    """
    conditions = {
        "stream = %s": stream,
        "department = %s": department,
        "organ = %s": organ,
        "matter = %s": matter,
        "case_stream = %s": case,
        "suggestion = %s": suggestion,
        "status = %s": status,
        "recorded_at >= %s": since,
        "recorded_at <= %s": known_at,
    }
    if party is None:
        return slice_after(conn, "read.feedback", conditions, ["recorded_at"], after, limit)
    conditions |= {"party = %s": party, SINCE_KNOWN.format("case_stream"): known_at}
    return slice_after(conn, of_party("feedback", "case_stream"), conditions, ["recorded_at"], after, limit)
