"""Keeps the region's read model: the logs of all its stores, each as far as it was read."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from adapters.postgres.mapper import EventMapper
from infra.roles.log_reader import RETRY_S, LogReader, LogRecord, Move
from infra.store import Store
from projections.region import TOPICS, Region


class RegionRole:
    """Idle in a store that keeps no such read model."""

    def __init__(self, store: Store, retry_s: float = RETRY_S) -> None:
        self._store = store
        self._retry_s = retry_s
        self._mapper = EventMapper()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        stores = self._store.settings.region_stores
        if not stores:
            self.stopped.wait()
            return
        LogReader(self._store, Region.name, stores, self._take, self.stopped, self._retry_s).run()

    def _take(
        self, conn: Connection[Any], store: str, new: Sequence[LogRecord], _again: Sequence[LogRecord], move: Move
    ) -> None:
        events = [record.recorded(self._mapper) for record in new if record.topic in TOPICS]
        with conn.transaction():
            conn.execute("SET LOCAL search_path TO read")
            # What a crash of the server takes back it takes back with the position; so nobody need wait for the disk.
            conn.execute("SET LOCAL synchronous_commit TO off")
            if events:
                Region(store).apply(conn, events)
            move(conn)
