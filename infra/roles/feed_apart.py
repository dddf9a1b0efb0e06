"""The feed in a process of its own: it fetches and reads the next batches while this process decides and writes.

Results come through one pipe, in order, so that whoever asks for positions is asked when all batches before are
written; orders go through another. Every batch carries the number of the last `give_up` that had been carried out, keys
forgotten included, before any of it was fetched.
"""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import structlog

from adapters.kafka.clients import BrokerError
from adapters.kafka.records import Place
from infra.logging import configure
from infra.processes import begin
from infra.roles.feed import PAUSED_S, Batch, Feed, LocalFeed, Positions
from infra.settings import Settings
from infra.store import Servers, Store

_log = structlog.get_logger("shenguan.intake")
UNTAKEN = 2
"""Batches that may wait to be taken, beside the one that is being decided."""
REST_S = 0.05
"""Polls that bring few records begin so far apart: each costs the broker and us the same however much it brings."""
END_S = 15.0
A_MOMENT_S = 0.001
NEVER = threading.Event()


class FeedDied(Exception):
    """The process was killed: what it had fetched was not written, and is fetched again."""


class Where(NamedTuple):
    """It asks where to begin."""

    places: list[Place]
    topic_ids: dict[str, str]


class Taken(NamedTuple):
    """An order: one batch less waits to be taken."""


class GiveUp(NamedTuple):
    """An order: what was fetched is wanted no more."""

    number: int


class Begin(NamedTuple):
    """An order: the answer to `Where`."""

    positions: dict[Place, int]


class Stop(NamedTuple):
    """An order: leave the group and end."""


class FeedApart:
    """A `Feed`. Its process starts when first polled, and again when it has died."""

    def __init__(self, store: Store, positions: Positions) -> None:
        self._start_with = store.settings, store.servers
        self._positions = positions
        self._number = 0
        self._process: multiprocessing.process.BaseProcess | None = None
        self._results: Connection
        self._orders: Connection

    def poll(self, wait_s: float) -> Batch | None:
        """As `Feed.poll`; raises FeedDied too."""
        return self._next(wait_s, self._positions)

    def give_up(self) -> None:
        self._number += 1
        if self._process is not None:
            with suppress(FeedDied):  # one that is dead holds nothing
                self._order(GiveUp(self._number))

    def stay(self, seconds: float, stopped: threading.Event) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stopped.is_set():
            if self._process is None:
                stopped.wait(left)
            else:
                try:
                    self._next(min(PAUSED_S, left), lambda *_: {})  # having given up, it begins nowhere
                except FeedDied:
                    _log.error("reading_process_died")  # the next poll starts another

    def close(self) -> None:
        process = self._process
        if process is not None:
            self._results.close()  # nobody reads what it may still be sending
            with suppress(FeedDied):
                self._order(Stop())
                process.join(END_S)
            self._bury()

    def _next(self, wait_s: float, positions: Positions) -> Batch | None:
        if self._process is None:
            self._start()
        try:
            if not self._results.poll(wait_s):
                return None
            number, result = self._results.recv()
        except (EOFError, OSError):
            self._bury()
            raise FeedDied from None
        if isinstance(result, Where):
            found: dict[Place, int] = {}
            try:
                found = positions(result.places, result.topic_ids)
            finally:
                self._order(Begin(found))  # whoever got no answer asks again
            return None
        if number != self._number:
            return None
        if isinstance(result, BaseException):
            raise result
        self._order(Taken())
        batch: Batch = result
        return batch

    def _order(self, order: Any) -> None:
        try:
            self._orders.send(order)
        except OSError:
            self._bury()
            raise FeedDied from None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._results, results = context.Pipe(duplex=False)
        orders, self._orders = context.Pipe(duplex=False)
        process = context.Process(
            target=_run, args=(*self._start_with, self._number, results, orders), name="feed", daemon=True
        )
        process.start()
        # Only the process itself holds these now: when it dies, the pipes end.
        results.close()
        orders.close()
        self._process = process

    def _bury(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._results.close()
            self._orders.close()
            process.kill()
            process.join()


def _run(settings: Settings, servers: Servers, number: int, results: Connection, orders: Connection) -> None:
    begin()
    configure()
    few = settings.batch_max_records // 4
    _FeedProcess(number, few, results, orders).run(partial(LocalFeed, Store(settings, servers)))


class _Stopped(Exception):
    """The order to stop has come."""


class _GivenUp(Exception):
    """What a poll was about to go on with is wanted no more."""


class _FeedProcess:
    """What runs in the process."""

    def __init__(self, number: int, few: int, results: Connection, orders: Connection) -> None:
        self._number = number
        self._few = few
        self._wanted = number  # where it differs, all is to be given up first
        self._orders = orders
        self._untaken = 0
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # Writing to a pipe waits for its reader, who is busy; reading on does not.
        self._sender = threading.Thread(target=self._send_all, args=(results,), name="results", daemon=True)
        self._sender.start()

    def run(self, begin: Callable[[Positions], Feed]) -> None:
        feed = None
        try:
            feed = begin(self._ask)
            while True:
                self._turn(feed)
        except _Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - told, and raised again where the feed is polled
            self._tell(error)
        finally:
            if feed is not None:
                feed.close()
            self._outgoing.put(None)
            self._sender.join()

    def _turn(self, feed: Feed) -> None:
        while self._orders.poll(PAUSED_S if self._full else 0.0):
            self._obey()
        if self._number != self._wanted:
            feed.give_up()
            self._number = self._wanted
            self._untaken = 0
        if self._full:
            feed.stay(A_MOMENT_S, NEVER)
            return
        begun = time.monotonic()
        try:
            batch = feed.poll(PAUSED_S)
        except _Stopped:
            raise
        except _GivenUp:
            return
        except Exception as error:  # noqa: BLE001 - told; what was polled is lost to us, so all must be given up
            self._tell(error)
            while self._number == self._wanted:
                self._obey()
            return
        if batch is not None:
            self._send(batch)
            self._untaken += 1
            if len(batch.places) < self._few:
                self._rest(begun + REST_S)

    def _rest(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0 and self._orders.poll(left):
            self._obey()

    @property
    def _full(self) -> bool:
        return self._untaken >= UNTAKEN and self._number == self._wanted

    def _ask(self, places: list[Place], topic_ids: dict[str, str]) -> dict[Place, int]:
        self._send(Where(places, topic_ids))
        while (begin := self._obey()) is None:
            pass
        if self._number != self._wanted:
            raise _GivenUp  # what flows beside these places, and the keys, are of before
        return begin.positions

    def _obey(self) -> Begin | None:
        """Waits for an order; an answer is for whoever asked."""
        try:
            order = self._orders.recv()
        except EOFError:
            raise _Stopped from None
        if isinstance(order, Stop):
            raise _Stopped
        if isinstance(order, GiveUp):
            self._wanted = order.number
        elif isinstance(order, Taken):
            self._untaken -= 1
        return order if isinstance(order, Begin) else None

    def _tell(self, error: Exception) -> None:
        error.add_note("".join(traceback.format_exception(error)))
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 - kafka-python makes some of its errors' classes as it goes
            error = (BrokerError if isinstance(error, BrokerError) else RuntimeError)(repr(error))
        self._send(error)

    def _send(self, result: Any) -> None:
        self._outgoing.put(pickle.dumps((self._number, result), pickle.HIGHEST_PROTOCOL))

    def _send_all(self, results: Connection) -> None:
        with suppress(OSError):  # nobody reads any more
            while (message := self._outgoing.get()) is not None:
                results.send_bytes(message)
