"""Pushes notices to the departments' own servers, each department's in serial order, and records their answers."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from psycopg import Connection

from adapters.channels.http import Line, trusting
from adapters.channels.https import Pushed, push, structured
from adapters.crypto.webhooks import sign
from adapters.kafka.cloudevents import Value
from adapters.postgres.deliveries import Delivery, fail, lease, mark_pushed, release
from adapters.postgres.push_secrets import valid_secrets
from adapters.postgres.registers import RegisterCache
from adapters.postgres.troubles import NONE, failed, troubles, works
from adapters.postgres.writer import Writer
from domain import system
from domain.channels import Channel, GivenUpWhy
from domain.event import Event
from domain.notices import notice_stream
from domain.world import World
from infra.roles.composer import Composer, Outgoing
from infra.roles.giving_up import GivenUp, give_up
from infra.store import Store

_log = structlog.get_logger("shenguan.outlet")
CHANNEL: Channel = "https"
BATCH = 200
WORKERS = 32
"""Departments pushed to at a time: one whose server is slow holds up nobody but itself."""
JOB_S = 30.0
"""No push of a batch begins later than this; the rest is leased anew."""
LEASE_S = JOB_S + 330.0
"""Longer than a batch's last push may take."""
BACK_OFF = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
GONE_S = 3600.0
COLLECT_S = 0.1
NO_SECRET = "no_secret"


@dataclass(frozen=True, slots=True)
class _Batch:
    """A department's notices on their way to its server."""

    department: str
    endpoint: str
    secrets: list[bytes]
    records: list[Outgoing]


@dataclass(frozen=True, slots=True)
class _Result:
    """Of the notices pushed, in order: all were taken but perhaps the last."""

    batch: _Batch
    pushed: list[Pushed]


