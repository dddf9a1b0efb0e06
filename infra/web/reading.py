"""One read: a moment of the database as the caller may see it, its registers, and how persons are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Annotated, Any

from fastapi import Depends, Request
from psycopg import Connection, IsolationLevel
from psycopg_pool import ConnectionPool

from adapters.http.problems import of_status
from domain.access import Area, Caller
from infra.web.identity import AREAS, CallerOf

EVERYBODY = "*"
WAIT_S = 5.0
"""For a connection; then the caller is asked to come back, by 503."""
STATEMENT_S = 30
READERS = 8
FILES = 2
"""Connections for whole files, which take long: who asks for them waits for nobody but others who do."""


class Readers:
    """Connections that only read, each lent for one read: as the readers' role, and as the runtime for the log."""

    def __init__(self, url: str, log_url: str, most: int = READERS) -> None:
        self._pool = _pool(url, most)
        self._logs = _pool(log_url, most)
        self._files = _pool(url, FILES)

    def lend(self, department: str) -> AbstractContextManager[Connection[Any]]:
        """A transaction that sees one moment, and of the read models the department's rows; `*` is everybody's. Raises
        PoolTimeout where others have them all."""
        return _lent(self._pool, department)

    def lend_for_file(self, department: str) -> AbstractContextManager[Connection[Any]]:
        """As `lend`, for whole files."""
        return _lent(self._files, department)

    @contextmanager
    def log(self) -> Iterator[Connection[Any]]:
        """One moment of the log, for those who may see all of what they ask of it."""
        with self._logs.connection() as conn, conn.transaction():
            yield conn

    def close(self) -> None:
        self._pool.close()
        self._logs.close()
        self._files.close()


@contextmanager
def _lent(pool: ConnectionPool[Connection[Any]], department: str) -> Iterator[Connection[Any]]:
    with pool.connection() as conn, conn.transaction():
        conn.execute("SELECT set_config('shenguan.department', %s, true)", (department,))
        yield conn


def _pool(url: str, most: int) -> ConnectionPool[Connection[Any]]:
    named = {"application_name": "shenguan-http"}
    return ConnectionPool(url, min_size=1, max_size=most, open=True, timeout=WAIT_S, kwargs=named, configure=_prepare)


def _prepare(conn: Connection[Any]) -> None:
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    conn.read_only = True
    conn.execute(f"SET statement_timeout = '{STATEMENT_S}s'")
    conn.commit()


class Reading:
    """What a door that reads works with."""

    def __init__(
        self,
        request: Request,
        caller: Caller,
        area: Area,
        conn: Connection[Any],
        positions: dict[str, int],
        release: Callable[[], None],
    ) -> None:
        self.request = request
        self.caller = caller
        self.area = area
        self.conn = conn
        self.positions = positions  # how far the read models had come when the read began, or before
        self.release = release  # gives `conn` back before the answer is sent
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
    """A dependency: a read of an area by a caller who may. With `scope="function"` the connection is given back before
    the answer is sent, however slowly that is fetched; files have read their rows by then."""

    def begin(request: Request, caller: CallerOf) -> Iterator[Reading]:
        if any("\0" in str(text) for text in (*request.query_params.values(), *request.path_params.values())):
            raise of_status(422)  # PostgreSQL's texts have none
        scope = caller.scope(area)
        if scope is None:
            raise of_status(403)
        readers: Readers = request.app.state.readers
        positions = request.app.state.heads.positions()
        with ExitStack() as lent:
            conn = lent.enter_context(readers.lend(EVERYBODY if scope == "all" else caller.department))
            yield Reading(request, caller, area, conn, positions, lent.close)

    AREAS[begin] = area
    return begin


ReadingCases = Annotated[Reading, Depends(reading("cases"), scope="function")]
ReadingNotices = Annotated[Reading, Depends(reading("notices"), scope="function")]
