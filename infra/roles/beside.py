"""The outlet's channels beside Kafka: each in a thread of its own, sent by one at a time, failing for itself alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from psycopg import Connection

from adapters.channels.http import trusting
from adapters.channels.sms import JsonGateway, describe
from adapters.postgres.deliveries import WOKEN
from adapters.postgres.liveness import show_alive
from adapters.postgres.registers import RegisterCache
from adapters.postgres.writer import Writer
from domain.channels import Channel
from infra.roles.pusher import Pusher
from infra.roles.role import persist
from infra.roles.texter import Texter
from infra.store import Store

_log = structlog.get_logger("shenguan.outlet")
LEASE_CLASS = 0x4F55_544C  # apart from the writer's, the migrations' and the followers' advisory locks
KEYS: dict[Channel, int] = {"kafka": 1, "https": 2, "sms": 3}
POLL_S = 0.25
STANDBY_S = 1.0
ALIVE_EVERY_S = 5.0
RETRY_STOPPED_S = 30.0


class Worker(Protocol):
    """Sends over one channel. For one thread."""

    def reset(self, conn: Connection[Any]) -> None: ...

    def turn(self, conn: Connection[Any]) -> bool: ...

    def close(self) -> None: ...


def lead(conn: Connection[Any], channel: Channel, stopped: threading.Event) -> bool:
    """Waits for its turn to be the one that sends over the channel; False where it was stopped before."""
    while not stopped.is_set():
        row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (LEASE_CLASS, KEYS[channel])).fetchone()
        if row and row[0]:
            _log.info("outlet_leads", channel=channel)
            return True
        stopped.wait(STANDBY_S)
    return False


@dataclass(frozen=True, slots=True)
class Beside:
    """A channel beside Kafka, until `stopped` is set."""

    store: Store
    channel: Channel
    make: Callable[[Store, Writer, RegisterCache], Worker]
    stopped: threading.Event

    def run(self) -> None:
        """What cannot be got over by waiting stops this channel, visibly; it is tried again after a while."""
        while not self.stopped.is_set():
            try:
                persist(self.stopped, self._work)
            except Exception as error:  # noqa: BLE001 - the other channels go on
                reason = f"{type(error).__name__}: {error}"
                _log.error("channel_stopped", channel=self.channel, error=reason)
                persist(self.stopped, lambda reason=reason: self._show(reason))  # type: ignore[misc]
                self.stopped.wait(RETRY_STOPPED_S)

    def _show(self, error: str | None) -> None:
        with self.store.connect() as conn:
            show_alive(conn, {f"outlet.{self.channel}": error})

    def _work(self) -> None:
        with closing(self.store.writer()) as writer, self.store.connect() as conn:
            if not lead(conn, self.channel, self.stopped):
                return
            with closing(self.make(self.store, writer, RegisterCache())) as worker:
                conn.execute(f"LISTEN {WOKEN}")
                worker.reset(conn)
                while not self.stopped.is_set():
                    show_alive(conn, {f"outlet.{self.channel}": None})
                    self._turns(conn, worker)

    def _turns(self, conn: Connection[Any], worker: Worker) -> None:
        """For a while."""
        ends = time.monotonic() + ALIVE_EVERY_S
        while not self.stopped.is_set() and time.monotonic() < ends:
            if not worker.turn(conn):
                for _ in conn.notifies(timeout=POLL_S, stop_after=1):
                    pass


def beside(store: Store, stopped: threading.Event) -> list[Beside]:
    """The channels that this outlet can send over; without a gateway no 短信."""
    found = [Beside(store, "https", Pusher, stopped)]
    if store.settings.sms_gateway is not None:
        found.append(Beside(store, "sms", _texter, stopped))
    return found


def _texter(store: Store, writer: Writer, registers: RegisterCache) -> Texter:
    """Raises GatewayProblem."""
    settings = store.settings
    assert settings.sms_gateway is not None
    trust = trusting(settings.ca_file)
    gateway = JsonGateway(describe(settings.sms_gateway), settings.sms_secret, trust, settings.push_seconds)
    return Texter(store, writer, registers, gateway)
