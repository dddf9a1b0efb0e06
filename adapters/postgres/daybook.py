"""What was recorded within a time, by kind: counted, and listed with its places in the log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.log import COLUMNS
from adapters.postgres.mapper import EventMapper
from domain.event import Recorded

_WITHIN = "topic = ANY(%(topics)s) AND recorded_at >= %(since)s AND recorded_at < %(until)s"
_OWN = (
    " AND (originator_id = 'ledger/' || %(department)s"
    " OR starts_with(originator_id, 'notice/' || %(department)s || '/')"
    " OR starts_with(originator_id, 'feedback/' || %(department)s || '/'))"
)


class Daybook:
    """Of everybody, or of the notices and feedback of one department."""

    def __init__(self, conn: Connection[Any], since: datetime, until: datetime, department: str | None = None) -> None:
        self._conn = conn
        self._asked = {"since": since, "until": until, "department": department}
        self._where = _WITHIN + (_OWN if department is not None else "")

    def counts(self, topics: Collection[str]) -> dict[str, int]:
        """How many facts of each kind."""
        rows = self._conn.execute(
            f"SELECT topic, count(*) FROM shenguan.stored_events WHERE {self._where} GROUP BY topic",
            self._asked | {"topics": list(topics)},
        ).fetchall()
        return dict.fromkeys(topics, 0) | dict(rows)

    def facts(self, topic: str, after: int, limit: int) -> list[Recorded]:
        """The next facts of a kind after a position, in the order of the log."""
        mapper = EventMapper()
        rows = self._conn.execute(
            f"SELECT {COLUMNS} FROM shenguan.stored_events WHERE {self._where} AND notification_id > %(after)s"
            " ORDER BY notification_id LIMIT %(limit)s",
            self._asked | {"topics": [topic], "after": after, "limit": limit},
            binary=True,
        )
        return [Recorded(row[4], row[5], mapper.read(*row[:4])) for row in rows]
