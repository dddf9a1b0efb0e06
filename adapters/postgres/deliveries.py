"""The outlet's queue: what is to be sent to whom over which channel, in serial order, and how far each came.

A department's deliveries are a queue of its own. Whoever holds its head holds the queue: a head that is leased, or
not due because it failed, keeps those behind it waiting, and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from adapters.postgres.log import COLUMNS, leaf_of
from adapters.postgres.mapper import EventMapper
from domain.channels import Channel
from domain.event import Event, Recorded

WOKEN = "shenguan_deliveries"
"""The channel on which the database tells that there is something to send."""


@dataclass(frozen=True, slots=True)
class Owing:
    """A notice that a channel is to carry. `position` is that of its owing in the log."""

    notice: str
    channel: Channel
    department: str
    serial: int
    position: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A leased delivery. `attempts` counts those that failed."""

    notice: str
    department: str
    serial: int
    position: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Where the channel put a notice."""

    notice: str
    topic_id: str
    partition: int
    offset: int


def owe(conn: Connection[Any], owings: Sequence[Owing]) -> None:
    """Queues them; those that are known stay as they are."""
    if not owings:
        return
    conn.execute(
        "INSERT INTO shenguan.delivery (notice, channel, department, serial, position, due_at)"
        " SELECT n, c, d, s, p, now() FROM unnest(%b::text[], %b::text[], %b::text[], %b::int8[], %b::int8[])"
        " AS new (n, c, d, s, p) ON CONFLICT DO NOTHING",
        (
            [o.notice for o in owings],
            [o.channel for o in owings],
            [o.department for o in owings],
            [o.serial for o in owings],
            [o.position for o in owings],
        ),
        prepare=True,
    )
    conn.execute(f"NOTIFY {WOKEN}")


_HEADS = """
WITH RECURSIVE waiting (department) AS (
    (SELECT department FROM shenguan.delivery WHERE sent_at IS NULL AND channel = %(channel)s
     ORDER BY department LIMIT 1)
    UNION ALL
    SELECT (SELECT d.department FROM shenguan.delivery AS d
            WHERE sent_at IS NULL AND channel = %(channel)s AND d.department > w.department
            ORDER BY d.department LIMIT 1)
    FROM waiting AS w WHERE w.department IS NOT NULL
)
SELECT head.notice FROM waiting AS w CROSS JOIN LATERAL (
    SELECT notice, due_at, leased_until FROM shenguan.delivery AS d
    WHERE sent_at IS NULL AND channel = %(channel)s AND d.department = w.department ORDER BY serial LIMIT 1) AS head
WHERE w.department <> ALL(%(without)s::text[]) AND due_at <= clock_timestamp()
    AND (leased_until IS NULL OR leased_until <= clock_timestamp())
ORDER BY due_at LIMIT %(limit)s
"""
_OWN = """
SELECT department, attempts FROM shenguan.delivery
WHERE notice = ANY(%(heads)s) AND channel = %(channel)s AND sent_at IS NULL
    AND (leased_until IS NULL OR leased_until <= clock_timestamp())
FOR UPDATE SKIP LOCKED
"""
_TAKE = """
UPDATE shenguan.delivery AS d SET leased_until = clock_timestamp() + %b
FROM unnest(%b::text[], %b::int4[]) AS w (department, n) CROSS JOIN LATERAL (
    SELECT notice, channel FROM shenguan.delivery AS one
    WHERE sent_at IS NULL AND channel = %b AND one.department = w.department ORDER BY serial LIMIT w.n) AS taken
WHERE d.notice = taken.notice AND d.channel = taken.channel
RETURNING d.notice, d.department, d.serial, d.position, d.attempts
"""
SHARE = 10
"""At least so many of each department's in a lease."""


