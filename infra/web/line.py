"""One connection that several threads ask over, made anew where the server went away in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from psycopg import Connection, OperationalError

Answer = TypeVar("Answer")


class Line:
    """Closed by whoever made it."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._conn: Connection[Any] | None = None

    def ask(self, question: Callable[[Connection[Any]], Answer]) -> Answer:
        """One question at a time, put once more where the connection was lost. Raises OperationalError."""
        with self._lock:
            if self._conn is not None:
                try:
                    return question(self._conn)
                except OperationalError:
                    self._hang_up()
            self._conn = self._connect()
            return question(self._conn)

    def close(self) -> None:
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None
