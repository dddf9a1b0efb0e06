"""Which sessions were ended before their time, as the database has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from adapters.http.sessions import begun_at, ends_at, names, session_name
from adapters.postgres.session_ends import SessionEnd, end, ended_since
from infra.web.line import Line

KEPT_S = 1.0
"""So long it is not asked again: what another server or a command ends is over here by then."""
OVERLAP = timedelta(minutes=1)
"""So much is read again, for what is written at a moment may be seen later."""


class Endings:
    """For several threads."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._line = Line(connect)
        self._lock = threading.Lock()
        self._ends: dict[str, SessionEnd] = {}
        self._latest: datetime | None = None
        self._until = 0.0

    def cover(self, session: Mapping[str, Any]) -> bool:
        """Whether a session, by its claims, was ended. Raises OperationalError where nobody can tell."""
        ends, begun = self._now(), begun_at(session)
        return any(begun <= ends[name].at for name in names(session) if name in ends)

    def end(self, session: Mapping[str, Any]) -> None:
        """A session, by its claims; here at once. Raises OperationalError."""
        self._line.ask(lambda conn: end(conn, session_name(session), ends_at(session)))
        with self._lock:
            self._until = 0.0

    def _now(self) -> dict[str, SessionEnd]:
        """What was given once stays as it is."""
        with self._lock:
            if time.monotonic() >= self._until:
                since = self._latest - OVERLAP if self._latest is not None else None
                found = self._line.ask(lambda conn: ended_since(conn, since))
                now = datetime.now(UTC)
                kept = {name: one for name, one in self._ends.items() if one.until > now}
                self._ends = kept | {one.whose: one for one in found}
                self._latest = max((one.at for one in self._ends.values()), default=None)
                self._until = time.monotonic() + KEPT_S
            return self._ends

    def close(self) -> None:
        self._line.close()
