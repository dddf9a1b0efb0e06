"""Keeps the clocks: recomputes due dates when rules change, climbs ladders, tells of permits that end (2.2j).

Once a day everything that is overdue is looked at, and once after every change of limits or calendar everything that
runs: a bounded chunk at a time, each decided under the writer's lock. Stop it anywhere, run several, let it rest for a
week: every rung is climbed once, and what was missed is caught up with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import structlog
from psycopg import Connection

from adapters.postgres.follower import position_of
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from adapters.postgres.writer import Fact, Writer
from domain import system
from domain.calendars import CalendarUnknown
from domain.clock_state import clock_stream
from domain.event import Event
from domain.ladders import entries_due
from domain.notices import notice_stream
from domain.registers import Registers
from domain.submissions import local_date
from domain.world import World
from projections.approvals import Approvals, expiring_after, undecided_after
from projections.clocks import Clocks, running_after
from projections.receipts import Receipts, outstanding_after, overdue_after

CHUNK = 200
READ = 5_000
"""So many running clocks are compared with the rules at once; most need no change."""
_MODELS = (Approvals.name, Clocks.name, Receipts.name)
_log = structlog.get_logger("shenguan.keeper")
_Chunks = Iterator[Sequence[str]]
_Decide = Callable[[World, str, datetime], list[Event]]


class Keeper:
    """For one thread; any number may work at once."""

    def __init__(self) -> None:
        self._registers = RegisterCache()
        self._begun: dict[str, tuple[object, int]] = {}  # each round's rules or day, and the head as it became due
        self._done: dict[str, object] = {}  # for which of these it was made to the end

    def turn(self, conn: Connection[Any], writer: Writer, stopped: Callable[[], bool] = lambda: False) -> int:
        """Makes the rounds that are due, to the end; how many events were recorded."""
        registers, today = self._registers.refresh(conn), local_date(writer.now())

        def make(name: str, key: object, chunks: _Chunks, decide: _Decide) -> int:
            if self._done.get(name) == key:
                return 0
            if name not in self._begun or self._begun[name][0] != key:
                self._begun[name] = key, Log(conn).head()
            # What the read models have not seen yet is left out: the round is then made again.
            complete = all(position_of(conn, model) >= self._begun[name][1] for model in _MODELS)
            done = 0
            for chunk in chunks:
                if stopped():
                    return done
                done += self._decide(writer, chunk, decide)
            if complete:
                self._done[name] = key
            return done

        done = make("rules", registers.clock_rules, self._changed(conn, registers), system.due_recomputed)
        late = (today, self._done.get("rules"))  # once more when all that runs is recomputed
        done += make("day", late, self._late(conn, registers, today), system.rung_climbed)
        return done + make("ends", today, _in_chunks(partial(expiring_after, conn, today)), system.permit_expired)

    def _changed(self, conn: Connection[Any], registers: Registers) -> _Chunks:
        """What may have another day by the rules of now."""
        after = ""
        while rows := outstanding_after(conn, after, READ):
            after = rows[-1].notice
            found = [notice_stream(row.notice) for row in rows if row.differs(registers)]
            yield from (found[at : at + CHUNK] for at in range(0, len(found), CHUNK))
        yield from _in_chunks(partial(running_after, conn, None))

    def _late(self, conn: Connection[Any], registers: Registers, today: date) -> _Chunks:
        """What may have a rung to climb."""
        for chunk in _in_chunks(partial(overdue_after, conn, today)):
            yield [notice_stream(one) for one in chunk]
        yield from _in_chunks(partial(running_after, conn, today))
        promised = tuple(registers.entries.get("guide", ()))
        yield from _in_chunks(partial(undecided_after, conn, today, promised))
        # What registers hold is pressed where they are kept, not wherever they are followed.
        if registers.master is None and (found := entries_due(registers, today)):
            yield found

    def _decide(self, writer: Writer, subjects: Sequence[str], decide: _Decide) -> int:
        """Until nothing more comes of them: who was away for long has several rungs to climb."""
        unknown: set[int] = set()

        def read(world: World, _: datetime) -> list[Event]:
            world.prefetch({*subjects, *map(clock_stream, subjects)})
            return []

        def fact(subject: str, world: World, now: datetime) -> list[Event]:
            try:
                return decide(world, subject, now)
            except CalendarUnknown as error:
                unknown.add(error.year)
                return []

        facts: list[Fact] = [read, *(partial(fact, subject) for subject in subjects)]
        done = 0
        while events := writer.write(facts=facts).events:
            done += events
        if unknown:
            _log.warning("calendar_unknown", years=sorted(unknown), clocks=len(subjects))
        return done


def _in_chunks(read: Callable[[str, int], Sequence[str]]) -> _Chunks:
    """By the name that the last chunk ended with."""
    after = ""
    while found := read(after, CHUNK):
        yield found
        after = found[-1]
