"""The flow of notices day by day, over the daily counters (2.2k)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

SHOWN = ("owed", "dispatched", "received", "returned", "feedback_raised")


def by_day(conn: Connection[Any], until: date, days: int) -> dict[date, Mapping[str, int]]:
    """What was recorded on each of the last days, days without anything too. A receipt whose notice moved later counts
    against the day of the move."""
    first = until - timedelta(days=days - 1)
    sums = ", ".join(f"sum({name})::int8 AS {name}" for name in SHOWN)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT day, {sums} FROM read.daily_days WHERE day BETWEEN %s AND %s AND NOT falls"
            " AND department <> '' GROUP BY day",
            (first, until),
        ).fetchall()
    found = {row.pop("day"): row for row in rows}
    nothing = dict.fromkeys(SHOWN, 0)
    return {day: found.get(day, nothing) for day in (first + timedelta(days=n) for n in range(days))}