class Pusher:
    """For one thread; it pushes in threads of its own. When it has raised anything, make another."""

    def __init__(self, store: Store, writer: Writer, registers: RegisterCache) -> None:
        self._settings = store.settings
        self._writer = writer
        self._registers = registers
        self._composer = Composer(store.settings.store, store.sealer(), registers, _structured)
        self._box = store.secret_box()
        self._trust = trusting(store.settings.ca_file)
        self._pool = ThreadPoolExecutor(WORKERS, "push")
        self._under_way: dict[str, Future[_Result]] = {}

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def reset(self, conn: Connection[Any]) -> None:
        """Takes over. Nobody else is pushing, so all leases are free."""
        release(conn, CHANNEL)

    def turn(self, conn: Connection[Any]) -> bool:
        """Leases, pushes, records; whether there was anything to do. Raises psycopg.OperationalError."""
        free = WORKERS - len(self._under_way)
        taken = lease(conn, CHANNEL, min(BATCH, free * 10), LEASE_S, self._under_way) if free else []
        if taken:
            self._begin(conn, taken)
        if not self._under_way:
            return bool(taken)
        wait(self._under_way.values(), COLLECT_S, FIRST_COMPLETED)
        for department, future in list(self._under_way.items()):
            if future.done():
                del self._under_way[department]
                self._settle(conn, future.result())
        return True

    def _begin(self, conn: Connection[Any], taken: list[Delivery]) -> None:
        registers = self._registers.refresh(conn)
        known = troubles(conn, CHANNEL, {d.department for d in taken})
        for department, group in groupby(taken, lambda d: d.department):
            deliveries = list(group)
            entry = registers.departments[department]
            endpoint = entry.endpoint
            if "https" not in entry.channels or endpoint is None:
                self._give_up(conn, deliveries, GivenUp("", department, "unregistered"))
                continue
            if known.get(department, NONE).gone == endpoint:
                self._give_up(conn, deliveries, GivenUp("", department, "gone"))
                continue
            secrets = [self._box.unwrap(department, box) for box in valid_secrets(conn, department)]
            if not secrets:
                self._failed(conn, deliveries, Pushed("temporary", detail=NO_SECRET), endpoint)
                continue
            records = self._composer.compose(conn, deliveries)
            good = next((at for at, one in enumerate(records) if one.error is not None), len(records))
            if good == 0:  # it is no fault of the channel's, and the next one could not write it either
                fail(conn, CHANNEL, [(deliveries[0].notice, str(records[0].error), BACK_OFF[2])])
            release(conn, CHANNEL, [d.notice for d in deliveries[max(good, 1) :]])
            if good:
                batch = _Batch(department, endpoint, secrets, records[:good])
                self._under_way[department] = self._pool.submit(self._push_all, batch)

    def _push_all(self, batch: _Batch) -> _Result:
        """In another thread: as far as they are taken, and no longer than a while."""
        result = _Result(batch, [])
        ends = time.monotonic() + JOB_S
        with Line(batch.endpoint, self._trust, self._settings.push_seconds) as line:
            for record in batch.records:
                if time.monotonic() > ends:
                    break
                id_, now = record.delivery.notice, int(time.time())
                one = push(line, record.value, id_, now, sign(batch.secrets, id_, now, record.value))
                result.pushed.append(one)
                if one.fate != "taken":
                    break
        return result

    def _settle(self, conn: Connection[Any], result: _Result) -> None:
        batch = result.batch
        deliveries = [one.delivery for one in batch.records]
        taken = {d.notice: one.reference for d, one in zip(deliveries, result.pushed, strict=False) if one.reference}
        if taken:
            self._record(taken)
            works(conn, CHANNEL, [batch.department])
        if result.pushed and result.pushed[-1].fate != "taken":
            self._failed(conn, deliveries[len(taken) :], result.pushed[-1], batch.endpoint)
        else:
            release(conn, CHANNEL, [d.notice for d in deliveries[len(taken) :]])

    def _record(self, references: Mapping[str, str]) -> None:
        """Their answer is both: the channel took it, and the addressee has it."""

        def took(world: World, now: datetime) -> list[Event]:
            world.prefetch(notice_stream(notice) for notice in references)
            return [e for n, r in references.items() for e in system.pushed(world, n, CHANNEL, r, now)]

        def has(world: World, now: datetime) -> list[Event]:
            return [e for n, r in references.items() for e in system.arrived(world, n, CHANNEL, r, now)]

        self._writer.run(lambda conn: mark_pushed(conn, CHANNEL, references, delivered=True), [took, has])

    def _failed(self, conn: Connection[Any], deliveries: list[Delivery], why: Pushed, endpoint: str) -> None:
        """The first of them did; the rest waits behind it."""
        head, department = deliveries[0], deliveries[0].department
        _log.warning("push_failed", department=department, serial=head.serial, fate=why.fate, error=why.detail)
        if why.fate == "refused":  # the server works: it is this notice that it does not take
            self._give_up(conn, deliveries, GivenUp("", department, "not_accepted", why.detail))
            return
        failures = failed(conn, CHANNEL, department, why.detail, endpoint if why.fate == "gone" else None)
        if why.fate == "gone" or failures >= self._settings.channel_attempts:
            reason: GivenUpWhy = "gone" if why.fate == "gone" else "exhausted"
            self._give_up(conn, deliveries, GivenUp("", department, reason, why.detail), why.retry_after)
            return
        pause = max(BACK_OFF[min(failures, len(BACK_OFF)) - 1] * random.uniform(0.5, 1.0), why.retry_after or 0.0)
        fail(conn, CHANNEL, [(head.notice, why.detail, pause)])
        release(conn, CHANNEL, [d.notice for d in deliveries[1:]])

    def _give_up(
        self, conn: Connection[Any], deliveries: list[Delivery], why: GivenUp, retry_after: float | None = None
    ) -> None:
        """All of them where there is no address; else the first, for the next may fare better."""
        concerned = deliveries if why.reason in ("unregistered", "gone") else deliveries[:1]
        given = give_up(
            self._writer, CHANNEL, [GivenUp(d.notice, why.department, why.reason, why.detail) for d in concerned]
        )
        pause = max(GONE_S if why.reason != "exhausted" else BACK_OFF[-1], retry_after or 0.0)
        left = [d.notice for d in deliveries if d.notice not in given]
        if left and left[0] == deliveries[0].notice:
            fail(conn, CHANNEL, [(left[0], why.detail or why.reason, pause)])
            left = left[1:]
        release(conn, CHANNEL, left)


def _structured(attributes: Mapping[str, Value], data: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    return [], structured(attributes, data)
