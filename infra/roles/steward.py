"""Carries out what one event of intent asks for many notices: successions, and what subscriptions want from before.

A bounded chunk at a time, each with the event that says how far it has come: stop it anywhere, run it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import structlog
from psycopg import Connection, OperationalError

from adapters.postgres.follower import position_of
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from adapters.postgres.writer import Fact, Writer
from domain import system
from domain.event import Event
from domain.notices import NoticeOwed, notice_stream
from domain.submissions import local_date
from domain.subscriptions import SubscriptionState
from domain.succession import SuccessionState, succession_stream
from domain.world import World
from projections.approvals import Approvals, granted_after

CHUNK = 200
_log = structlog.get_logger("shenguan.steward")


class Steward:
    """For one thread; any number may work at once, because every step is decided under the writer's lock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._registers = RegisterCache()
        self._through: dict[str, int] = {}
        self._complete: set[str] = set()

    def turn(self, conn: Connection[Any], writer: Writer, stopped: Callable[[], bool] = lambda: False) -> int:
        """Takes the next chunk of everything there is to do; how many notices were looked at, so that 0 means all done.

        What fails is shown and left for the next turn, and stops nothing else.
        """
        registers = self._registers.refresh(conn)
        today = local_date(self._clock())
        jobs: list[tuple[str, Callable[[], int]]] = []
        for old, successions in sorted(registers.successions.items()):
            if count := sum(one.since <= today for one in successions):
                stream = succession_stream(old, count)
                jobs.append((stream, partial(self._pass_on, conn, writer, old, stream)))
        for stream in Log(conn).streams_under("subscription"):
            if stream not in self._complete:
                jobs.append((stream, partial(self._backfill, conn, writer, stream)))
        done = 0
        for stream, job in jobs:
            if stopped():
                break
            try:
                done += job()
            except OperationalError:
                raise  # the database is away: the role waits for it
            except Exception as error:  # noqa: BLE001 - one that cannot be carried out must not stop the others
                _log.error("not_carried_out", stream=stream, error=type(error).__name__)
        return done

    def _pass_on(self, conn: Connection[Any], writer: Writer, old: str, stream: str) -> int:
        """The next notices of the ledger; how many."""
        log = Log(conn)
        if stream not in self._through:
            self._through[stream] = SuccessionState(stream).folded(log.streams([stream]).get(stream, ())).through
        owed = log.ledger_after(old, self._through[stream], CHUNK)
        if not owed:
            return 0
        through = owed[-1].serial
        facts: list[Fact] = [_reading(owed), *(partial(_passing, one.notice) for one in owed)]
        writer.write(facts=[*facts, lambda world, now: system.succession_advanced(world, old, stream, through, now)])
        self._through[stream] = through
        return len(owed)

    def _backfill(self, conn: Connection[Any], writer: Writer, stream: str) -> int:
        """The next permits from before; how many. None while the read model is not as far as the subscription."""
        recorded = Log(conn).stream(stream)
        state = SubscriptionState(stream).folded(one.event for one in recorded)
        started = state.started
        assert started is not None
        if state.complete:
            self._complete.add(stream)
            return 0
        if position_of(conn, Approvals.name) < recorded[0].position:
            return 0
        assert started.backfill_from is not None
        last = state.last
        matter = last.matter if last else started.matters[0]
        after = (last.decided_on, last.case) if last and last.decided_on and last.case else None
        rows = granted_after(conn, matter, started.backfill_from, after, CHUNK)
        at: tuple[str, date | None, str | None] = (matter, *rows[-1]) if rows else (matter, None, None)
        complete = False
        if len(rows) < CHUNK:
            following = started.matters[started.matters.index(matter) + 1 :]
            complete = not following
            at = (following[0] if following else matter, None, None)
        told: list[str] = []

        def begin(_world: World, _now: datetime) -> list[Event]:
            told.clear()  # the whole may be decided again
            return []

        def join(case: str, world: World, now: datetime) -> list[Event]:
            events = system.subscriber_joined(world, stream, case, now)
            told.extend(case for _ in events)
            return events

        def advance(world: World, now: datetime) -> list[Event]:
            return system.subscription_backfilled(world, stream, state.version, at, len(told), complete, now)

        writer.write(facts=[begin, *(partial(join, case) for _, case in rows), advance])
        return len(rows) or 1


def _passing(notice: str, world: World, now: datetime) -> list[Event]:
    return system.notice_passed(world, notice, now)


def unfinished(conn: Connection[Any], today: date) -> int:
    """How many successions and subscriptions are still to be carried out, or to the end."""
    log = Log(conn)
    found = 0
    for old, successions in RegisterCache().refresh(conn).successions.items():
        if count := sum(one.since <= today for one in successions):
            stream = succession_stream(old, count)
            through = SuccessionState(stream).folded(log.streams([stream]).get(stream, ())).through
            found += bool(log.ledger_after(old, through, 1))
    subscriptions = log.streams_under("subscription").items()
    return found + sum(not SubscriptionState(stream).folded(events).complete for stream, events in subscriptions)


def _reading(owed: Sequence[NoticeOwed]) -> Fact:
    """Reads at once what the following facts are decided by."""

    def fact(world: World, _: datetime) -> list[Event]:
        world.prefetch({notice_stream(one.notice) for one in owed} | {one.case for one in owed if one.case})
        return []

    return fact
