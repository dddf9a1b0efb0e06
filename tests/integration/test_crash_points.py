"""The writer killed at every step of a transaction, fenced off, meeting others, cut anywhere: the log is the same."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from adapters.postgres.log import Log
from adapters.postgres.mapper import EventMapper
from adapters.postgres.positions import Advance, Fenced, open_epoch, positions
from adapters.postgres.writer import Writer
from domain.arrivals import Arrival, Place
from domain.cases import CaseChanged, case_stream
from domain.event import Event
from domain.notices import NoticeReceived, TakeNotice
from domain.permits import ChangeCase, IssueLicence
from domain.recheck import Recheck
from domain.rules import FieldError
from domain.seals import ApplySeal
from infra.servers.postgres import EmbeddedPostgres
from tests.integration.region import APPROVAL, DAY, FORMER, MATTER, S1, S2, accept, case, decide, receive, registers
from tests.integration.stages import Stage, Template, empty
from tests.integration.teststore import TestStore

_numbers = itertools.count(1)
TOPIC_ID = "crash-topic"
OnStep = Callable[["Brittle", str], None]


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class Counting(psycopg.Cursor[Any]):
    """Tells its connection of every statement before it goes out."""

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self._brittle.step(str(query))
        return super().execute(query, *args, **kwargs)

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
        self._brittle.step(str(query))
        super().executemany(query, *args, **kwargs)

    @contextmanager
    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._brittle.step(str(statement))
        with super().copy(statement, *args, **kwargs) as copy:
            yield copy
            self._brittle.step(f"end of {statement}")

    @property
    def _brittle(self) -> Brittle:
        assert isinstance(self.connection, Brittle)
        return self.connection


class Brittle(Connection[Any]):
    """Calls `on_step` with itself and the statement before each statement, before the commit and after it."""

    on_step: OnStep

    def step(self, what: str) -> None:
        self.on_step(self, what)

    @contextmanager
    def transaction(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with super().transaction(*args, **kwargs) as transaction:
            yield transaction
            self.step("COMMIT")
        self.step("COMMITTED")


def brittle(store: TestStore, on_step: OnStep) -> Writer:
    """A writer whose connections break as told."""

    def connect() -> Connection[Any]:
        conn = Brittle.connect(store.urls.runtime, autocommit=True, cursor_factory=Counting)
        store._connections.append(conn)
        conn.on_step = on_step
        return conn

    return Writer(connect, store.sealer.seal_all)


class Originals:
    """Databases with the same contents: cloned from one that was prepared once."""

    def __init__(self, server: EmbeddedPostgres, template: str, master: bytes) -> None:
        self._server, self._template, self._master = server, template, master
        self.batch: list[Arrival] = []

    @contextmanager
    def clone(self) -> Iterator[TestStore]:
        urls = self._server.create_database(f"crash_{next(_numbers)}", template=self._template)
        store = TestStore(urls, self._master)
        try:
            yield store
        finally:
            store.close()
            self._server.drop_database(urls.name)

    def terminate(self, pid: int) -> None:
        """Ends a backend and waits until it is gone."""
        with psycopg.connect(self._server.superuser_url, autocommit=True) as conn:
            conn.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))


def at(offset: int, arrival: Arrival, partition: int = 0) -> Arrival:
    """The arrival at a place of its own in one topic; it came when its offset says."""
    place = Place(TOPIC_ID, partition, offset)
    return replace(arrival, place=place, arrived_at=arrival.arrived_at + timedelta(milliseconds=offset))


def in_row(arrivals: Sequence[Arrival]) -> list[Arrival]:
    return [at(offset, arrival) for offset, arrival in enumerate(arrivals)]


def move(start: int, end: int, partition: int = 0, epoch: int = 1) -> Advance:
    return Advance(TOPIC_ID, partition, start, epoch, end)


def first_batch(store: TestStore) -> list[Arrival]:
    """What is there before: a granted case, things parked for another."""
    return [
        store.arrival(accept("1"), id_="a1"),
        store.arrival(decide("1"), id_="d1"),
        store.arrival(decide("2"), id_="d2"),
        store.arrival(receive(S1, "test/d2", store.now), id_="r2"),
        store.arrival(TakeNotice(department=S1, notice=f"{S1}/test/d2"), id_="t2"),
    ]


def second_batch(store: TestStore) -> list[Arrival]:
    """Something of every disposition, releases of what was parked before and in this batch, personal data."""
    dead = store.arrival(decide("9"), id_="x9")
    return [
        store.arrival(receive(S1, "test/d3", store.now), id_="r3"),
        store.arrival(case(ChangeCase, "1", content="变更", on=DAY, document_number="变1"), id_="c1"),
        store.arrival(decide("1"), id_="d1"),  # duplicate
        store.arrival(decide("1", "not_granted"), id_="d1"),  # conflict
        replace(dead, submission=None, errors=(FieldError("number", "x", "坏", "9"),)),
        store.arrival(
            case(ApplySeal, "1", by=FORMER, seal="Z", certificate_serial="ab12", document_sm3="0" * 64,
                 applied_at=store.now),
            id_="seal1",
        ),
        store.arrival(accept("2"), id_="a2"),  # releases three
        store.arrival(decide("3"), id_="d3"),
        store.arrival(accept("3"), id_="a3"),  # releases two
        store.arrival(case(IssueLicence, "7", licence_number="证", certificate="许可证", issued_on=DAY), id_="l7"),
        store.arrival(receive(S2, "test/d3", store.now), id_="q3"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def originals(postgres_server: EmbeddedPostgres, template: Callable[[Stage], Template]) -> Iterator[Originals]:
    """A region with the first batch written at the beginning of a partition, and the second one to be written."""
    urls = postgres_server.create_database(f"crash_{next(_numbers)}", template=template(empty).name)
    found = Originals(postgres_server, urls.name, os.urandom(32))
    store = TestStore(urls, found._master)
    registers(store)
    with store.connect() as conn:
        open_epoch(conn, "crash", TOPIC_ID, 1)
        positions(conn, [(TOPIC_ID, 0, 1), (TOPIC_ID, 1, 1)])
    batch = in_row(first_batch(store) + second_batch(store))
    store.writer.write(batch[:5], [move(0, 5)])
    found.batch = batch[5:]
    store.close()
    yield found
    postgres_server.drop_database(urls.name)


def log(conn: Connection[Any]) -> list[Any]:
    """Everything of the log but record times and positions, in order; the stored bytes themselves."""
    return conn.execute(
        "SELECT originator_id, originator_version, topic, state, unique_key FROM shenguan.stored_events"
        " ORDER BY notification_id"
    ).fetchall()


def picture(store: TestStore) -> dict[str, Any]:
    """All that a batch may change, record times and ciphertexts aside."""
    queries = {
        "submissions": "SELECT partition, \"offset\", disposition, rule, stream, version, redelivered, source, id"
        " FROM shenguan.submission ORDER BY topic_id, 1, 2",
        "parked": 'SELECT partition, "offset", stream, sealed, ready FROM shenguan.parked ORDER BY topic_id, 1, 2',
        "dead": 'SELECT partition, "offset", subject, errors FROM shenguan.dead_letter ORDER BY topic_id, 1, 2',
        "positions": "SELECT topic_id, partition, next_offset, epoch FROM shenguan.intake_position ORDER BY 1, 2",
    }  # fmt: skip
    with store.connect() as conn:
        return {"log": log(conn), **{name: conn.execute(query).fetchall() for name, query in queries.items()}}


def sound(store: TestStore) -> Recheck:
    """Owed, recorded, gapless, in order."""
    recheck = Recheck()
    with store.connect() as conn:
        assert [p for one in Log(conn).all() for p in recheck.take(one)] + list(recheck.finish()) == []
    return recheck


def uncrashed(
    originals: Originals, batch: Sequence[Arrival], moves: Sequence[Advance]
) -> tuple[dict[str, Any], list[str]]:
    """The picture after one write, and the steps it took."""
    steps: list[str] = []
    with originals.clone() as store:
        written = brittle(store, lambda conn, what: steps.append(what)).write(batch, moves)
        assert {result.outcome.disposition for result in written.results} == {
            "accepted", "refused", "duplicate", "conflict", "parked", "dead"
        }  # fmt: skip
        sound(store)
        return picture(store), steps


def written_in_the_end(writer: Writer, batch: Sequence[Arrival], moves: Sequence[Advance]) -> None:
    """As the intake goes on: a connection lost is made anew, and fenced off means that the batch was committed."""
    for _ in range(3):
        try:
            writer.write(batch, moves)
        except psycopg.OperationalError:
            continue
        except Fenced:
            return
        return
    raise AssertionError("three connections lost")


@pytest.mark.parametrize("dies", ["process", "backend"])
def test_a_crash_at_any_step_leaves_all_or_nothing(originals: Originals, dies: str) -> None:
    """Killed before each statement, before the commit and after it; then the same batch comes again."""
    batch, moves = originals.batch, [move(5, 5 + len(originals.batch))]
    whole, steps = uncrashed(originals, batch, moves)
    assert len(steps) > 12
    for last in range(len(steps)):
        with originals.clone() as store:
            crash = Crash(originals, last, dies)
            before = picture(store)
            writer = brittle(store, crash)
            if dies == "process":
                with pytest.raises(Killed):
                    writer.write(batch, moves)
                writer.close()
                assert picture(store) == (whole if steps[last] == "COMMITTED" else before), steps[last]
                writer = store.writer  # what another process has
            written_in_the_end(writer, batch, moves)
            assert crash.struck == steps[last]
            assert picture(store) == whole, steps[last]
            again = store.writer.write(batch)
            assert (again.redelivered, again.events) == (len(batch), 0)


class Crash:
    """Strikes once, at one step."""

    def __init__(self, originals: Originals, last: int, dies: str) -> None:
        self._originals, self._left, self._dies = originals, last, dies
        self.struck = ""

    def __call__(self, conn: Brittle, what: str) -> None:
        if self._left == 0:
            self.struck = what
            if self._dies == "process":
                self._left = -1
                raise Killed
            self._originals.terminate(conn.info.backend_pid)
        self._left -= 1


def test_a_zombie_with_an_overlapping_batch_is_refused_whole(originals: Originals) -> None:
    """Whatever it holds of what others have moved since: nothing of it is written, not even what is new."""
    batch = originals.batch
    with originals.clone() as store:
        store.writer.write(batch[:4], [move(5, 9)])
        after = picture(store)
        other = at(0, store.arrival(accept("77"), id_="a77"), partition=1)
        zombie = Writer(store.connect, store.sealer.seal_all)
        for stale, moves in (
            (batch[:6], [move(5, 11)]),  # from before, and beyond
            (batch[:4], [move(5, 9)]),  # the very same
            (batch[4:], [move(8, 16)]),  # from within
            ([*batch[4:], other], [move(5, 16), move(0, 1, partition=1)]),  # one of two partitions
            (batch[4:], [move(9, 16, epoch=0)]),
            (batch[4:], [move(9, 16), move(0, 1, partition=7)]),  # a partition nobody knows
        ):
            with pytest.raises(Fenced):
                zombie.write(stale, moves)
            assert picture(store) == after
        # What it wrongly decided has not stayed in its memory.
        zombie.write(batch[4:], [move(9, 16)])
        expected, _ = uncrashed(originals, batch, [move(5, 16)])
        assert picture(store) == expected


def test_two_workers_take_turns(originals: Originals) -> None:
    """Each decides on what the other wrote a moment ago."""
    batch = originals.batch
    whole, _ = uncrashed(originals, batch, [move(5, 16)])
    with originals.clone() as store:
        workers = itertools.cycle([store.writer, Writer(store.connect, store.sealer.seal_all)])
        for index, arrival in enumerate(batch):
            next(workers).write([arrival], [move(5 + index, 6 + index)])
        assert picture(store) == whole


def test_two_workers_at_once(originals: Originals) -> None:
    """Two partitions, two workers: no serial twice, none left out."""

    def work(store: TestStore, partition: int) -> None:
        writer, numbers = Writer(store.connect, store.sealer.seal_all), range(20)
        made = [store.arrival(kind(f"{partition}-{n}"), id_=f"{kind.__name__}-{partition}-{n}")
                for n in numbers for kind in (accept, decide)]  # fmt: skip
        start = 16 if partition == 0 else 0
        for index, arrival in enumerate(made):
            where = start + index
            writer.write([at(where, arrival, partition)], [move(where, where + 1, partition)])

    with originals.clone() as store:
        store.writer.write(originals.batch, [move(5, 16)])
        before = sound(store).notices
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda partition: work(store, partition), (0, 1)))
        recheck = sound(store)
        assert recheck.notices == before + 2 * 20 * 2
        with store.connect() as conn:
            ledgers = conn.execute(
                "SELECT originator_id, count(*), max(originator_version) FROM shenguan.stored_events"
                " WHERE originator_id LIKE 'ledger/%' GROUP BY 1"
            ).fetchall()
        assert all(count == last for _, count, last in ledgers)


def test_batches_may_end_anywhere(originals: Originals) -> None:
    """Ids and order of the log do not depend on it."""
    batch = originals.batch
    whole, _ = uncrashed(originals, batch, [move(5, 16)])
    for seed in range(8):
        ends = sorted({*random.Random(seed).sample(range(1, len(batch)), seed + 1), len(batch)})
        with originals.clone() as store:
            for start, end in itertools.pairwise([0, *ends]):
                store.writer.write(batch[start:end], [move(5 + start, 5 + end)])
            assert picture(store) == whole, ends


def test_a_place_taken_meanwhile_is_decided_again(region: TestStore) -> None:
    """Somebody writes without the lock between our reading and our inserting: redecided, not dead."""
    region.submit(accept("1"), decide("1"))

    def taking(event: Event) -> OnStep:
        done: list[bool] = []

        def insert(conn: Brittle, what: str) -> None:
            if what.startswith("COPY shenguan.stored_events") and not done:
                done.append(True)
                stored = EventMapper().to_stored_event(event)
                with region.connect() as rival:
                    rival.execute(
                        "INSERT INTO shenguan.stored_events (originator_id, originator_version, topic, state)"
                        " VALUES (%s, %s, %s, %s)",
                        (stored.originator_id, stored.originator_version, stored.topic, stored.state),
                    )

        return insert

    meta = region.arrival(accept("1")).submission.meta  # type: ignore[union-attr]
    change = CaseChanged(
        originator_id=case_stream(APPROVAL, "1"), originator_version=3, meta=meta, matter=MATTER, document_number="变",
        on=DAY, audience=(), content=region.sealer.seal("case", "变更"),
    )  # fmt: skip
    licence = case(IssueLicence, "1", licence_number="证1", certificate="许可证", issued_on=DAY)
    written = brittle(region, taking(change)).write([region.arrival(licence)])
    assert [(r.outcome.disposition, r.outcome.events[0].originator_version) for r in written.results] == [
        ("accepted", 4)
    ]

    # And where the rival took what we came for, the rules say so.
    fact = f"{S1}/test/{written_id(region, '1')}"
    signed = NoticeReceived(originator_id=f"notice/{fact}", originator_version=1, meta=meta, received_at=region.now)
    result = brittle(region, taking(signed)).write(
        [region.arrival(receive(S1, f"test/{written_id(region, '1')}", region.now))]
    )
    assert [(r.outcome.disposition, r.outcome.rule) for r in result.results] == [("refused", "notice.already")]


def written_id(store: TestStore, number: str) -> str:
    """The id of the submission that decided the case."""
    with store.connect() as conn:
        row = conn.execute(
            "SELECT id FROM shenguan.submission WHERE type = 'case.decide' AND stream = %s",
            (case_stream(APPROVAL, number),),
        ).fetchone()
    assert row is not None
    return str(row[0])
