"""One read: a moment of the database as the caller may see it, its registers, and how persons are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any

from fastapi import Depends, Request
from psycopg import Connection, IsolationLevel
from psycopg_pool import ConnectionPool

from adapters.http.problems import of_status
from domain.access import Area, Caller
from infra.web.identity import AREAS, CallerOf

EVERYBODY = "*"


class Readers:
    """Connections that only read, each lent for one read: as the readers' role, and as the runtime for the log."""

    def __init__(self, url: str, log_url: str, most: int = 8) -> None:
        self._pool = _pool(url, most)
        self._logs = _pool(log_url, most)

    @contextmanager
    def lend(self, department: str) -> Iterator[Connection[Any]]:
        """A transaction that sees one moment, and of the read models the department's rows; `*` is everybody's."""
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("SELECT set_config('shenguan.department', %s, true)", (department,))
            yield conn

    @contextmanager
    def log(self) -> Iterator[Connection[Any]]:
        """One moment of the log, for those who may see all of what they ask of it."""
        with self._logs.connection() as conn, conn.transaction():
            yield conn

    def close(self) -> None:
        self._pool.close()
        self._logs.close()


def _pool(url: str, most: int) -> ConnectionPool[Connection[Any]]:
    named = {"application_name": "shenguan-http"}
    return ConnectionPool(url, min_size=1, max_size=most, open=True, kwargs=named, configure=_prepare)


def _prepare(conn: Connection[Any]) -> None:
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    conn.read_only = True


class Reading:
    """What a door that reads works with."""

    def __init__(
        self, request: Request, caller: Caller, area: Area, conn: Connection[Any], positions: dict[str, int]
    ) -> None:
        self.request = request
        self.caller = caller
        self.area = area
        self.conn = conn
        self.positions = positions  # how far the read models had come when the read began, or before
        self.edition = ""  # of what else the answer rests on

    def log(self) -> AbstractContextManager[Connection[Any]]:
        """The log, for what the caller was found to be allowed to see."""
        readers: Readers = self.request.app.state.readers
        return readers.log()

    @property
    def department(self) -> str | None:
        """Whose rows these are; None: everybody's."""
        return None if self.caller.scope(self.area) == "all" else self.caller.department


def reading(area: Area) -> Callable[..., Iterator[Reading]]:
    """A dependency: a read of an area by a caller who may."""

    def begin(request: Request, caller: CallerOf) -> Iterator[Reading]:
        if any("\0" in str(text) for text in (*request.query_params.values(), *request.path_params.values())):
            raise of_status(422)  # PostgreSQL's texts have none
        scope = caller.scope(area)
        if scope is None:
            raise of_status(403)
        readers: Readers = request.app.state.readers
        positions = request.app.state.heads.positions()
        with readers.lend(EVERYBODY if scope == "all" else caller.department) as conn:
            yield Reading(request, caller, area, conn, positions)

    AREAS[begin] = area
    return begin


ReadingCases = Annotated[Reading, Depends(reading("cases"))]
ReadingNotices = Annotated[Reading, Depends(reading("notices"))]
