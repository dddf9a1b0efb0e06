"""Our recorder held against the library's own test cases, and its writes beside those of our bulk path."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from threading import Event
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing import cryptography
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection, conninfo

from adapters.postgres.log import Log, LogApplication, application
from adapters.postgres.recorder import LogRecorder
from domain.attempts import AttemptRefused
from domain.cases import CaseAccepted, case_stream
from domain.event import Meta
from domain.party import Party
from domain.recheck import Recheck
from infra.servers.postgres import RUNTIME
from tests.integration.region import APPROVAL, DAY, MATTER, accept, decide
from tests.integration.teststore import TestStore

# The module of the library's test cases imports the library's AES cipher for cases that are none of ours, and with it
# pycryptodome. The library has the same class on top of `cryptography`, which we have.
sys.modules.setdefault("eventsourcing.cipher", cryptography)
from eventsourcing.tests import persistence as library  # noqa: E402


class Quiet(LogRecorder):
    """As an aggregate recorder, which tells no positions: the library's test case wants None."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class OverOurs:
    """A migrated store of its own for each of the library's tests, opened as the runtime role."""

    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = True
    recorder_class: type[LogRecorder] = LogRecorder
    _datastore: PostgresDatastore

    @pytest.fixture(autouse=True)
    def _open(self, store: TestStore) -> Iterator[None]:
        parts = conninfo.conninfo_to_dict(store.urls.runtime)
        assert parts["user"] == RUNTIME
        with PostgresDatastore(
            dbname=str(parts["dbname"]),
            host=str(parts["host"]),
            port=str(parts["port"]),
            user=str(parts["user"]),
            password=str(parts["password"]),
            schema="shenguan",
            originator_id_type="text",
            pool_size=10,
            max_overflow=10,
        ) as self._datastore:
            yield

    def new_originator_id(self) -> str:
        return f"case/{uuid4()}"

    def create_recorder(self) -> Any:
        return self.recorder_class(self._datastore)


class TestAsAggregateRecorder(OverOurs, library.AggregateRecorderTestCase):
    """Streams: atomic, one event per version, ranges of versions."""

    recorder_class = Quiet


class TestAsApplicationRecorder(OverOurs, library.ApplicationRecorderTestCase[LogRecorder]):
    """Notifications: in order, contiguous, filtered, with many writers and readers at once."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAsTrackingRecorder(OverOurs, library.TrackingRecorderTestCase):
    """Followers' positions: forward only."""


class TestAsProcessRecorder(OverOurs, library.ProcessRecorderTestCase):
    """Events with a position, in one transaction."""


class TestNotificationIdsDoNotInterleave(OverOurs, library.NonInterleavingNotificationIDsBaseCase):
    """Two writers' ids lie side by side: no reader can overtake a writer."""


@pytest.fixture
def stock(region: TestStore) -> Iterator[LogApplication]:
    """The log as a stock `eventsourcing` application."""
    app = application(region.urls.runtime)
    yield app
    app.close()


def attempted(number: int, version: int = 1) -> AttemptRefused:
    """An event that a stock application might save."""
    return AttemptRefused(
        originator_id=f"attempt/stock/{number}",
        originator_version=version,
        meta=meta(f"attempt{number}.{version}"),
        rule="mandate.role",
        clause=None,
        type="case.decide",
        about=None,
    )


def meta(id_: str) -> Meta:
    return Meta(source="stock", id=id_, principal="stock", auth="none", occurred_at=datetime(2026, 3, 2, tzinfo=UTC))


def accepted(number: str) -> CaseAccepted:
    return CaseAccepted(
        originator_id=case_stream(APPROVAL, number),
        originator_version=1,
        meta=meta(f"accept{number}"),
        organ=APPROVAL,
        number=number,
        matter=MATTER,
        party=Party(kind="法人及非法人组织", name="蒙草公司"),
        accepted_on=DAY,
    )


def table(conn: Connection[Any], after: int = 0) -> list[tuple[int, datetime, str, int]]:
    """(position, record time, stream, version) by position."""
    return conn.execute(
        "SELECT notification_id, recorded_at, originator_id, originator_version FROM shenguan.stored_events"
        " WHERE notification_id > %s ORDER BY notification_id",
        (after,),
    ).fetchall()


def rises(values: list[Any]) -> bool:
    return all(one < next_ for one, next_ in pairwise(values))


def test_stock_saves_and_our_writer_alternate(region: TestStore, stock: LogApplication) -> None:
    """Each sees at once what the other wrote, and nothing is lost on either side."""
    with region.connect() as conn:
        expected = [(row[2], row[3]) for row in table(conn)]
        for turn in range(5):
            saved = stock.save(accepted(f"stock{turn}"), attempted(turn))
            expected += [(one.domain_event.originator_id, one.domain_event.originator_version) for one in saved]
            assert rises([one.notification.id for one in saved])
            # Decided on what the stock application said a moment ago, although our writer has a cache.
            written = region.submit(accept(f"ours{turn}"), decide(f"stock{turn}"), decide(f"ours{turn}"))
            mine = [event for result in written.results for event in result.outcome.events]
            expected += [(event.originator_id, event.originator_version) for event in mine]
            [again] = stock.save(attempted(turn, 2))
            expected.append((again.domain_event.originator_id, 2))

        found = table(conn)
        assert [(stream, version) for _, _, stream, version in found] == expected
        assert rises([row[0] for row in found])
        assert rises([row[1] for row in found])
        log = list(Log(conn).all())
    assert [one.position for one in log] == [row[0] for row in found]
    assert [str(one.originator_id) for one in stock.recorder.select_notifications(1, 10_000)] == [
        stream for stream, _ in expected
    ]
    recheck = Recheck()
    assert [problem for one in log for problem in recheck.take(one)] + list(recheck.finish()) == []
    assert recheck.notices == 2 * 10  # S1 and S2 hear of both cases of each turn


def test_a_stock_conflict_is_reported_to_the_stock_application(region: TestStore, stock: LogApplication) -> None:
    region.submit(accept("1"))
    with pytest.raises(IntegrityError):
        stock.save(accepted("1"))
    region.submit(decide("1"))


def test_a_reader_that_follows_both_misses_nothing(region: TestStore, stock: LogApplication) -> None:
    """Positions come in commit order: who reads on from the last one it saw has seen all before it."""
    seen: list[tuple[int, datetime, str, int]] = []
    done = Event()

    def follow() -> None:
        with psycopg.connect(region.urls.runtime, autocommit=True) as conn:
            while True:
                last = done.is_set()
                found = table(conn, seen[-1][0] if seen else 0)
                seen.extend(found)
                if last and not found:
                    return

    def save() -> None:
        for number in range(60):
            stock.save(*(attempted(number, version) for version in range(1, 6)))

    def write() -> None:
        for number in range(60):
            region.submit(accept(f"c{number}"), decide(f"c{number}"))

    with ThreadPoolExecutor(3) as pool:
        follower = pool.submit(follow)
        writers = [pool.submit(save), pool.submit(write)]
        try:
            for one in writers:
                one.result()
        finally:
            done.set()
        follower.result()
    with region.connect() as conn:
        assert seen == table(conn)
    assert rises([row[1] for row in seen])
    assert sum(row[2].startswith("attempt/stock/") for row in seen) == 300
    assert sum(row[2].startswith("case/") for row in seen) == 120
