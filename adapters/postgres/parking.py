"""Parked submissions whose time is over become dead letters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from adapters.postgres.deadletters import SealTexts, put_dead
from adapters.postgres.desk import PLACES, PostgresDesk, columns, put_results
from domain.arrivals import Place, Result
from domain.handling import Outcome
from domain.rules import rejection

# One whose turn has come (`ready`) is decided by the next batch, late as it may be.
_EXPIRED = """
SELECT topic_id, partition, "offset", stream FROM shenguan.parked
WHERE expires_at <= %s AND NOT ready ORDER BY expires_at LIMIT %s
"""


def expired(conn: Connection[Any], now: datetime) -> bool:
    """Whether there are any: a question that needs no lock."""
    return conn.execute(_EXPIRED, (now, 1)).fetchone() is not None


def expire(conn: Connection[Any], now: datetime, limit: int, seal: SealTexts) -> int:
    """At most `limit` of them; how many. Within a transaction that holds the writer's lock, so that none is released
    meanwhile, and a second process finds them gone.
    """
    streams = {Place(*row[:3]): row[3] for row in conn.execute(_EXPIRED, (now, limit))}
    if not streams:
        return 0
    arrivals = PostgresDesk(conn, ()).parked(
        f'JOIN {PLACES} AS x (t, n, o) ON topic_id = t AND partition = n AND "offset" = o', columns(list(streams))
    )
    results = [
        Result(
            arrival,
            Outcome("dead", errors=rejection("*", "parked.expired", streams[arrival.place]).errors),
            released=True,
        )
        for arrival in arrivals
    ]
    put_results(conn, results, set(), now, timedelta())
    put_dead(conn, results, seal, now)
    return len(results)
