"""What is to be done by a day, beside notices and cases: findings to be answered, tasks to be carried out, bad ratings
to be followed up (2.2j, 3.3b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from domain.clock_state import ClockEvent
from domain.clocks import ClockKind
from domain.consultations import (
    ConsultationAnswered,
    ConsultationAsked,
    ConsultationAskedAgain,
    ConsultationClosed,
)
from domain.event import Event, Recorded
from domain.ladders import NAMED
from domain.ratings import (
    STAGES,
    Complexity,
    RatingAppealDecided,
    RatingContacted,
    RatingEvent,
    RatingRecorded,
    RatingRectified,
    RatingRevisited,
    Stage,
    stage_clock,
)
from domain.submissions import local_date
from domain.supervision import FeedbackClosed, FeedbackDisposed, FeedbackRaised, FeedbackReplied
from domain.tasks import TaskCompleted, TaskDropped, TaskOpened
from domain.whatif import Past
from projections.clocked import follow_clock, set_due
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table


@dataclass(slots=True)
class Running:
    """A row; the columns are explained in clocks.sql."""

    subject: str
    kind: str
    department: str
    case_stream: str
    matter: str
    since: date
    last_position: int
    due_on: date | None = None
    yellow_on: date | None = None
    due_limit: str | None = None
    due_document: str | None = None
    due_calendar: str | None = None
    owing: Json | None = None
    ended_on: date | None = None
    suspended_on: date | None = None
    extra: int = 0
    rungs: int = 0
    pressed_at: datetime | None = None


CLOCKS = Table("clocks", Running)


class Clocks(Projection):
    name = "clocks"
    tables = ("clocks",)
    topics = topics_of("clock.", "feedback.", "consultation.", "task.", "rating.")

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        of = [(one, subject) for one in events for subject in _subjects(one.event)]
        clocks = Fold(conn, CLOCKS, {(subject,) for _, subject in of})
        for one, subject in of:
            if begun := _begun(one, subject):
                clocks.rows[subject,] = begun
            elif (row := clocks.rows.get((subject,))) is not None:
                _follow(row, one)
        clocks.save(bulk)


def _subjects(event: Event) -> tuple[str, ...]:
    """Whose clocks the event is about; none where another read model shows them."""
    match event:
        case TaskOpened() | TaskCompleted() | TaskDropped():
            return (f"{event.originator_id}/{event.task}",)
        case ClockEvent():
            return () if event.clock.startswith(("notice/", "case/")) else (event.clock,)
        case RatingEvent():
            return tuple(f"{event.originator_id}/{stage}" for stage in STAGES)
    return (event.originator_id,)


def _begun(one: Recorded, subject: str) -> Running | None:
    event = one.event
    match event:
        case FeedbackRaised() | FeedbackReplied() if event.due is not None:
            row = _row(one, subject, "reply", event.organ, event.case, event.matter, event.due.since)
            set_due(row, event.due)
            return row
        case ConsultationAsked() | ConsultationAskedAgain() if event.due is not None:
            row = _row(one, subject, "consultation", event.to, event.case, event.matter, event.due.since)
            set_due(row, event.due)
            return row
        case RatingRecorded() | RatingContacted() | RatingRectified() if event.due is not None:
            stage: Stage = "contact" if isinstance(event, RatingRecorded) else "revisit"
            complexity: Complexity = "simple"
            if isinstance(event, RatingContacted):
                stage, complexity = "rectify", event.complexity
            if not subject.endswith(f"/{stage}"):
                return None
            kind = stage_clock(stage, complexity)
            row = _row(one, subject, kind, event.organ, event.case, event.matter, event.due.since)
            set_due(row, event.due)
            return row
        case TaskOpened() if event.due is not None:
            row = _row(one, subject, "task", event.parties[0], event.case, event.matter, event.due.since)
            set_due(row, event.due)
            row.owing = list(event.parties)
            return row
    return None


def _row(one: Recorded, subject: str, kind: ClockKind, department: str, case: str, matter: str, since: date) -> Running:
    return Running(subject, kind, department, case, matter, since, one.position)


def _follow(row: Running, one: Recorded) -> None:
    event, on = one.event, local_date(one.recorded_at)
    row.last_position = one.position
    match event:
        case FeedbackDisposed() | FeedbackClosed() | TaskDropped() | ConsultationAnswered() | ConsultationClosed():
            row.ended_on = row.ended_on or on
        case TaskCompleted():
            row.owing = [party for party in row.owing or () if party != event.department]
            if not row.owing:
                row.ended_on = local_date(event.ended_at)
        case RatingContacted() if row.subject.endswith("/contact"):
            row.ended_on = local_date(event.contacted_at)
        case RatingRectified() if row.subject.endswith("/rectify"):
            row.ended_on = event.on
        case RatingRevisited() if row.subject.endswith("/revisit"):
            row.ended_on = event.on
        case RatingAppealDecided() if event.outcome == "excluded":
            row.ended_on = row.ended_on or on
        case ClockEvent():
            follow_clock(row, one)


def running_after(conn: Connection[Any], due_by: date | None, after: str, limit: int) -> list[str]:
    """Subjects whose clock runs, by name, after one of them: of those that are due by a day, or of all, those of which
    nobody knows the day among them."""
    rows = conn.execute(
        "SELECT subject FROM read.clocks WHERE ended_on IS NULL AND (%s::date IS NULL OR due_on <= %s)"
        " AND subject > %s ORDER BY subject LIMIT %s",
        (due_by, due_by, after, limit),
    )
    return [row[0] for row in rows]


def past_clocks(conn: Connection[Any], since: date, until: date, department: str | None) -> list[Past]:
    """Every clock that began between two days and goes by a limit, with what became of it."""
    rows = conn.execute(
        "SELECT subject, kind, department, matter, since, due_on, extra, ended_on FROM read.clocks"
        " WHERE since BETWEEN %s AND %s AND department = coalesce(%s, department) AND kind <> ALL(%s)"
        " ORDER BY since, subject",
        (since, until, department, list(NAMED)),
    )
    return [Past(*row) for row in rows]
