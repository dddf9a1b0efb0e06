"""Kafka positions, fenced: they move in the events' own transaction, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

FIRST = 1
"""The epoch in which a topic is read for the first time."""


class Fenced(Exception):
    """Somebody else moved one of these partitions: the batch is rolled back and the partitions are given up."""


@dataclass(frozen=True, slots=True)
class Advance:
    """A partition goes from exactly this position and epoch to `next_offset`."""

    topic_id: str
    partition: int
    start: int
    epoch: int
    next_offset: int


def advance(conn: Connection[Any], moves: Sequence[Advance]) -> None:
    """Moves all or raises Fenced. Expecting the exact old position catches an overlapping zombie."""
    if not moves:
        return
    moved = conn.execute(
        "UPDATE shenguan.intake_position AS i SET next_offset = m.n"
        " FROM unnest(%b::text[], %b::int4[], %b::int8[], %b::int4[], %b::int8[]) AS m (t, p, s, e, n)"
        " WHERE i.topic_id = m.t AND i.partition = m.p AND i.next_offset = m.s AND i.epoch = m.e",
        (
            [m.topic_id for m in moves],
            [m.partition for m in moves],
            [m.start for m in moves],
            [m.epoch for m in moves],
            [m.next_offset for m in moves],
        ),
        prepare=True,
    )
    if moved.rowcount != len(moves):
        raise Fenced(f"{len(moves) - moved.rowcount} of {len(moves)} partitions were moved by somebody else")


def never_read(moves: Sequence[Advance]) -> Callable[[str, int, int], bool]:
    """Whether an offset of a partition is certain not to have been read before these moves: in a first epoch nothing is
    read twice, for positions move with what was read."""
    starts = {(move.topic_id, move.partition): move.start for move in moves if move.epoch == FIRST}

    def new(topic_id: str, partition: int, offset: int) -> bool:
        start = starts.get((topic_id, partition))
        return start is not None and offset >= start

    return new


def topics(conn: Connection[Any]) -> dict[str, tuple[str, int]]:
    """(topic id, epoch) by name, as last read."""
    return {name: (topic_id, epoch) for name, topic_id, epoch in conn.execute("SELECT * FROM shenguan.intake_topic")}


def open_epoch(conn: Connection[Any], topic: str, topic_id: str, epoch: int) -> None:
    """From now on the topic is read from its start, under this id and epoch; any other reader is fenced off.

    Raises Fenced where somebody else has opened this epoch, or a later one.
    """
    opened = conn.execute(
        "INSERT INTO shenguan.intake_topic AS t VALUES (%s, %s, %s) ON CONFLICT (topic)"
        " DO UPDATE SET topic_id = excluded.topic_id, epoch = excluded.epoch WHERE t.epoch < excluded.epoch",
        (topic, topic_id, epoch),
    )
    if not opened.rowcount:
        raise Fenced(f"epoch {epoch} of {topic} was opened by somebody else")
    conn.execute(
        "UPDATE shenguan.intake_position SET next_offset = 0, epoch = %s WHERE topic_id = %s", (epoch, topic_id)
    )


def positions(conn: Connection[Any], places: Sequence[tuple[str, int, int]]) -> dict[tuple[str, int], tuple[int, int]]:
    """(next offset, epoch) by (topic id, partition); partitions not seen before begin at 0 of the topic's epoch, or of
    the given one where the topic is not known."""
    conn.execute(
        "INSERT INTO shenguan.intake_position SELECT t, p, 0, coalesce((SELECT epoch FROM shenguan.intake_topic"
        " WHERE topic_id = t), e) FROM unnest(%b::text[], %b::int4[], %b::int4[]) AS n (t, p, e)"
        " ON CONFLICT DO NOTHING",
        ([p[0] for p in places], [p[1] for p in places], [p[2] for p in places]),
    )
    rows = conn.execute(
        "SELECT topic_id, partition, next_offset, epoch FROM shenguan.intake_position"
        " JOIN unnest(%b::text[], %b::int4[]) AS n (topic_id, partition) USING (topic_id, partition)",
        ([p[0] for p in places], [p[1] for p in places]),
    )
    return {(topic_id, partition): (offset, epoch) for topic_id, partition, offset, epoch in rows}
