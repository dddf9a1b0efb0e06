"""What falls due by time alone: waiting ends, departments succeed each other, ladders are climbed, permits end, keys of
requests are forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from psycopg import Connection

from adapters.formats.workdays import published
from adapters.postgres import http_requests
from adapters.postgres.liveness import show_alive
from adapters.postgres.parking import expire, expired
from adapters.postgres.writer import Writer
from domain import system
from infra.roles.keeper import Keeper
from infra.roles.role import persist
from infra.roles.steward import Steward
from infra.store import Store

_log = structlog.get_logger("shenguan.clock")
BATCH = 500
ALIVE_EVERY_S = 5.0


class ClockRole:
    """Any number may run: each batch is taken under the writer's lock, and once."""

    def __init__(self, store: Store, clock: Callable[[], datetime] | None = None, every_s: float | None = None) -> None:
        self._store = store
        self._clock = clock or store.clock or (lambda: datetime.now(UTC))
        self._every_s = store.settings.clock_seconds if every_s is None else every_s
        self._seal = store.sealer().seal_all
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        persist(self.stopped, self._tick)

    def _tick(self) -> None:
        self._seal = self._store.sealer().seal_all  # anew when the database was away: it may have lost the latest keys
        steward, keeper = Steward(self._clock), Keeper()
        with self._store.connect() as conn, closing(self._store.writer()) as writer:
            writer.write(facts=[lambda world, now: system.calendar_adopted(world, published(), now)])
            while not self.stopped.is_set():
                show_alive(conn, {"role.clock": None})
                self.turn(conn, writer)
                done = steward.turn(conn, writer, self.stopped.is_set)
                done += keeper.turn(conn, writer, self.stopped.is_set)
                if not done + self.forget(conn):
                    self._rest(conn)

    def _rest(self, conn: Connection[Any]) -> None:
        """Alive also where it is to look but seldom."""
        until = time.monotonic() + self._every_s
        while not self.stopped.wait(min(ALIVE_EVERY_S, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until:
                return
            show_alive(conn, {"role.clock": None})

    def turn(self, conn: Connection[Any], writer: Writer) -> int:
        """Ends the waiting of all whose time is over, a bounded batch at a time; how many."""
        done = 0
        while not self.stopped.is_set() and expired(conn, now := self._clock()):
            count = 0

            def end(conn: Connection[Any], now: datetime = now) -> None:
                nonlocal count
                count = expire(conn, now, BATCH, self._seal)

            writer.run(end)
            done += count
        if done:
            _log.info("parked_expired", count=done)
        return done

    def forget(self, conn: Connection[Any]) -> int:
        """Keys of what was handed in over HTTP so long ago that they are promised no more, a batch at a time; how
        many."""
        before = self._clock() - timedelta(days=self._store.settings.idempotency_days)
        return http_requests.forget(conn, before, BATCH)
