"""Followers: each event once and in order, each failing for itself alone, one live runner per name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from adapters.postgres.follower import EventFailed, position_of, run_batch
from adapters.postgres.runner import Runner
from domain.event import Recorded
from tests.integration.region import (
    everything,
    granted,
    wait,
)
from tests.integration.teststore import TestStore


class Counting:
    """A follower that remembers positions and fails where it is told to."""

    def __init__(self, name: str, fails_at: Callable[[Recorded], bool] = lambda _: False) -> None:
        self._name = name
        self.fails_at = fails_at
        self.positions: list[int] = []
        self.batches: list[int] = []

    @property
    def name(self) -> str:
        return self._name

    def apply(self, conn: Connection[Any], events: Sequence[Recorded]) -> None:
        if any(self.fails_at(one) for one in events):
            raise ValueError("cannot take this")
        self.positions += [one.position for one in events]
        self.batches.append(len(events))


class Running:
    """A runner in a thread."""

    def __init__(self, store: TestStore, *followers: Any, rest: float = 0.0) -> None:
        self.connections: list[Connection[Any]] = []

        def connect() -> Connection[Any]:
            self.connections.append(store.connect())
            return self.connections[-1]

        self.runner = Runner(connect, followers, limit=50, rest=rest)
        self.thread = threading.Thread(target=self.runner.run)
        self.thread.start()

    def stop(self) -> None:
        self.runner.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def running(region: TestStore) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(*followers: Any, rest: float = 0.0) -> Running:
        made.append(Running(region, *followers, rest=rest))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def positions(store: TestStore) -> list[int]:
    with store.connect() as conn:
        return [row[0] for row in conn.execute("SELECT notification_id FROM shenguan.stored_events ORDER BY 1")]


class TestRunner:
    def test_each_event_once_in_order_and_at_once(self, region: TestStore, running: Callable[..., Running]) -> None:
        one, two = Counting("one"), Counting("two")
        running(one, two)
        assert wait(lambda: one.positions == positions(region))
        delays = []
        for number in range(5):
            began = time.monotonic()
            granted(region, f"q{number}")
            everything_written = positions(region)
            assert wait(lambda: one.positions == two.positions == everything_written)  # noqa: B023
            delays.append(time.monotonic() - began)
        assert min(delays) < 0.5  # woken, not polled

    def test_after_a_pause_at_once_and_then_together(self, region: TestStore, running: Callable[..., Running]) -> None:
        follower = Counting("one")
        running(follower, rest=0.8)
        assert wait(lambda: follower.positions == positions(region))
        for number in range(3):
            time.sleep(1.8)  # the decision, which came with the second commit, has had its rest too
            follower.batches.clear()
            began = time.monotonic()
            granted(region, f"{number}-1")
            assert wait(lambda: bool(follower.batches))
            assert time.monotonic() - began < 0.5
        granted(region, "2")
        granted(region, "3")
        assert wait(lambda: follower.positions == positions(region))
        assert time.monotonic() - began > 0.6
        assert len(follower.batches) == 2

    def test_a_failing_event_stops_its_follower_only(self, region: TestStore, running: Callable[..., Running]) -> None:
        everything(region)
        bad = Counting("bad", lambda one: one.event.TOPIC == "feedback.raised")
        good = Counting("good")
        run = running(bad, good)
        every = positions(region)
        assert wait(lambda: good.positions == every and "bad" in run.runner.errors)
        failing = [
            r[0]
            for r in region.connect().execute(
                "SELECT notification_id FROM shenguan.stored_events WHERE topic = 'feedback.raised'"
            )
        ]
        # What came before the failing event is applied; it is never skipped.
        assert bad.positions == [p for p in every if p < failing[0]]
        assert f"position {failing[0]}" in run.runner.errors["bad"]
        query = "SELECT name, error IS NULL, alive_at IS NOT NULL FROM shenguan.follower ORDER BY name"
        with region.connect() as conn:
            assert wait(lambda: conn.execute(query).fetchall() == [("bad", False, True), ("good", True, True)])
            assert position_of(conn, "bad") == bad.positions[-1]

    def test_run_batch_says_which_events_failed(self, region: TestStore) -> None:
        with region.connect() as conn:
            with pytest.raises(EventFailed, match="bad: positions 1 to 5: ValueError: cannot take this"):
                run_batch(conn, Counting("bad", lambda one: one.position == 3), 5)
            assert position_of(conn, "bad") == 0

    def test_a_standby_takes_over(self, region: TestStore, running: Callable[..., Running]) -> None:
        first, second = Counting("same"), Counting("same")
        leader = running(first)
        assert wait(lambda: first.positions == positions(region))
        running(second)
        granted(region, "1")
        before = positions(region)
        assert wait(lambda: first.positions == before)
        assert second.positions == []
        leader.stop()
        granted(region, "2")
        assert wait(lambda: first.positions + second.positions == positions(region))

    def test_a_lost_connection_is_made_again(self, region: TestStore, running: Callable[..., Running]) -> None:
        follower = Counting("one")
        run = running(follower)
        assert wait(lambda: follower.positions == positions(region))
        with psycopg.connect(region.urls.superuser, autocommit=True) as conn:
            conn.execute("SELECT pg_terminate_backend(%s)", (run.connections[-1].info.backend_pid,))
        granted(region, "1")
        assert wait(lambda: follower.positions == positions(region))
        assert len(run.connections) == 2

    def test_liveness_goes_on_at_rest(self, region: TestStore, running: Callable[..., Running]) -> None:
        running(Counting("one"))
        query = "SELECT alive_at FROM shenguan.follower"
        with region.connect() as conn:
            assert wait(lambda: conn.execute(query).fetchone() is not None)
            first = conn.execute(query).fetchone()
            assert wait(lambda: conn.execute(query).fetchone() != first)
