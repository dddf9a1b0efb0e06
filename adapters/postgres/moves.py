"""What has moved in the log: which notice took which step, without reading what it says."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import Connection

from domain.clock_state import clock_stream
from domain.notices import notice_stream

LOG = "stored_events"
"""The channel on which the log's writer wakes who listens."""
_NOTICE = notice_stream("")
_CLOCK = clock_stream(_NOTICE)


class Move(NamedTuple):
    """At a position of the log a notice took a step: an event's topic."""

    position: int
    topic: str
    notice: str


class Heads(NamedTuple):
    """The position of the last event, and how far two read models have come."""

    log: int
    receipts: int
    daily: int


def heads(conn: Connection[Any]) -> Heads:
    row = conn.execute(
        "SELECT coalesce((SELECT max(notification_id) FROM shenguan.stored_events), 0),"
        " coalesce(max(notification_id) FILTER (WHERE application_name = 'receipts'), 0),"
        " coalesce(max(notification_id) FILTER (WHERE application_name = 'daily'), 0)"
        " FROM shenguan.notification_tracking"
    ).fetchone()
    assert row is not None
    return Heads(*map(int, row))


def moves(conn: Connection[Any], after: int, up_to: int, limit: int) -> list[Move]:
    """At most so many, in the log's order."""
    rows = conn.execute(
        "SELECT notification_id, topic, coalesce(unique_key, originator_id) FROM shenguan.stored_events"
        " WHERE notification_id > %s AND notification_id <= %s"
        " AND (topic = 'notice.owed' OR starts_with(originator_id, %s) OR starts_with(originator_id, %s))"
        " ORDER BY notification_id LIMIT %s",
        (after, up_to, _NOTICE, _CLOCK, limit),
    )
    return [
        Move(position, topic, name.removeprefix(clock_stream("")).removeprefix(_NOTICE))
        for position, topic, name in rows
    ]
