"""How the store does, in figures: whether the database answers, who is at work, how far behind, what waits.

Nothing personal, and no error's text: anybody who reaches the doors may ask. Asked seldom, kept for some seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog
from psycopg import Connection

from adapters.postgres.runner import first_line
from infra.operations import role_of
from projections.catalogue import PROJECTIONS

KEPT_S = 3.0
"""So long an answer is given again."""
ALIVE_S = 15.0
"""Who has shown no life for so long is taken for dead."""
BEHIND_S = 60.0
"""Read models may be so far behind the log before what rests on them is no answer of today."""
PATIENCE_MS = 2000
_READ_MODELS = frozenset(one.name for one in PROJECTIONS)
_log = structlog.get_logger("shenguan.vitals")

_FOLLOWERS = """
SELECT coalesce(t.application_name, f.name), t.notification_id, extract(epoch FROM now() - f.alive_at)::float8,
  f.error IS NOT NULL, extract(epoch FROM now() - (
    SELECT e.recorded_at FROM shenguan.stored_events AS e WHERE e.notification_id > t.notification_id
    ORDER BY e.notification_id LIMIT 1))::float8
FROM shenguan.notification_tracking AS t FULL JOIN shenguan.follower AS f ON f.name = t.application_name
ORDER BY 1
"""
_WAITING = "SELECT channel, count(*) FROM shenguan.delivery WHERE sent_at IS NULL GROUP BY channel ORDER BY channel"
_OUTCOMES = "SELECT disposition, count FROM shenguan.outcome_count ORDER BY disposition"
_OPEN = """
SELECT (SELECT count(*) FROM shenguan.parked),
  (SELECT count(*) FROM shenguan.dead_letter WHERE retried_at IS NULL), (SELECT count(*) FROM shenguan.dead_letter)
"""


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows the log, or is at work without following it (then `position` is None). `behind_s`: the age of the
    first event that it has not taken in; 0: it has taken in all."""

    name: str
    role: str
    position: int | None
    behind_s: float
    seen_s: float | None
    stopped: bool

    @property
    def alive(self) -> bool:
        return not self.stopped and self.seen_s is not None and self.seen_s <= ALIVE_S


@dataclass(frozen=True, slots=True)
class Vitals:
    """`database`: whether it answered; without it there are no other figures."""

    database: bool
    head: int = 0
    followers: tuple[Follower, ...] = ()
    outcomes: dict[str, int] = field(default_factory=dict)
    parked: int = 0
    dead_open: int = 0
    dead: int = 0
    waiting: dict[str, int] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """Why the doors should not be asked now; none: they may."""
        if not self.database:
            return ["database"]
        there = {one.name: one for one in self.followers if one.name in _READ_MODELS}
        missing = sorted(_READ_MODELS - there.keys())
        late = sorted(one.name for one in there.values() if one.behind_s > BEHIND_S)
        return [f"missing:{name}" for name in missing if self.head] + [f"behind:{name}" for name in late]


class Pulse:
    """Asks over one connection, for several threads."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._conn: Connection[Any] | None = None
        self._found = Vitals(False)
        self._until = 0.0

    def now(self) -> Vitals:
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    self._found = self._ask()
                except psycopg.Error as error:
                    _log.warning("database_unavailable", error=first_line(error))
                    self._close()
                    self._found = Vitals(False)
                self._until = time.monotonic() + KEPT_S
            return self._found

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _ask(self) -> Vitals:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
            self._conn.execute(f"SET statement_timeout TO {PATIENCE_MS}")
        conn = self._conn
        head = conn.execute("SELECT coalesce(max(notification_id), 0) FROM shenguan.stored_events").fetchone()
        opened = conn.execute(_OPEN).fetchone()
        assert head is not None
        assert opened is not None
        followers = tuple(
            Follower(name, role_of(name), position, max(0.0, behind or 0.0), seen, stopped)
            for name, position, seen, stopped, behind in conn.execute(_FOLLOWERS)
            if name != "deadletters"  # follows the dead letters, not the log
        )
        outcomes, waiting = conn.execute(_OUTCOMES).fetchall(), conn.execute(_WAITING).fetchall()
        parked, dead_open, dead = opened
        return Vitals(True, int(head[0]), followers, dict(outcomes), parked, dead_open, dead, dict(waiting))
