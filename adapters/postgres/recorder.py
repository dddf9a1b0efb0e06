"""Appending to the log: under an advisory lock, any number at once, with strictly increasing record times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from psycopg import Connection, Cursor
from psycopg.rows import DictRow

from adapters.postgres.bulk import copy_rows
from adapters.postgres.mapper import EventMapper
from domain.event import Event
from domain.world import TICK

WRITER_LOCK = 0x5348_454E  # one deciding writer per store; a store is a database, and advisory locks are per database

# Record times are strictly later than the last one, also where the clock was set back.
LAST = """
SELECT greatest(clock_timestamp(), (SELECT recorded_at FROM shenguan.stored_events
                                    ORDER BY notification_id DESC LIMIT 1)) AS recorded_at
"""
INSERT = f"""
INSERT INTO shenguan.stored_events (originator_id, originator_version, topic, state, recorded_at)
SELECT s, v, t, b, last.recorded_at + n * interval '1 microsecond'
FROM unnest(%b::text[], %b::int8[], %b::text[], %b::bytea[]) WITH ORDINALITY AS new (s, v, t, b, n), ({LAST}) AS last
ORDER BY n
RETURNING notification_id
"""


class LogRecorder(PostgresProcessRecorder):
    """The library's process recorder over our table, under a lock that does not starve autovacuum."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.lock_table_statements = [f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"]

    def _insert_stored_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **_: Any) -> None:
        self._lock_table(curs)
        insert_events(curs, stored_events)


def insert_events(curs: Cursor[Any], events: Sequence[StoredEvent]) -> None:
    """The library's own way in, which pipelines and wants the new positions. Errors as `copy_events`."""
    curs.execute("NOTIFY stored_events")
    curs.execute(
        INSERT,
        (
            [e.originator_id for e in events],
            [e.originator_version for e in events],
            [e.topic for e in events],
            [e.state for e in events],
        ),
        prepare=True,
    )


def copy_events(conn: Connection[Any], mapper: EventMapper, events: Sequence[Event], after: datetime) -> None:
    """Appends under a lock that the caller holds, and wakes the followers; record times follow `after`, which is not
    before the last one. Raises UniqueViolation on a taken place."""
    conn.execute("NOTIFY stored_events")
    columns = "originator_id, originator_version, topic, state, unique_key, recorded_at"
    types = ("text", "int8", "text", "bytea", "text", "timestamptz")

    def rows() -> Iterator[tuple[Any, ...]]:
        """Made while PostgreSQL takes those before them in."""
        for number, event in enumerate(events, 1):
            stored = mapper.to_stored_event(event)
            at = after + number * TICK
            yield stored.originator_id, stored.originator_version, stored.topic, stored.state, event.unique_key, at

    with conn.cursor() as cursor:
        copy_rows(cursor, "shenguan.stored_events", columns, types, rows())
