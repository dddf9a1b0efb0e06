"""Fetching and reading in another process: the same arrivals, and nothing lost or twice whatever becomes of it."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka import errors

from adapters.kafka.clients import BrokerError
from adapters.kafka.records import Place, RawRecord
from adapters.kafka.topics import TopicSpec, apply
from adapters.postgres.writer import Written
from domain.arrivals import Arrival
from domain.personal import unseal
from infra import feeding, founding
from infra.generator.feed import record
from infra.generator.year import generate
from infra.roles import intake
from infra.roles.decoding import Decoder
from infra.roles.feed import Batch, Feed, Positions, batch_of
from infra.roles.feed_apart import Begin, FeedApart, FeedDied, GiveUp, Stop, Where, _FeedProcess
from infra.roles.intake import IntakeRole
from infra.roles.reading import Reader
from infra.topics import apply_topics
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, running, store_for, until
from tests.integration.teststore import MASTER, TestStore


@pytest.fixture
def empty(store: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    made = store_for(store, MASTER, bootstrap, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("year")
    generate(120, 5, out, rare=False)  # no clock role carries anything out here
    return out


def records(store: TrackedStore, year: Path) -> list[RawRecord]:
    found = []
    for offset, line in enumerate((year / "submissions.jsonl").read_text().splitlines()):
        principal, key, headers, value = record(json.loads(line))
        found.append(RawRecord(store.names.intake(principal), 0, offset, key, value, tuple(headers), 0))
    return found


def plain(arrival: Arrival, store: TrackedStore) -> tuple[Any, ...]:
    """All that is not random."""
    submission = arrival.submission
    payload = submission and (type(submission.payload), unseal(submission.payload, store.open))
    raw = arrival.raw and arrival.raw()
    return (
        *(arrival.place, arrival.topic, arrival.principal, arrival.auth, arrival.content, arrival.source, arrival.id),
        *(arrival.type, arrival.retry_of, arrival.errors, payload, raw),
        submission and (submission.source, submission.id, submission.occurred_at, submission.classified),
    )


def test_what_another_process_reads_is_what_is_read_here(empty: TrackedStore, year: Path) -> None:
    found = records(empty, year)
    ids = {r.topic: f"id-of-{r.topic}" for r in found}
    decoder = Decoder(empty.names, empty.sealer(), "acl")
    there = pickle.loads(pickle.dumps(batch_of(found, ids, Reader(empty.names, empty.sealer()))))
    here = decoder.decode(found, ids)
    assert [plain(a, empty) for a in decoder.arrivals(there)] == [plain(a, empty) for a in here]
    assert any(a.errors for a in here)
    assert any(a.submission and a.submission.classified for a in here)


def batches(feed: Feed, number: int) -> list[Batch]:
    found: list[Batch] = []
    until(lambda: bool((one := feed.poll(0.2)) and found.append(one)) or len(found) >= number, 30)
    return found


class Asked:
    """Positions for whoever asks: everything from its start."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.answer: Callable[[list[Place]], dict[Place, int]] = lambda places: dict.fromkeys(places, 0)

    def __call__(self, places: list[Place], topic_ids: dict[str, str]) -> dict[Place, int]:
        assert all(topic in topic_ids for topic, _ in places)
        self.places += places
        return self.answer(places)


