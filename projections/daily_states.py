"""What the daily counters must know of notices and feedback in order to count later facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection

from projections.table import Table


@dataclass(slots=True)
class Notice:
    """What later facts must know of a notice."""

    notice: str
    department: str
    serial: int
    about: str
    matter: str
    root: str
    case_stream: str
    owed_on: date
    dispatch_by: date | None
    due_on: date | None
    first_due_on: date | None
    undated: bool = False
    dispatched: bool = False
    received_on: date | None = None
    receipt_days: int | None = None
    deemed: bool = False
    fed_back: bool = False
    moved_on: date | None = None
    closed_on: date | None = None

    @property
    def fallen_due(self) -> tuple[date, bool, bool] | None:
        """The last day in time; whether it was received by then; whether it was ended late. Nothing where no clock runs
        or it went to another before: overdue belongs to whoever holds it then."""
        if self.due_on is None or (self.moved_on is not None and self.moved_on <= self.due_on):
            return None
        in_time = self.received_on is not None and self.received_on <= self.due_on
        ended = self.received_on is not None or self.deemed or self.moved_on is not None
        return self.due_on, in_time, ended and not in_time


@dataclass(slots=True)
class Feedback:
    """What later facts must know of a feedback."""

    stream: str
    department: str
    matter: str
    case_stream: str
    supervisor: str
    raised_on: date
    answer_by: date | None
    answered_on: date | None = None
    open: bool = True

    @property
    def fallen_due(self) -> tuple[date, bool] | None:
        """The last day in time; whether the first answer came by then."""
        if self.answer_by is None:
            return None
        return self.answer_by, self.answered_on is not None and self.answered_on <= self.answer_by


@dataclass(slots=True)
class DueThen:
    """That from a day on a notice was due on another one, or on none."""

    notice: str
    day: date
    department: str
    due_on: date | None


NOTICES = Table("daily_notices", Notice)
DUES = Table("daily_dues", DueThen, key_size=2)
FEEDBACK = Table("daily_feedback", Feedback)


def held(conn: Connection[Any], pairs: Iterable[tuple[str, str]]) -> set[str]:
    """The notices of earlier batches by which these departments hold these cases."""
    query = "SELECT n.notice FROM daily_notices AS n JOIN unnest(%b::text[], %b::text[]) AS p (case_stream, department)"
    rows = _of_pairs(
        conn, f"{query} USING (case_stream, department) WHERE root = 'decision' AND moved_on IS NULL", pairs
    )
    return {notice for (notice,) in rows}


def fed_back(conn: Connection[Any], pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these cases and departments those with feedback in earlier batches."""
    query = "SELECT f.case_stream, f.supervisor FROM daily_feedback AS f"
    query += " JOIN unnest(%b::text[], %b::text[]) AS p (case_stream, supervisor) USING (case_stream, supervisor)"
    return {(case, supervisor) for case, supervisor in _of_pairs(conn, query, pairs)}


def _of_pairs(conn: Connection[Any], query: str, pairs: Iterable[tuple[str, str]]) -> list[Any]:
    wanted = sorted(pairs)
    if not wanted:
        return []
    columns = [[pair[0] for pair in wanted], [pair[1] for pair in wanted]]
    return conn.execute(query, columns, binary=True, prepare=True).fetchall()
