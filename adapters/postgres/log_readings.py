"""How far other stores' logs were read from Kafka: fenced, like intake's positions, but each reader's own.

Not in intake's table: two readers of one log would fence each other off, and `verify` holds intake's positions against
submissions, of which a log has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from adapters.postgres.positions import Fenced


@dataclass(frozen=True, slots=True)
class Reading:
    """The topic's id and the next offset in it, and the last position in that store's log that is known."""

    topic_id: str = ""
    next_offset: int = 0
    position: int = 0


def reading(conn: Connection[Any], reader: str, store: str) -> Reading:
    """As last moved; the first where nothing was read yet."""
    row = conn.execute(
        "SELECT topic_id, next_offset, position FROM shenguan.log_reading WHERE reader = %s AND store = %s",
        (reader, store),
    ).fetchone()
    return Reading() if row is None else Reading(*row)


def read_on(conn: Connection[Any], reader: str, store: str, before: Reading, after: Reading) -> None:
    """Moves from exactly `before`, in the transaction that takes in what lies between. Raises Fenced."""
    moved = conn.execute(
        "INSERT INTO shenguan.log_reading AS r VALUES (%b, %b, %b, %b, %b, clock_timestamp())"
        " ON CONFLICT (reader, store) DO UPDATE SET topic_id = excluded.topic_id, next_offset = excluded.next_offset,"
        " position = excluded.position, read_at = excluded.read_at WHERE r.topic_id = %b AND r.next_offset = %b",
        (reader, store, after.topic_id, after.next_offset, after.position, before.topic_id, before.next_offset),
        prepare=True,
    )
    if not moved.rowcount:
        raise Fenced(f"{reader} of {store} was moved by somebody else")