@pytest.fixture
def fed(empty: TrackedStore, year: Path) -> Iterator[tuple[FeedApart, Asked, int]]:
    """A feed, and how many records there are for it."""
    names = {r.topic for r in records(empty, year)}
    apply(empty.kafka_options, [TopicSpec(name, 2, 3_600_000) for name in names])
    sent = feeding.send(empty, year, ["submissions.jsonl"])
    empty.settings = empty.settings.model_copy(update={"batch_max_records": max(1, sent // 6)})
    asked = Asked()
    feed = FeedApart(empty, asked)
    yield feed, asked, sent
    feed.close()
    assert reading_processes() == []


def places_of(batches: list[Batch]) -> list[tuple[str, int, int]]:
    return [place for batch in batches for place in batch.places]


def test_everything_comes_once_and_again_when_it_was_given_up(fed: tuple[FeedApart, Asked, int]) -> None:
    feed, asked, sent = fed
    first = batches(feed, 2)  # and more are under way
    feed.give_up()
    again = batches(feed, 6)
    assert set(places_of(first)) < set(places_of(again))
    assert len(places_of(again)) == len(set(places_of(again)))
    assert asked.places.count(asked.places[0]) == 2
    rest: list[Batch] = []
    until(lambda: ((one := feed.poll(0.2)) is not None and rest.append(one)) or len(places_of(again + rest)) == sent)
    assert feed.poll(0.5) is None


def test_a_killed_process_is_told_of_and_replaced(fed: tuple[FeedApart, Asked, int]) -> None:
    feed, _, _ = fed
    first = batches(feed, 1)
    (process,) = reading_processes()
    os.kill(process, signal.SIGKILL)
    with pytest.raises(FeedDied):
        batches(feed, 20)
    feed.give_up()
    assert set(places_of(first)) < set(places_of(batches(feed, 6)))  # how they are cut depends on what came when


def test_what_positions_raise_comes_out_and_is_asked_again(fed: tuple[FeedApart, Asked, int]) -> None:
    feed, asked, _ = fed
    well = asked.answer

    def fail(_: list[Place]) -> dict[Place, int]:
        raise psycopg.OperationalError("away")

    asked.answer = fail
    with pytest.raises(psycopg.OperationalError, match="away"):
        batches(feed, 1)
    feed.give_up()
    before = len(asked.places)
    feed.stay(1.5, threading.Event())
    assert len(asked.places) == before  # nobody is asked meanwhile
    asked.answer = well
    assert batches(feed, 1)


def test_what_the_key_store_raises_comes_out(empty: TrackedStore, fed: tuple[FeedApart, Asked, int]) -> None:
    feed, _, _ = fed
    batches(feed, 1)
    with psycopg.connect(empty.migrator_url) as conn:
        conn.execute("ALTER TABLE vault.subject_key RENAME TO hidden")
    feed.give_up()
    with pytest.raises(psycopg.errors.UndefinedTable):
        batches(feed, 20)
    with psycopg.connect(empty.migrator_url) as conn:
        conn.execute("ALTER TABLE vault.hidden RENAME TO subject_key")
    feed.give_up()
    assert batches(feed, 1)


class Scripted:
    """A feed of one place that was flowing before, and asks for another whenever it is polled."""

    def __init__(self, ask: Positions) -> None:
        self.ask = ask
        self.said: list[str] = []
        self.error: Exception | None = None

    def poll(self, wait_s: float) -> Batch | None:
        self.ask([("waiting", 0)], {})
        self.said.append("fetched")
        if self.error is not None:
            raise self.error
        return Batch({}, [("flowing", 0, 7)], [], [])

    def give_up(self) -> None:
        self.said.append("given up")

    def stay(self, seconds: float, stopped: threading.Event) -> None: ...

    def close(self) -> None:
        self.said.append("closed")


@contextmanager
def served(error: Exception | None = None) -> Iterator[tuple[Scripted, Connection, Connection]]:
    """What runs in the process, in a thread; its results and its orders."""
    results, out = multiprocessing.Pipe(duplex=False)
    orders, given = multiprocessing.Pipe(duplex=False)
    feeds: list[Scripted] = []

    def begin(ask: Positions) -> Scripted:
        feeds.append(Scripted(ask))
        feeds[0].error = error
        return feeds[0]

    thread = threading.Thread(target=_FeedProcess(0, 0, out, orders).run, args=(begin,))
    thread.start()
    try:
        until(lambda: feeds)
        yield feeds[0], results, given
    finally:
        given.send(Stop())
        thread.join()
        for end in (results, out, orders, given):
            end.close()
    assert feeds[0].said[-1] == "closed"


def test_what_was_given_up_while_it_asked_is_dropped_before_it_is_fetched() -> None:
    with served() as (feed, results, orders):
        assert results.recv() == (0, Where([("waiting", 0)], {}))
        orders.send(GiveUp(1))
        orders.send(Begin({}))  # answered as it was asked: of before
        assert results.recv() == (1, Where([("waiting", 0)], {}))
        assert feed.said == ["given up"]
        orders.send(Begin({}))
        number, batch = results.recv()
        assert (number, batch.places) == (1, [("flowing", 0, 7)])


def test_errors_are_told_of_the_number_they_belong_to_and_nothing_follows_before_an_order() -> None:
    strange = errors.for_code(9_999)("made as it goes")  # of a class that cannot be pickled
    with served(strange) as (feed, results, orders):
        results.recv()
        orders.send(Begin({}))
        number, error = results.recv()
        assert number == 0
        assert isinstance(error, BrokerError)
        assert "made as it goes" in str(error)
        assert not results.poll(0.5)
        orders.send(GiveUp(1))
        assert results.recv() == (1, Where([("waiting", 0)], {}))
        assert feed.said == ["fetched", "given up"]
        orders.send(Begin({}))
        assert results.recv()[0] == 1
        orders.send(GiveUp(2))


def test_what_cannot_begin_says_why(empty: TrackedStore) -> None:
    empty.servers = empty.servers._replace(bootstrap="127.0.0.1:1")
    empty.settings = empty.settings.model_copy(update={"kafka": {"bootstrap_timeout_ms": 500}})
    feed = FeedApart(empty, Asked())
    with pytest.raises(BrokerError):
        batches(feed, 1)
    feed.close()
    assert reading_processes() == []


def reading_processes() -> list[int]:
    return [p.pid for p in multiprocessing.active_children() if p.pid is not None]


def test_intake_survives_the_death_of_its_reader(
    empty: TrackedStore, year: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BACK_OFF", (2.0,))  # time enough to take, and lose, what nobody asked for
    founding.found(empty, founding.read(year / "founding.json"))
    total = 0
    with running(IntakeRole(empty)):
        heard: set[str] = set()
        while speaking := feeding.known_principals(empty) - heard:  # those whom the registers have named come after
            apply_topics(empty)
            total += feeding.send(empty, year, ["registers.jsonl"], speaking.__contains__)
            until(lambda total=total: feeding.taken_in(empty) >= total, 60)
            heard |= speaking
    total += feeding.send(empty, year, ["submissions.jsonl"])
    kills: list[int] = []

    def kill(_: Written) -> None:
        if len(kills) < 2 and (found := reading_processes()):
            os.kill(found[0], signal.SIGKILL)
            kills.append(found[0])

    empty.settings = empty.settings.model_copy(update={"batch_max_records": 200, "reads_apart": True})
    with running(IntakeRole(empty, kill)):
        until(lambda: feeding.taken_in(empty) >= total, 60)
    assert len(kills) == 2
    assert feeding.mismatches(empty, year) == []
    assert verify(empty).problems == []
