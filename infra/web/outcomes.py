"""What became of what was handed in: said when asked, and at once to those who wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from fastapi.concurrency import run_in_threadpool
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from adapters.postgres.http_requests import HttpRequest
from domain.handling import Disposition
from domain.rules import RULES
from infra import disposition
from infra.explaining import awaited, explained
from infra.web.registry import Registry
from projections.outcomes import find_one, find_places

LOOK_S = 0.05
SKEW = timedelta(hours=1)
"""How far the clocks of intake and of the database may differ."""


class Words(BaseModel):
    """In both languages."""

    zh: str
    en: str


class Broken(Words):
    """The rule of the notice, or of the registers, that refuses it; `clause` of the notice, where it is one of its."""

    code: str
    clause: str | None


class Wrong(Words):
    """A field, the rule that it breaks, and what was found there, of personal values the shape only."""

    field: str
    rule: str
    found: str


class Owed(BaseModel):
    """A notice that follows of it."""

    notice: str
    addressee: str
    serial: int
    about: str


class Outcome(BaseModel):
    """A submission that came over HTTP, and what became of it.

    `disposition` is null until intake has decided it. `events`: what it recorded; `rule`: why it is refused, which is
    on record; `waits_for`: the stream without which a parked one is not decided, until `expires_at`; `errors`: why it
    is a dead letter, at `place`; `holder`: of a duplicate or conflict what became of the one before.
    """

    id: str
    source: str
    type: str
    department: str
    occurred_at: datetime
    handed_in_at: datetime
    disposition: Disposition | None
    meaning: Words
    place: str | None = None
    events: list[str] = []
    notices: list[Owed] = []
    rule: Broken | None = None
    waits_for: str | None = None
    waiting: Words | None = None
    expires_at: datetime | None = None
    errors: list[Wrong] = []
    holder: Literal["accepted", "refused", "parked"] | None = None


PENDING = Words(zh="已提交，尚未裁定", en="handed in, not decided yet")


class _Waiter(NamedTuple):
    since: datetime
    done: asyncio.Future[None]


class Outcomes:
    """One question at a time for all who wait. `waited` is for one event loop, the rest for any thread."""

    def __init__(
        self, pool: ConnectionPool[Connection[Any]], registry: Registry, principal: str, ending: threading.Event
    ) -> None:
        self._pool = pool
        self._registry = registry
        self._principal = principal
        self._ending = ending
        self._waiters: dict[str, list[_Waiter]] = {}
        self._looking: asyncio.Task[None] | None = None

    def now(self, request: HttpRequest) -> Outcome:
        """As far as it has come."""
        about: dict[str, Any] = {
            "id": request.id,
            "source": self._principal,
            "type": request.type,
            "department": request.department,
            "occurred_at": request.occurred_at,
            "handed_in_at": request.created_at,
        }
        with self._pool.connection() as conn:
            place = self._places(conn, {request.id: request.created_at}).get(request.id)
            row = find_one(conn, *place) if place is not None else None
            if row is None:
                return Outcome(**about, disposition=None, meaning=PENDING)
            found = disposition.became(conn, row, self._registry.now)
        return Outcome(**about, **_said(found))

    async def waited(self, request: HttpRequest, seconds: float) -> None:
        """Until it is decided, or so many seconds have gone by, or the doors close."""
        waiter = _Waiter(request.created_at, asyncio.get_running_loop().create_future())
        waiters = self._waiters.setdefault(request.id, [])
        waiters.append(waiter)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiter.done, seconds)
        finally:
            waiters.remove(waiter)
            if not waiters and self._waiters.get(request.id) is waiters:
                del self._waiters[request.id]

    async def _look(self) -> None:
        while self._waiters and not self._ending.is_set():
            wanted = {id_: min(one.since for one in waiters) for id_, waiters in self._waiters.items()}
            with suppress(OperationalError):  # the database is away: who waits is answered in his time
                for id_ in await run_in_threadpool(self._decided, wanted):
                    self._tell(id_)
            await asyncio.sleep(LOOK_S)
        for id_ in list(self._waiters):
            self._tell(id_)

    def _tell(self, id_: str) -> None:
        for waiter in self._waiters.get(id_, ()):
            if not waiter.done.done():
                waiter.done.set_result(None)

    def _decided(self, wanted: Mapping[str, datetime]) -> list[str]:
        with self._pool.connection() as conn:
            return list(self._places(conn, wanted))

    def _places(self, conn: Connection[Any], wanted: Mapping[str, datetime]) -> dict[str, tuple[str, int, int]]:
        return find_places(conn, self._principal, list(wanted), min(wanted.values()) - SKEW)


def _said(found: disposition.Became) -> dict[str, Any]:
    row = found.row
    said = disposition.as_json(found)
    rule = RULES.get(row["rule"] or "")
    zh, en = disposition.CALLED[row["disposition"]]
    return {
        **{name: said[name] for name in ("place", "disposition", "events", "notices", "holder")},
        "meaning": Words(zh=zh, en=en),
        "rule": rule and Broken(code=rule.code, clause=rule.clause, zh=rule.zh, en=rule.en),
        "waits_for": row["waits_for"],
        "waiting": row["waits_for"] and Words(zh=awaited(row["waits_for"], True), en=awaited(row["waits_for"], False)),
        "expires_at": row["expires_at"],
        "errors": [
            Wrong(
                field=one["field"] or "*",
                rule=one["rule"],
                found=one["found"],
                zh=explained(one, True),
                en=explained(one, False),
            )
            for one in (row["errors"] if row["disposition"] == "dead" else None) or ()
        ],
    }
