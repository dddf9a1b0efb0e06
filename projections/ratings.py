"""Ratings by level, the rate of bad ones, and how many of those were contacted, put right, asked again about (3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row

from domain.clock_state import ClockEvent, ClockExtended, ClockRecomputed, ClockResumed, ClockSuspended
from domain.clocks import Due
from domain.event import Event, Recorded
from domain.ratings import (
    BAD,
    RatingAppealDecided,
    RatingAppealed,
    RatingContacted,
    RatingEvent,
    RatingRecorded,
    RatingRectified,
    RatingRevisited,
)
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table


@dataclass(slots=True)
class Rating:
    """A row; the columns are explained in ratings.sql."""

    stream: str
    department: str
    number: str
    service: str
    case_stream: str | None
    matter: str | None
    level: int
    tags: Json | None
    comment: Json | None
    window: str | None
    rated_at: datetime
    recorded_at: datetime
    position: int
    last_position: int
    contacted_at: datetime | None = None
    finding: str | None = None
    complexity: str | None = None
    contact_due: date | None = None
    contact_suspended_on: date | None = None
    contact_recorded_at: datetime | None = None
    rectified_on: date | None = None
    rectify_due: date | None = None
    rectify_suspended_on: date | None = None
    rectified_recorded_at: datetime | None = None
    revisited_on: date | None = None
    satisfied: bool | None = None
    revisit_due: date | None = None
    revisit_suspended_on: date | None = None
    revisited_recorded_at: datetime | None = None
    appealed_recorded_at: datetime | None = None
    appeal: str | None = None
    appeal_recorded_at: datetime | None = None


RATINGS = Table("ratings", Rating)


class Ratings(Projection):
    name = "ratings"
    tables = ("ratings",)
    topics = topics_of("rating.", "clock.")

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        rows = Fold(conn, RATINGS, {(stream,) for one in events if (stream := _rating(one.event)) is not None})
        for one in events:
            if isinstance(one.event, RatingRecorded):
                rows.rows[one.event.originator_id,] = _recorded(one, one.event)
            elif (stream := _rating(one.event)) is not None:
                _follow(rows.rows[stream,], one)
        rows.save(bulk)


def _rating(event: Event) -> str | None:
    """The rating that it belongs to; what happens to a clock of one belongs to it too."""
    if isinstance(event, ClockEvent) and event.clock.startswith("rating/"):
        return event.clock.rpartition("/")[0]
    return event.originator_id if isinstance(event, RatingEvent) else None


def _on(due: Due | None) -> date | None:
    return due.on if due is not None else None


def _recorded(one: Recorded, event: RatingRecorded) -> Rating:
    return Rating(
        stream=event.originator_id,
        department=event.organ,
        number=event.number,
        service=event.service,
        case_stream=event.case or None,
        matter=event.matter or None,
        level=event.level,
        tags=event.tags,
        comment=event.comment,
        window=event.window,
        rated_at=event.rated_at,
        recorded_at=one.recorded_at,
        position=one.position,
        last_position=one.position,
        contact_due=_on(event.due),
    )


def _follow(row: Rating, one: Recorded) -> None:
    event = one.event
    row.last_position = one.position
    match event:
        case RatingContacted():
            row.contacted_at, row.contact_recorded_at = event.contacted_at, one.recorded_at
            row.finding, row.complexity = event.finding, event.complexity
            row.rectify_due = _on(event.due)
        case RatingRectified():
            row.rectified_on, row.rectified_recorded_at = event.on, one.recorded_at
            row.revisit_due = _on(event.due)
        case RatingRevisited():
            row.revisited_on, row.revisited_recorded_at = event.on, one.recorded_at
            row.satisfied = event.satisfied
        case RatingAppealed():
            row.appealed_recorded_at = one.recorded_at
        case RatingAppealDecided():
            row.appeal, row.appeal_recorded_at = event.outcome, one.recorded_at
        case ClockEvent():
            _clocked(row, event, event.clock.rpartition("/")[2])


def _clocked(row: Rating, event: ClockEvent, stage: str) -> None:
    match event:
        case ClockSuspended():
            setattr(row, f"{stage}_suspended_on", event.on)
        case ClockResumed():
            setattr(row, f"{stage}_suspended_on", None)
            setattr(row, f"{stage}_due", _on(event.due))
        case ClockExtended() | ClockRecomputed():
            setattr(row, f"{stage}_due", _on(event.due))


By = Literal["department", "matter", "month"]
_GROUPS: dict[By, str] = {
    "department": "department",
    "matter": "coalesce(matter, '')",
    "month": "to_char(rated_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')",
}
_KNOWN = """(SELECT r.*, appeal = 'excluded' AND appeal_recorded_at <= {t} AS excluded,
    contact_recorded_at <= {t} AS contacted, rectified_recorded_at <= {t} AS rectified,
    revisited_recorded_at <= {t} AS revisited, appealed_recorded_at <= {t} AS appealed,
    appeal_recorded_at <= {t} AS judged FROM read.ratings AS r WHERE recorded_at <= {t}) AS k"""
"""What was known of each at a moment; a step that was not yet recorded is none."""


_STEPS = (
    ("contacted", "(contacted_at AT TIME ZONE 'Asia/Shanghai')::date", "contact"),
    ("rectified", "rectified_on", "rectify"),
    ("revisited", "revisited_on", "revisit"),
)
"""What became of a bad rating, on which day, and by which clock; while that stood still no day went by."""


def rating_figures(
    conn: Connection[Any],
    by: By,
    *,
    department: str | None,
    matter: str | None,
    since: datetime | None,
    until: datetime | None,
    known_at: datetime | None,
) -> list[dict[str, Any]]:
    """Per department, matter or month: all that count, by level; the bad ones and how far they have come. Those that
    were excluded are counted apart."""
    known = _KNOWN.format(t="coalesce(%(known)s, 'infinity'::timestamptz)")
    levels = ", ".join(f"count(*) FILTER (WHERE counts AND level = {n}) AS level_{n}" for n in range(5, 0, -1))
    bad = f"counts AND level <= {BAD}"
    steps = ", ".join(
        f"count(*) FILTER (WHERE {bad} AND {name}) AS {name},"
        f" count(*) FILTER (WHERE {bad} AND {name} AND least({day}, {clock}_suspended_on) <= {clock}_due)"
        f" AS {name}_in_time"
        for name, day, clock in _STEPS
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f'SELECT {_GROUPS[by]} AS "group", count(*) FILTER (WHERE counts) AS total, {levels},'
            f" count(*) FILTER (WHERE {bad}) AS bad, {steps},"
            f" count(*) FILTER (WHERE {bad} AND revisited AND satisfied) AS satisfied,"
            " count(*) FILTER (WHERE appealed) AS appealed, count(*) FILTER (WHERE NOT counts) AS excluded"
            f" FROM (SELECT *, NOT coalesce(excluded, false) AS counts FROM {known}) AS c"
            " WHERE department = coalesce(%(department)s, department)"
            " AND coalesce(matter, '') = coalesce(%(matter)s, matter, '')"
            " AND rated_at >= coalesce(%(since)s, '-infinity'::timestamptz)"
            " AND rated_at <= coalesce(%(until)s, 'infinity'::timestamptz)"
            " GROUP BY 1 ORDER BY 1",
            {"known": known_at, "department": department, "matter": matter, "since": since, "until": until},
        ).fetchall()


def find_ratings(
    conn: Connection[Any],
    *,
    department: str | None = None,
    matter: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    bad: bool = False,
    known_at: datetime | None = None,
    limit: int = 50,
) -> Page:
    """Ratings, the latest first, excluded ones too; `contacted`, `rectified` … say which steps were known."""
    conditions = _conditions(department, matter, since, until, bad)
    return page(conn, _known_at(known_at), conditions, "rated_at DESC, position DESC", limit)


RATINGS_KEY = ("rated_at", "position")


def ratings_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    department: str | None,
    matter: str | None,
    since: datetime | None,
    until: datetime | None,
    bad: bool,
    known_at: datetime | None,
) -> Slice:
    """As `find_ratings`, after a key."""
    conditions = _conditions(department, matter, since, until, bad)
    return slice_after(conn, _known_at(known_at), conditions, RATINGS_KEY, after, limit)


def _known_at(moment: datetime | None) -> str:
    text = "'infinity'" if moment is None else f"'{moment.isoformat()}'"
    return _KNOWN.format(t=f"{text}::timestamptz")


def _conditions(
    department: str | None, matter: str | None, since: datetime | None, until: datetime | None, bad: bool
) -> dict[str, Any]:
    return {
        "department = %s": department,
        "matter = %s": matter,
        "rated_at >= %s": since,
        "rated_at <= %s": until,
        f"level <= {BAD}": bad or None,
    }
