"""The registers as the log has them now, or had them at a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from adapters.postgres.log import Log
from domain.registers import Registers
from infra.web.line import Line

KEPT = 8
SETTLED = timedelta(minutes=5)
"""What was recorded so long ago has been committed: of that moment nothing more will come to be known."""


class Registry:
    """Kept up with the log, whenever asked. For several threads: what was given once stays as it is."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._line = Line(connect)
        self._lock = threading.Lock()
        self._registers = Registers()
        self._position = 0
        self._then: dict[datetime, Registers] = {}

    def now(self) -> Registers:
        """Of all that is recorded."""
        return self.present()[0]

    def present(self) -> tuple[Registers, int]:
        """As `now`, with the position of the last event in them."""
        return self._line.ask(self._kept_up)

    @property
    def last(self) -> Registers:
        """As they were when somebody asked last; the database is not asked."""
        return self._registers

    def _kept_up(self, conn: Connection[Any]) -> tuple[Registers, int]:
        log = Log(conn)
        head = log.registers_head()
        if head > self._position:
            found = Registers()
            log.refresh(found, 0, head)
            self._registers, self._position = found, head
        return self._registers, self._position

    def then(self, known_at: datetime) -> Registers:
        """Of what was recorded by a moment."""
        with self._lock:
            if (kept := self._then.get(known_at)) is not None:
                return kept
        found = Registers()
        with closing(self._connect()) as conn:
            Log(conn).refresh(found, 0, known_at=known_at)
        if known_at < datetime.now(UTC) - SETTLED:
            with self._lock:
                while len(self._then) >= KEPT:
                    self._then.pop(next(iter(self._then)))
                self._then[known_at] = found
        return found

    def close(self) -> None:
        self._line.close()
