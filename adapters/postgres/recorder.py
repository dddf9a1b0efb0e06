"""The library's process recorder over our table: advisory lock, binary arrays, strictly increasing record times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from psycopg import Cursor
from psycopg.rows import DictRow

WRITER_LOCK = 0x5348_454E  # one deciding writer per store; a store is a database, and advisory locks are per database

INSERT = """
INSERT INTO shenguan.stored_events (originator_id, originator_version, topic, state, unique_key, recorded_at)
SELECT s, v, t, b, k, last.recorded_at + n * interval '1 microsecond'
FROM unnest(%b::text[], %b::int8[], %b::text[], %b::bytea[], %b::text[]) WITH ORDINALITY AS new (s, v, t, b, k, n),
     (SELECT greatest(clock_timestamp(), (SELECT recorded_at FROM shenguan.stored_events
                                          ORDER BY notification_id DESC LIMIT 1)) AS recorded_at) AS last
ORDER BY n
"""


class LogRecorder(PostgresProcessRecorder):
    """Inserts as the library does, under a lock that does not starve autovacuum, with one statement for any number."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.lock_table_statements = [f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"]

    def _insert_stored_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **_: Any) -> None:
        self._lock_table(curs)
        insert_events(curs, stored_events, [None] * len(stored_events), returning=True)


def insert_events(
    curs: Cursor[Any], events: Sequence[StoredEvent], unique_keys: Sequence[str | None], *, returning: bool = False
) -> None:
    """Appends under a lock that the caller holds, and wakes the followers. Raises UniqueViolation on a taken place."""
    curs.execute("NOTIFY stored_events")
    curs.execute(
        INSERT + (" RETURNING notification_id" if returning else ""),
        (
            [e.originator_id for e in events],
            [e.originator_version for e in events],
            [e.topic for e in events],
            [e.state for e in events],
            list(unique_keys),
        ),
        prepare=True,
    )
