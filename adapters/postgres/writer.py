"""The one writer's code path: decide under the lock, and commit everything that follows from it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from psycopg import Connection
from psycopg.errors import UniqueViolation

from adapters.postgres.deadletters import SealTexts, mark_retried, put_dead
from adapters.postgres.desk import PLACES, PostgresDesk, columns, put_results
from adapters.postgres.log import Log
from adapters.postgres.mapper import EventMapper
from adapters.postgres.positions import Advance, advance, never_read
from adapters.postgres.recorder import WRITER_LOCK, copy_events
from adapters.postgres.signatures import put_signatures
from domain.arrivals import RELEASES_PER_BATCH, Arrival, Intake, Place, Result
from domain.event import Event, State
from domain.handling import streams_of
from domain.notices import ledger_stream
from domain.registers import Registers
from domain.world import World

STATES_KEPT = 10_000
"""When there are more, the half that was first read is dropped, but for the ledgers: they are few, and everybody's."""
LEDGERS = ledger_stream("")
CHANGES_FOLLOWED = 10_000
"""Of others' streams; where they wrote to more, everything is read again as it is needed."""
ATTEMPTS = 5

T = TypeVar("T")
Fact = Callable[[World, datetime], list[Event]]
"""A fact of the system's own, decided against the world like any other."""


@dataclass(slots=True)
class Written:
    """What a batch came to. `more`: a chain of releases was cut, call again at once."""

    results: list[Result] = field(default_factory=list)
    redelivered: int = 0
    events: int = 0
    more: bool = False


@dataclass(slots=True)
class _Cache:
    """Folded states and registers, good for one generation and head of the log."""

    generation: int = -1
    head: int = -1
    registers: Registers = field(default_factory=Registers)
    registers_at: int = 0
    states: dict[str, State] = field(default_factory=dict)


