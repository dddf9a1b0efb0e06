"""Sends what is due, in serial order per department, and records what the broker took."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from psycopg import Connection

from adapters.kafka.outbox import Failed, Outbox, Sent
from adapters.postgres.deliveries import Delivery, Dispatch, fail, lease, mark_sent, release
from adapters.postgres.registers import RegisterCache
from adapters.postgres.troubles import failed, in_trouble, works
from adapters.postgres.writer import Writer
from domain import system
from domain.channels import Channel
from domain.event import Event
from domain.notices import notice_stream
from domain.world import World
from infra.roles.composer import Composer, Outgoing
from infra.roles.giving_up import GivenUp, give_up
from infra.roles.notice_topics import NoticeTopics
from infra.store import Store

_log = structlog.get_logger("shenguan.outlet")
CHANNEL: Channel = "kafka"
BATCH = 2000
LEASE_S = 90.0
"""Longer than the producer tries a record."""
FLUSH_S = 0.5
"""A silent partition holds the other departments up no longer than this."""
BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)
NOTICES = 0
"""The only partition of a department's topic."""
NO_TOPIC = "NoTopic"
PLACE_UNKNOWN = "PlaceUnknown"


@dataclass(slots=True)
class _Flight:
    """A department's records under way, in serial order by handle."""

    topic_id: str
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    fates: dict[int, Sent | Failed] = field(default_factory=dict)


class Dispatcher:
    """For one thread. When it has raised anything, `reset` it: what was under way is sent again, with the same ids.

    A department is left alone until all its records under way have met their fate. Of those after one that failed
    nothing is recorded: they are sent again behind it, so that a reader who stops at a gap finds it filled in order.
    """

    def __init__(self, store: Store, writer: Writer, topics: NoticeTopics, registers: RegisterCache) -> None:
        self._writer = writer
        self._composer = Composer(store.settings.store, store.sealer(), registers)
        self._topics = topics
        self._registers = registers
        self._outbox = Outbox(store.kafka_options)
        self._flights: dict[str, _Flight] = {}
        self._handles: dict[int, str] = {}
        self._attempts = store.settings.channel_attempts
        self._troubled: set[str] = set()

    def close(self) -> None:
        self._outbox.close()

    def reset(self, conn: Connection[Any]) -> None:
        """Takes over. Nobody else is sending, so all leases are free."""
        self._flights.clear()
        self._handles.clear()
        release(conn, CHANNEL)
        self._troubled = in_trouble(conn, CHANNEL)

    def turn(self, conn: Connection[Any]) -> bool:
        """Leases, sends, records; whether there was anything to do.

        Raises psycopg.OperationalError, clients.BrokerError.
        """
        taken = lease(conn, CHANNEL, BATCH, LEASE_S, self._flights)
        if taken:
            self._send(conn, taken)
        if not self._flights:
            return bool(taken)
        self._collect(conn)
        return True

    def _send(self, conn: Connection[Any], taken: list[Delivery]) -> None:
        ids = self._topics.ids({d.department for d in taken}, self._registers.refresh(conn))
        self._outbox.expect(self._topics.name(department) for department in ids)
        failures: list[tuple[Delivery, str]] = []
        unwritten: list[tuple[Delivery, str]] = []
        behind: list[str] = []
        for department, group in groupby(self._composer.compose(conn, taken), lambda o: o.delivery.department):
            records = list(group)
            good = self._fly(department, ids.get(department), records)
            if good < len(records):
                delivery, error = records[good].delivery, records[good].error
                (unwritten if error else failures).append((delivery, error or NO_TOPIC))
                behind += [o.delivery.notice for o in records[good + 1 :]]
        self._settle(conn, failures, behind)
        self._later(conn, unwritten)  # no fault of the channel's

    def _fly(self, department: str, topic_id: str | None, records: list[Outgoing]) -> int:
        """Hands records over up to the first that cannot be; how many."""
        if topic_id is None:
            return 0
        flight = _Flight(topic_id)
        for record in records:
            if record.error is not None:
                break
            topic = self._topics.name(department)
            handle = self._outbox.send(topic, record.key, record.value, record.headers, NOTICES)
            flight.deliveries[handle] = record.delivery
            self._handles[handle] = department
        if flight.deliveries:
            self._flights[department] = flight
        return len(flight.deliveries)

    def _collect(self, conn: Connection[Any]) -> None:
        """Records the departments whose records have all met their fate."""
        for result in self._outbox.flush(FLUSH_S):
            department = self._handles.pop(result.handle, None)
            if department is not None:  # else it was sent before a reset
                self._flights[department].fates[result.handle] = result
        landed = [d for d, flight in self._flights.items() if len(flight.fates) == len(flight.deliveries)]
        dispatches: list[Dispatch] = []
        failures: list[tuple[Delivery, str]] = []
        behind: list[str] = []
        for department in landed:
            flight = self._flights[department]
            stuck = False
            for handle, delivery in flight.deliveries.items():
                fate = flight.fates[handle]
                if stuck:
                    behind.append(delivery.notice)
                elif isinstance(fate, Sent) and fate.offset >= 0:
                    dispatches.append(Dispatch(delivery.notice, flight.topic_id, fate.partition, fate.offset))
                else:
                    # Without an offset there can be no evidence of delivery: once more, for a place of its own.
                    stuck = True
                    failures.append((delivery, fate.error if isinstance(fate, Failed) else PLACE_UNKNOWN))
                    self._topics.forget(department)
        if dispatches:
            self._record(dispatches)
        if self._troubled and (mended := self._troubled & set(landed) - {d.department for d, _ in failures}):
            works(conn, CHANNEL, mended)
            self._troubled -= mended
        self._settle(conn, failures, behind)
        for department in landed:
            del self._flights[department]

    def _record(self, dispatches: list[Dispatch]) -> None:
        """The events and the marks in one transaction."""

        def fact(world: World, now: datetime) -> list[Event]:
            world.prefetch(notice_stream(d.notice) for d in dispatches)
            found: list[Event] = []
            for one in dispatches:
                found += system.dispatched(world, one.notice, CHANNEL, one.topic_id, one.partition, one.offset, now)
            return found

        self._writer.run(lambda conn: mark_sent(conn, CHANNEL, dispatches), [fact])

    def _settle(self, conn: Connection[Any], failures: list[tuple[Delivery, str]], behind: list[str]) -> None:
        for delivery, error in failures:
            _log.warning(
                "notice_not_sent",
                department=delivery.department,
                serial=delivery.serial,
                attempts=delivery.attempts + 1,
                error=error,
            )
        given = self._give_up(conn, failures) if failures else set()
        self._later(conn, [one for one in failures if one[0].notice not in given])
        release(conn, CHANNEL, behind)

    def _later(self, conn: Connection[Any], failures: list[tuple[Delivery, str]]) -> None:
        pauses = [(d.notice, error, BACK_OFF[min(d.attempts, len(BACK_OFF) - 1)]) for d, error in failures]
        fail(conn, CHANNEL, pauses)

    def _give_up(self, conn: Connection[Any], failures: list[tuple[Delivery, str]]) -> set[str]:
        """Those whose department has another channel by now, and failed too often by this one."""
        wanted = []
        for delivery, error in failures:
            self._troubled.add(delivery.department)
            if failed(conn, CHANNEL, delivery.department, error) >= self._attempts:
                wanted.append(GivenUp(delivery.notice, delivery.department, "exhausted", error))
        return give_up(self._writer, CHANNEL, wanted)
