"""Follows the registers that another store masters: their events are recorded here, under their own places."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.deliveries import events_at
from adapters.postgres.mapper import EventMapper
from adapters.postgres.writer import Fact, Writer
from domain import system
from domain.event import Event
from domain.following import follow
from domain.registers import MASTERED_TOPICS
from domain.world import World
from infra.roles.log_reader import RETRY_S, LogReader, LogRecord, Move
from infra.store import Store

READER = "registrar"


class RegistrarRole:
    """Idle in a store that masters its own registers."""

    def __init__(self, store: Store, retry_s: float = RETRY_S) -> None:
        self._store = store
        self._master = store.settings.registers_from
        self._retry_s = retry_s
        self._mapper = EventMapper()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        if self._master is None:
            self.stopped.wait()
            return
        with closing(self._store.writer()) as writer:
            self._writer: Writer = writer
            LogReader(self._store, READER, [self._master], self._take, self.stopped, self._retry_s).run()

    def _take(
        self, conn: Connection[Any], master: str, new: Sequence[LogRecord], again: Sequence[LogRecord], move: Move
    ) -> None:
        """Raises CannotFollow, with nothing recorded. What comes again must be what is recorded."""
        events = [r.recorded(self._mapper).event for r in (*new, *again) if r.topic in MASTERED_TOPICS]
        if not events:
            move(conn)
            return
        placed: dict[tuple[str, int], Event] = {}

        def action(conn: Connection[Any]) -> None:
            move(conn)
            placed.clear()
            placed.update(events_at(conn, [_place(event) for event in events]))

        def begin(world: World, now: datetime) -> list[Event]:
            world.prefetch(event.originator_id for event in events)
            return system.registers_followed(world, master, now)

        def followed(event: Event) -> Fact:
            def fact(world: World, _: datetime) -> list[Event]:
                new = follow(world, event, placed.get(_place(event)))
                placed[_place(event)] = event
                return new

            return fact

        written = self._writer.run(action, [begin, *map(followed, events)])
        while written.more:
            written = self._writer.write()


def _place(event: Event) -> tuple[str, int]:
    return event.originator_id, event.originator_version
