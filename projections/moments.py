"""The moments of a case's record: for going through it in time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from psycopg import Connection

_OF = "FROM read.two_way WHERE case_stream = %s"


def days_of(conn: Connection[Any], case: str) -> list[tuple[date, int]]:
    """On which days (Beijing) something was recorded about it, and how many steps each."""
    rows = conn.execute(
        f"SELECT (recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day, count(*) {_OF} GROUP BY 1 ORDER BY 1", (case,)
    ).fetchall()
    return [(day, count) for day, count in rows]


def moment_of(conn: Connection[Any], case: str, number: int) -> datetime | None:
    """When the step of that number was recorded, the first being 1; of a number beyond the last step, none."""
    row = conn.execute(
        f"SELECT recorded_at {_OF} ORDER BY position OFFSET %s LIMIT 1", (case, max(number - 1, 0))
    ).fetchone()
    return None if row is None else row[0]


def number_at(conn: Connection[Any], case: str, moment: datetime) -> int:
    """How many steps were recorded by then."""
    row = conn.execute(f"SELECT count(*) {_OF} AND recorded_at <= %s", (case, moment)).fetchone()
    assert row is not None
    return int(row[0])
