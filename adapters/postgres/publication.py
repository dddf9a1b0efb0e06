"""What is published of a store: the log's rows as they are stored, and its dead letters without their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.log import COLUMNS

DEAD_LETTERS = "deadletters"
"""The name under which the position in the dead letters is kept."""

_ROWS = f"SELECT {COLUMNS} FROM shenguan.stored_events"


@dataclass(frozen=True, slots=True)
class StoredRow:
    """An event as it is stored. `previous` is the position of the one before it, 0 before the first."""

    stream: str
    version: int
    topic: str
    state: bytes
    position: int
    recorded_at: datetime
    previous: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A submission that could not be taken: where it lay, whose it was, what was wrong."""

    number: int
    place: str
    principal: str
    source: str
    id: str
    type: str
    disposition: str
    errors: list[dict[str, str]]
    dead_at: datetime


def stored_rows_after(conn: Connection[Any], position: int, limit: int, before: int = 2**62) -> list[StoredRow]:
    """The next rows after the position of one, or after 0, and before another, in their order."""
    rows = conn.execute(
        f"{_ROWS} WHERE notification_id > %b AND notification_id < %b ORDER BY notification_id LIMIT %b",
        (position, before, limit),
        binary=True,
        prepare=True,
    )
    return _chained(rows, position)


def stored_rows_before(conn: Connection[Any], position: int, batch: int = 1000) -> Iterator[list[StoredRow]]:
    """All rows before a position, in their order."""
    last = 0
    while rows := stored_rows_after(conn, last, batch, position):
        yield rows
        last = rows[-1].position


def _chained(rows: Iterable[Any], previous: int) -> list[StoredRow]:
    chained = []
    for row in rows:
        chained.append(StoredRow(*(*row, previous)))
        previous = row[4]
    return chained


def published_to(conn: Connection[Any], topic: str) -> str:
    """The id of the topic that holds the whole log as far as it was published; empty where there is none."""
    row = conn.execute("SELECT topic_id FROM shenguan.published_log WHERE topic = %s", (topic,)).fetchone()
    return str(row[0]) if row else ""


def publish_to(conn: Connection[Any], topic: str, topic_id: str) -> None:
    """From now on the log is published there, and all that came before is in it."""
    conn.execute(
        "INSERT INTO shenguan.published_log VALUES (%s, %s) ON CONFLICT (topic) DO UPDATE"
        " SET topic_id = excluded.topic_id",
        (topic, topic_id),
    )


def lead_dead_letters(conn: Connection[Any]) -> int | None:
    """The last number published, held until the transaction ends; None where somebody else holds it."""
    conn.execute(
        "INSERT INTO shenguan.notification_tracking VALUES (%s, 0) ON CONFLICT (application_name) DO NOTHING",
        (DEAD_LETTERS,),
    )
    row = conn.execute(
        "SELECT notification_id FROM shenguan.notification_tracking WHERE application_name = %s FOR UPDATE SKIP LOCKED",
        (DEAD_LETTERS,),
    ).fetchone()
    return None if row is None else int(row[0])


def dead_letters_after(conn: Connection[Any], number: int, limit: int) -> list[DeadLetter]:
    """The next dead letters and quarantined conflicts. Numbers are drawn under the writer's lock: none comes late."""
    rows = conn.execute(
        'SELECT d.number, topic_id, partition, "offset", s.principal, s.source, s.id, s.type, s.disposition, d.errors,'
        " d.dead_at FROM shenguan.dead_letter AS d JOIN shenguan.submission AS s"
        ' USING (topic_id, partition, "offset") WHERE d.number > %s ORDER BY d.number LIMIT %s',
        (number, limit),
    )
    return [DeadLetter(row[0], f"{row[1]}/{row[2]}/{row[3]}", *row[4:]) for row in rows]


def published(conn: Connection[Any], number: int) -> None:
    """Dead letters up to this number are in their topic."""
    conn.execute(
        "UPDATE shenguan.notification_tracking SET notification_id = %s WHERE application_name = %s",
        (number, DEAD_LETTERS),
    )
