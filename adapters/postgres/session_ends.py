"""The table of sessions that were ended before their time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection


class SessionEnd(NamedTuple):
    """`whose`: as `adapters.http.sessions` names sessions; of what began after `at` it says nothing, and `until` then
    all that it speaks of is over anyway."""

    whose: str
    at: datetime
    until: datetime


def end(conn: Connection[Any], whose: str, until: datetime) -> None:
    """From now on; what is no longer needed is forgotten."""
    conn.execute("DELETE FROM shenguan.session_end WHERE until < clock_timestamp()")
    conn.execute(
        "INSERT INTO shenguan.session_end AS known (whose, at, until) VALUES (%s, clock_timestamp(), %s)"
        " ON CONFLICT (whose) DO UPDATE SET at = excluded.at, until = greatest(known.until, excluded.until)",
        (whose, until),
    )


def ended_since(conn: Connection[Any], since: datetime | None) -> list[SessionEnd]:
    """Those from a moment on; None: all."""
    rows = conn.execute(
        "SELECT whose, at, until FROM shenguan.session_end"
        " WHERE at >= coalesce(%s, '-infinity'::timestamptz) AND until > clock_timestamp()",
        (since,),
    )
    return [SessionEnd(*row) for row in rows]
