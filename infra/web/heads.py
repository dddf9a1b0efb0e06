"""How far the read models have come: what an answer rests on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from psycopg import Connection, OperationalError

from projections.catalogue import PROJECTIONS

_NAMES = [one.name for one in PROJECTIONS]


class Heads:
    """Asked over one connection, by several threads."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._conn: Connection[Any] | None = None

    def positions(self) -> dict[str, int]:
        """By read model: the position of the last event that it has taken in."""
        with self._lock:
            for last in (False, True):
                if self._conn is None or self._conn.closed:
                    self._conn = self._connect()
                try:
                    rows = self._conn.execute(
                        "SELECT application_name, max(notification_id) FROM shenguan.notification_tracking"
                        " WHERE application_name = ANY(%s) GROUP BY application_name",
                        (_NAMES,),
                    ).fetchall()
                    return dict.fromkeys(_NAMES, 0) | {str(name): int(position or 0) for name, position in rows}
                except OperationalError:
                    self.close_quietly()
                    if last:
                        raise
        raise AssertionError

    def close_quietly(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def close(self) -> None:
        with self._lock:
            self.close_quietly()