def lease(
    conn: Connection[Any], channel: Channel, limit: int, seconds: float, without: Iterable[str] = ()
) -> list[Delivery]:
    """The next deliveries, by department and serial; of a department whose head has failed before only the head.

    Those that have been due longest come first, and each department gets its share, so that none starves another.
    `without`: departments that are still busy.
    """
    given = {"channel": channel, "without": list(without), "limit": max(1, limit // SHARE)}
    with conn.transaction():
        heads = [row[0] for row in conn.execute(_HEADS, given, prepare=True)]
        if not heads:
            return []
        owned = conn.execute(_OWN, {"heads": heads, "channel": channel}, prepare=True).fetchall()
        if not owned:
            return []
        share = max(SHARE, limit // len(owned))
        rows = conn.execute(
            _TAKE,
            (
                timedelta(seconds=seconds),
                [department for department, _ in owned],
                [1 if attempts else share for _, attempts in owned],
                channel,
            ),
            prepare=True,
        ).fetchall()
    return sorted((Delivery(*row) for row in rows), key=lambda d: (d.department, d.serial))


def release(conn: Connection[Any], channel: Channel, notices: Sequence[str] | None = None) -> None:
    """Gives leases back; all of them if none are named, which only the one live outlet may do."""
    if notices is None:
        conn.execute(
            "UPDATE shenguan.delivery SET leased_until = NULL"
            " WHERE channel = %b AND sent_at IS NULL AND leased_until IS NOT NULL",
            (channel,),
        )
    elif notices:
        conn.execute(
            "UPDATE shenguan.delivery SET leased_until = NULL WHERE channel = %b AND notice = ANY(%b::text[])",
            (channel, list(notices)),
        )


def fail(conn: Connection[Any], channel: Channel, failures: Sequence[tuple[str, str, float]]) -> None:
    """(notice, why, seconds until it is tried again)."""
    if not failures:
        return
    conn.execute(
        "UPDATE shenguan.delivery SET attempts = attempts + 1, leased_until = NULL, error = f.e,"
        " due_at = clock_timestamp() + f.s * interval '1 second'"
        " FROM unnest(%b::text[], %b::text[], %b::text[], %b::float8[]) AS f (n, c, e, s)"
        " WHERE notice = f.n AND channel = f.c",
        ([f[0] for f in failures], [channel] * len(failures), [f[1] for f in failures], [f[2] for f in failures]),
    )


def postpone(conn: Connection[Any], channel: Channel, department: str, error: str, seconds: float) -> None:
    """All that waits for the department in the channel waits longer; no attempt is counted against a notice."""
    conn.execute(
        "UPDATE shenguan.delivery SET leased_until = NULL, error = %b,"
        " due_at = clock_timestamp() + %b * interval '1 second'"
        " WHERE department = %b AND channel = %b AND sent_at IS NULL",
        (error, seconds, department, channel),
    )


def due(conn: Connection[Any], channel: Channel, since: float, limit: int, behind: str = "") -> list[Delivery]:
    """All that waits for the departments whose first has been due for so many seconds, by department and serial, those
    `behind` a department before the others. Nothing is leased: for channels in which one sends at a time."""
    rows = conn.execute(
        "SELECT notice, department, serial, position, attempts FROM shenguan.delivery AS d"
        " WHERE sent_at IS NULL AND channel = %b AND department IN (SELECT department FROM shenguan.delivery"
        " WHERE sent_at IS NULL AND channel = %b GROUP BY department"
        " HAVING min(due_at) <= clock_timestamp() - %b * interval '1 second')"
        " ORDER BY department <= %b, department, serial LIMIT %b",
        (channel, channel, since, behind, limit),
        prepare=True,
    )
    return [Delivery(*row) for row in rows]


def mark_sent(conn: Connection[Any], channel: Channel, dispatches: Sequence[Dispatch]) -> None:
    """In the transaction that records their dispatch."""
    # Not "sent_at IS NULL": the planner would search the index of what is due, once for each. Nor the channel as one
    # value: in a young store it would rather go through all of the channel's and hold each against each.
    conn.execute(
        "UPDATE shenguan.delivery SET sent_at = clock_timestamp(), leased_until = NULL, error = NULL, topic_id = s.t,"
        ' partition = s.p, "offset" = s.o'
        " FROM unnest(%b::text[], %b::text[], %b::text[], %b::int4[], %b::int8[]) AS s (n, c, t, p, o)"
        " WHERE notice = s.n AND channel = s.c AND delivered_at IS NULL",
        (
            [d.notice for d in dispatches],
            [channel] * len(dispatches),
            [d.topic_id for d in dispatches],
            [d.partition for d in dispatches],
            [d.offset for d in dispatches],
        ),
        prepare=True,
    )


def mark_pushed(conn: Connection[Any], channel: Channel, references: Mapping[str, str], *, delivered: bool) -> None:
    """What a channel other than Kafka took, and calls so; `delivered`: its answer is the evidence. In the transaction
    that records it."""
    conn.execute(
        "UPDATE shenguan.delivery SET sent_at = clock_timestamp(), leased_until = NULL, error = NULL, reference = s.r,"
        " delivered_at = CASE WHEN %b THEN clock_timestamp() END"
        " FROM unnest(%b::text[], %b::text[]) AS s (n, r) WHERE notice = s.n AND channel = %b AND sent_at IS NULL",
        (delivered, list(references), list(references.values()), channel),
    )


def queued(conn: Connection[Any], channel: Channel, notices: Sequence[str]) -> set[str]:
    """Those of the notices that wait in the channel's queue."""
    rows = conn.execute(
        "SELECT notice FROM shenguan.delivery WHERE notice = ANY(%b::text[]) AND channel = %b AND sent_at IS NULL",
        (list(notices), channel),
    )
    return {row[0] for row in rows}


def turn_to_next(conn: Connection[Any], channel: Channel, next_: Mapping[str, Sequence[Channel]]) -> None:
    """These notices leave the channel's queue, for those of the channels named. In the transaction that records it."""
    for notice, channels in next_.items():
        row = conn.execute(
            "DELETE FROM shenguan.delivery WHERE notice = %b AND channel = %b RETURNING department, serial, position",
            (notice, channel),
        ).fetchone()
        if row is not None:
            owe(conn, [Owing(notice, one, *row) for one in channels])


class OwedRow(NamedTuple):
    """What owes a notice, and the hash of its leaf in the log."""

    recorded: Recorded
    leaf: str


def owings(conn: Connection[Any], positions: Sequence[int]) -> dict[int, OwedRow]:
    """The owing events at these positions."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM shenguan.stored_events WHERE notification_id = ANY(%b::int8[])",
        (list(positions),),
        binary=True,
        prepare=True,
    )
    mapper = EventMapper()
    return {
        row[4]: OwedRow(Recorded(row[4], row[5], mapper.read(row[0], row[1], row[2], row[3])), leaf_of(row))
        for row in rows
    }


def events_at(conn: Connection[Any], places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Event]:
    """The events at these (stream, version)."""
    wanted = sorted(set(places))
    rows = conn.execute(
        "SELECT e.originator_id, e.originator_version, e.topic, e.state FROM shenguan.stored_events AS e"
        " JOIN unnest(%b::text[], %b::int8[]) AS w (s, v) ON e.originator_id = w.s AND e.originator_version = w.v",
        ([w[0] for w in wanted], [w[1] for w in wanted]),
        binary=True,
        prepare=True,
    )
    mapper = EventMapper()
    return {(row[0], row[1]): mapper.read(row[0], row[1], row[2], row[3]) for row in rows}
