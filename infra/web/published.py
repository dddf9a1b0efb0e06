"""The public tables 公开统计 (5.4a), each made once: one of a quarter that is over never changes."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from adapters.http.problems import of_status
from adapters.postgres.log import Log
from infra.public_statistics import last_day, rows_of
from infra.web.heads import Heads
from infra.web.reading import EVERYBODY, Readers
from infra.web.registry import SETTLED, Registry
from projections.working_days import CHINA

AGAIN_S = "60"


class Published:
    """For several threads; one table is made at a time."""

    def __init__(self, readers: Readers, registry: Registry, heads: Heads, smallest: int) -> None:
        self._readers = readers
        self._registry = registry
        self._heads = heads
        self.smallest = smallest
        self._lock = threading.Lock()
        self._made: dict[tuple[str, date, bool], list[dict[str, Any]]] = {}

    def table(self, by: str, months: list[date], zh: bool) -> list[dict[str, Any]]:
        """Of a breakdown and a quarter's months. Raises Problem where the counters have not come so far: a table that
        is not whole would betray, beside the whole one, what is hidden."""
        key = (by, months[0], zh)
        with self._lock:
            if key not in self._made:
                end = end_of(last_day(months[-1]))
                if datetime.now(UTC) < end + SETTLED or not self._told(end):
                    raise of_status(503, headers={"Retry-After": AGAIN_S})
                registers = self._registry.then(end)
                with self._readers.lend(EVERYBODY) as conn:
                    self._made[key] = rows_of(conn, registers, zh, by, months, self.smallest)
            return self._made[key]

    def _told(self, end: datetime) -> bool:
        position = self._heads.positions()["daily"]
        with self._readers.log() as conn:
            return known_by(conn, position, end)


def known_by(conn: Any, position: int, end: datetime) -> bool:
    """Whether all that was recorded by a moment lies up to a position."""
    following = Log(conn).recorded_after(position)
    return following is None or following > end


def end_of(day: date) -> datetime:
    """The day's end, in Beijing."""
    return datetime.combine(day + timedelta(days=1), time(), CHINA) - timedelta(microseconds=1)