class Writer:
    """Owns a connection. Not for several threads; several processes take turns by the lock."""

    def __init__(
        self,
        connect: Callable[[], Connection[Any]],
        seal: SealTexts,
        parked_for: timedelta = timedelta(days=30),
        clock: Callable[[], datetime] | None = None,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """`clock`: the database's, where none is given. `forget` makes `seal` ask for its keys anew: the database may
        have lost the latest."""
        self._connect = connect
        self._conn: Connection[Any] | None = None
        self._seal = seal
        self._parked_for = parked_for
        self._clock = clock
        self._forget = forget
        self._mapper = EventMapper()
        self._cache = _Cache()

    def open(self) -> None:
        """Connects, where that is not so. Raises psycopg.OperationalError."""
        if self._conn is None:
            self._conn = self._connect()

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()

    def write(
        self,
        arrivals: Sequence[Arrival] = (),
        moves: Sequence[Advance] = (),
        facts: Sequence[Fact] = (),
        letters: Mapping[Place, Arrival] | None = None,
    ) -> Written:
        """Commits a batch of arrivals with their positions, and facts of the system's own.

        `letters`: the dead letters that arrivals ask to have decided again, decoded anew.

        Raises Fenced (nothing written; give the partitions up) or psycopg.OperationalError (nothing known; reconnect,
        and repeat or be fenced). A place in a stream taken by somebody else meanwhile is redecided, not reported.
        """
        return self._guarded(lambda: self._write(arrivals, moves, facts, letters=letters))

    def now(self) -> datetime:
        """The time that decisions go by: what is decided from here on is not of before."""
        return self._guarded(self._time) if self._clock is None else self._clock()

    def _time(self) -> datetime:
        self.open()
        assert self._conn is not None
        row = self._conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        found: datetime = row[0]
        return found

    def run(self, action: Callable[[Connection[Any]], None], facts: Sequence[Fact] = ()) -> Written:
        """Facts of the system's own with a change to the working tables in the same transaction."""
        return self._guarded(lambda: self._write((), (), facts, action))

    def _guarded(self, work: Callable[[], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                return work()
            except UniqueViolation:
                self._cache = _Cache()
                if attempt == ATTEMPTS - 1:
                    raise
            except BaseException:
                self._cache = _Cache()
                self._forget()
                if self._conn is not None and self._conn.broken:
                    self._conn = None
                raise
        raise AssertionError

    def _write(
        self,
        arrivals: Sequence[Arrival],
        moves: Sequence[Advance],
        facts: Sequence[Fact],
        action: Callable[[Connection[Any]], None] | None = None,
        letters: Mapping[Place, Arrival] | None = None,
    ) -> Written:
        self.open()
        conn = self._conn
        assert conn is not None
        with conn.transaction():
            generation, before, now = self._lock(conn)
            advance(conn, moves)
            if action is not None:
                action(conn)
            log = Log(conn)
            world = self._world(log, generation, before, now)
            desk = PostgresDesk(conn, [*arrivals, *(letters or {}).values()], RELEASES_PER_BATCH, never_read(moves))
            world.prefetch(streams_of(a.submission for a in arrivals if a.submission and not desk.seen(a.place)))
            dead = desk.still_dead(letters or {})
            intake = Intake(world, desk, dead)
            ready = desk.ready(RELEASES_PER_BATCH)
            for arrival in ready:
                intake.again(arrival)
            intake.behind = len(ready) == RELEASES_PER_BATCH
            for arrival in arrivals:
                intake.take(arrival)
            for fact in facts:
                intake.record(fact(world, now))
            events = world.pending
            if events:
                copy_events(conn, self._mapper, events, now)
            cut = {a.place for a in intake.cut}
            put_results(conn, intake.results, cut, now, self._parked_for)
            put_dead(conn, intake.results, self._seal, now)
            put_signatures(conn, intake.results)
            mark_retried(conn, [r.arrival.place for r in intake.results if r.arrival.place in dead], now)
            self._count_again(conn, intake.redelivered)
            head = log.head() if events else before
            conn.execute("UPDATE shenguan.writer SET generation = %s", (generation + 1,), prepare=True)
        self._cache.generation, self._cache.head = generation + 1, head
        self._cache.registers_at = head
        return Written(
            intake.results, len(intake.redelivered), len(events), bool(cut) or len(ready) == RELEASES_PER_BATCH
        )

    def _lock(self, conn: Connection[Any]) -> tuple[int, int, datetime]:
        """(generation, position of the last event, now), which nobody else can move until this transaction ends. Now is
        not before the last event, also where a clock was set back."""
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (WRITER_LOCK,), prepare=True)
        row = conn.execute(
            "SELECT generation, coalesce(position, 0),"
            " greatest(coalesce(%b::timestamptz, clock_timestamp()), recorded_at)"
            " FROM shenguan.writer LEFT JOIN (SELECT notification_id, recorded_at FROM shenguan.stored_events"
            " ORDER BY notification_id DESC LIMIT 1) AS last (position, recorded_at) ON true",
            (None if self._clock is None else self._clock(),),
            prepare=True,
        ).fetchone()
        assert row is not None
        return row[0], row[1], row[2]

    def _world(self, log: Log, generation: int, head: int, now: datetime) -> World:
        """The caches hold but for what others wrote since: those streams are read anew, registers by their delta."""
        cache = self._cache
        if (cache.generation, cache.head) != (generation, head):
            changed = log.streams_since(cache.head, CHANGES_FOLLOWED) if cache.generation >= 0 else None
            if changed is None:
                cache.states.clear()
            else:
                for stream in changed:
                    cache.states.pop(stream, None)
            log.refresh(cache.registers, cache.registers_at)
            cache.registers_at = cache.head = head
        if len(cache.states) > STATES_KEPT:
            old = [stream for stream in cache.states if not stream.startswith(LEDGERS)]
            for stream in old[: STATES_KEPT // 2]:
                del cache.states[stream]
        return World(cache.registers, log.streams, now, cache.states, log.leaf)

    def _count_again(self, conn: Connection[Any], places: Sequence[Place]) -> None:
        if places:
            conn.execute(
                "UPDATE shenguan.submission SET redelivered = redelivered + n FROM"
                f" (SELECT t, p, o, count(*) AS n FROM {PLACES} AS u (t, p, o) GROUP BY t, p, o) AS again"
                ' WHERE topic_id = t AND partition = p AND "offset" = o',
                columns(places),
            )
