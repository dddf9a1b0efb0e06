"""How a store runs: who follows the log and how far, what lies in the queues, how far intake has read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

ALIVE_S = 15
"""Who has shown no life for so long is taken for dead."""
_BESIDE = ("outlet", "registrar", "region")
_ROLES = {"log-publisher": "publisher", "proofs": "prover", "checkpoints": "prover", "witnesses": "prover"}
_FOLLOWERS = """
SELECT coalesce(t.application_name, f.name) AS name, t.notification_id AS position, f.host, f.alive_at, f.error,
    coalesce(f.error IS NULL AND f.alive_at > now() - make_interval(secs => %s), false) AS alive,
    CASE WHEN t.application_name IS NOT NULL THEN greatest(0, extract(epoch FROM now() - (
        SELECT e.recorded_at FROM shenguan.stored_events AS e WHERE e.notification_id > t.notification_id
        ORDER BY e.notification_id LIMIT 1)))::float8 END AS behind_seconds
FROM shenguan.notification_tracking AS t FULL JOIN shenguan.follower AS f ON f.name = t.application_name
WHERE coalesce(t.application_name, f.name) <> 'deadletters'  -- follows the dead letters, not the log
ORDER BY 1
"""
_QUEUES = """
SELECT department, channel, coalesce(waiting, 0) AS waiting, oldest_due_at, coalesce(most_attempts, 0) AS most_attempts,
    coalesce(failures, 0) AS failures, failed_at, t.error, coalesce(gone IS NOT NULL, false) AS gone
FROM (SELECT department, channel, count(*) AS waiting, min(due_at) AS oldest_due_at, max(attempts) AS most_attempts
    FROM shenguan.delivery WHERE sent_at IS NULL GROUP BY department, channel) AS d
FULL JOIN (SELECT * FROM shenguan.channel_trouble WHERE failures > 0 OR gone IS NOT NULL) AS t
    USING (department, channel)
ORDER BY department, channel
"""
_INTAKE = """
SELECT topic, partition, next_offset, p.epoch FROM shenguan.intake_topic AS t
JOIN shenguan.intake_position AS p USING (topic_id) ORDER BY topic, partition
"""


def followers(conn: Connection[Any]) -> list[dict[str, Any]]:
    """Everybody who shows whether it lives, and everybody who has a position in the log; `behind_seconds`: the age of
    the first event not yet taken in, none where all are."""
    rows = _rows(conn, _FOLLOWERS, ALIVE_S)
    return [row | {"role": role_of(row["name"]), "behind_seconds": _behind(row)} for row in rows]


def role_of(name: str) -> str:
    """In which role a follower is at work."""
    first, _, rest = name.partition(".")
    return _ROLES.get(first) or {"role": rest}.get(first, first if first in _BESIDE else "projector")


def queues(conn: Connection[Any]) -> list[dict[str, Any]]:
    """By department and channel, what waits to be sent, and what is wrong; "" is the channel as a whole."""
    return _rows(conn, _QUEUES)


def intake_positions(conn: Connection[Any]) -> list[dict[str, Any]]:
    """The next record that intake takes, by topic and partition."""
    return _rows(conn, _INTAKE)


def last_recorded(conn: Connection[Any]) -> tuple[int, datetime | None]:
    """The log's last position, and when it was recorded."""
    row = conn.execute(
        "SELECT notification_id, recorded_at FROM shenguan.stored_events ORDER BY notification_id DESC LIMIT 1"
    ).fetchone()
    return (row[0], row[1]) if row else (0, None)


def _behind(row: dict[str, Any]) -> float | None:
    return None if row["position"] is None else row["behind_seconds"] or 0.0


def _rows(conn: Connection[Any], query: str, *params: Any) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, params or None).fetchall()
