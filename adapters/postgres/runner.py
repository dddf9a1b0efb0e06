"""Several followers in one process: woken by the log, one live runner per name, each failing for itself alone."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from psycopg import Connection

from adapters.postgres.follower import (
    BATCH,
    Batches,
    EventFailed,
    Follower,
    PositionTaken,
    Postponed,
    RowFollower,
    run_batch,
)
from adapters.postgres.liveness import show_alive, take_lease

POLL = 1.0
ALIVE_EVERY = 1.0
BACK_OFF = (0.1, 0.3, 1.0, 3.0)
RETRY_STOPPED = 30.0
"""A stopped follower is tried again this often: its rebuild, or a migration, may have put things right."""
LOCK_TIMEOUT = "5s"

_log = structlog.get_logger("shenguan.follower")


@dataclass(slots=True)
class _Run:
    """One follower's state in this process."""

    follower: Follower | RowFollower
    limit: int
    leased: bool = False
    error: str | None = None
    not_before: float = 0.0
    failures: int = 0


class Runner:
    """Runs until `stop()`. `connect` gives a new connection as the runtime role; the runner owns it.

    `rest`: seconds that lie at least between the beginnings of batches that are not full. What comes after a pause is
    taken at once; while much comes, several commits are taken together, which costs little more than one.
    """

    def __init__(
        self,
        connect: Callable[[], Connection[Any]],
        followers: Sequence[Follower | RowFollower],
        limit: int = BATCH,
        poll: float = POLL,
        rest: float = 0.0,
    ) -> None:
        self._connect = connect
        self._limit = limit
        self._poll = poll
        self._rest = rest
        self._runs = [_Run(follower, limit) for follower in followers]
        self._batches = Batches()
        self._stopping = threading.Event()
        self._wake_here, self._wake_there = socket.socketpair()
        self._alive_at = 0.0
        self._rested_at = 0.0

    def stop(self) -> None:
        """Makes `run` return after the batch it is in; from any thread, or a signal handler."""
        self._stopping.set()
        with contextlib.suppress(OSError):  # it has ended already
            self._wake_there.send(b"\0")

    @property
    def errors(self) -> dict[str, str]:
        """Why followers stopped, by name."""
        return {run.follower.name: run.error for run in self._runs if run.error is not None}

    def run(self) -> None:
        """Follows the log. A lost database is waited for; a failing event stops its follower only."""
        failures = 0
        while not self._stopping.is_set():
            try:
                with self._connect() as conn:
                    self._prepare(conn)
                    failures = 0
                    self._follow(conn)
            except psycopg.OperationalError as error:
                wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                _log.error("database_unavailable", error=first_line(error), retry_in_s=wait)
                self._stopping.wait(wait)
            finally:
                for run in self._runs:
                    run.leased = False
        self._wake_here.close()
        self._wake_there.close()

    def _prepare(self, conn: Connection[Any]) -> None:
        """LISTEN comes before the first read, so that nothing committed between them is missed."""
        conn.autocommit = True
        conn.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_TIMEOUT,))
        # What a crash of the server takes back it takes back with the position; so nobody need wait for the disk.
        conn.execute("SET synchronous_commit TO off")
        conn.execute("LISTEN stored_events")
        self._alive_at = 0.0

    def _follow(self, conn: Connection[Any]) -> None:
        while not self._stopping.is_set():
            self._take_leases(conn)
            busy = True
            while busy and not self._stopping.is_set():
                busy = False
                for run in self._runs:
                    busy = self._turn(conn, run) or busy
                self._show_alive(conn)
            self._wait(conn)
            self._stopping.wait(max(0.0, self._rested_at - time.monotonic()))

    def _turn(self, conn: Connection[Any], run: _Run) -> bool:
        """One batch of one follower; whether there may be more at once."""
        if not run.leased or self._stopping.is_set() or time.monotonic() < run.not_before:
            return False
        begun = time.monotonic()
        try:
            done = run_batch(conn, run.follower, run.limit, self._batches)
        except EventFailed as failed:
            return self._failed(run, failed)
        except (psycopg.OperationalError, PositionTaken, Postponed) as error:
            if conn.broken or conn.closed:
                raise
            # A lock not had in time, a deadlock, a full disk: this follower waits, the others go on.
            wait = BACK_OFF[min(run.failures, len(BACK_OFF) - 1)]
            run.failures += 1
            self._stop(run, first_line(error), wait)
            return False
        run.failures = 0
        if done:
            self._rested_at = begun + self._rest
        if run.error is not None and (done or run.limit == self._limit):
            _log.info("follower_goes_on", follower=run.follower.name)
            run.error, self._alive_at = None, 0.0
        full = done == run.limit
        run.limit = min(self._limit, run.limit * 2)
        return full or (done > 0 and run.limit < self._limit)

    def _failed(self, run: _Run, failed: EventFailed) -> bool:
        """Halves the batch until the event that fails stands alone; what comes before it is applied."""
        if run.limit > 1:
            run.limit //= 2
            return True
        self._stop(run, str(failed), RETRY_STOPPED)
        return False

    def _stop(self, run: _Run, error: str, seconds: float) -> None:
        run.not_before = time.monotonic() + seconds
        if run.error != error:
            run.error = error
            _log.error("follower_stopped", follower=run.follower.name, error=error, retry_in_s=seconds)
            self._alive_at = 0.0

    def _take_leases(self, conn: Connection[Any]) -> None:
        """A lease lasts as long as the connection: whoever dies gives it up, whoever stands by asks again."""
        for run in self._runs:
            if not run.leased:
                run.leased = take_lease(conn, run.follower.name)
                if run.leased:
                    _log.info("follower_leads", follower=run.follower.name)

    def _show_alive(self, conn: Connection[Any]) -> None:
        """Liveness is a figure of its own: a follower at rest is alive, a stopped one is not."""
        if time.monotonic() < self._alive_at:
            return
        self._alive_at = time.monotonic() + ALIVE_EVERY
        mine = [run for run in self._runs if run.leased]
        if mine:
            show_alive(conn, {run.follower.name: run.error for run in mine})

    def _wait(self, conn: Connection[Any]) -> None:
        """Until the log has grown, `stop` was called, or the poll interval is over."""
        if any(True for _ in conn.notifies(timeout=0)):
            return
        readable, _, _ = select.select([conn.fileno(), self._wake_here.fileno()], [], [], self._poll)
        if conn.fileno() in readable:
            for _ in conn.notifies(timeout=0):
                pass


def first_line(error: Exception) -> str:
    """What people need of a database error."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
