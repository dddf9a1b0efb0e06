"""The spec's door by Kafka: records through a broker into the intake and its store; what came of them is read there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from adapters.kafka import clients
from adapters.kafka.outbox import Outbox, Sent
from adapters.kafka.topics import TopicSpec, apply
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from domain.event import Event, Recorded
from domain.handling import Outcome
from domain.rules import FieldError
from domain.world import World
from infra.roles.intake import IntakeRole
from infra.store import Store
from tests.unit.memory_intake import NOW, Record

PATIENCE_S = 30.0
OPTIONS = {"fetch_max_wait_ms": 5, "linger_ms": 0}
"""Nothing is handed in while another is under way: there is nobody to wait for."""
MOST = 1_000


class KafkaDoor:
    """A store's intake, made to turn in the test's own thread."""

    def __init__(self, store: Store, principals: Iterable[str]) -> None:
        """The principals' topics are made at once; that of anybody else as he first speaks."""
        self._store = store
        self.store = store.settings.store
        self.now = NOW
        store.clock = lambda: self.now
        self._conn = store.connect()
        self._log = Log(self._conn)
        self._registers = RegisterCache()
        self._writer = store.writer()
        self._outbox = Outbox(store.kafka_options)
        self._topics: set[str] = set()
        self._open(principals)
        self._intake = IntakeRole(store)
        self._feed = self._intake.feed()

    @property
    def world(self) -> World:
        return World(self._registers.refresh(self._conn), self._log.streams, self.now, leaf=self._log.leaf)

    @property
    def events(self) -> list[Event]:
        return [one.event for one in self.recorded]

    @property
    def recorded(self) -> list[Recorded]:
        return list(self._log.all())

    def record(self, fact: Callable[[World], Iterable[Event]]) -> None:
        self._writer.write(facts=[lambda world, _: list(fact(world))])

    def hand_in(self, record: Record) -> Outcome:
        if self._store.names.intake(record.principal) not in self._topics:
            self._feed.close()
            self._open([record.principal])
            self._feed = self._intake.feed()
        before = self._log.head()
        place = self._send(record)
        end = time.monotonic() + PATIENCE_S
        while (outcome := self._outcome(place, before)) is None:
            assert time.monotonic() < end, f"nothing became of {place}"
            self._intake.turn(self._feed)
        return outcome

    def close(self) -> None:
        self._feed.close()
        self._outbox.close()
        self._writer.close()
        with closing(clients.admin(self._store.kafka_options)) as admin:
            admin.delete_topics(sorted(self._topics))  # every intake asks the broker for all topics there are

    def _open(self, principals: Iterable[str]) -> None:
        topics = [self._store.names.intake(principal) for principal in principals]
        apply(self._store.kafka_options, [TopicSpec(topic, 1, 3_600_000) for topic in topics])
        self._outbox.expect(topics)
        self._topics.update(topics)

    def _send(self, record: Record) -> tuple[str, int, int]:
        topic = self._store.names.intake(record.principal)
        self._outbox.send(topic, record.key, record.value, record.headers)
        [sent] = self._outbox.flush(PATIENCE_S)
        assert isinstance(sent, Sent), sent
        return sent.topic, sent.partition, sent.offset

    def _outcome(self, place: tuple[str, int, int], before: int) -> Outcome | None:
        """What the store has of the record at the place; None if it has not been taken in."""
        row = self._conn.execute(
            "SELECT source, id, disposition, rule, stream, errors FROM shenguan.submission"
            ' LEFT JOIN shenguan.dead_letter USING (topic_id, partition, "offset")'
            ' WHERE topic = %s AND partition = %s AND "offset" = %s',
            place,
        ).fetchone()
        if row is None:
            return None
        source, id_, disposition, rule, stream, errors = row
        return Outcome(
            disposition,
            tuple(event for event in self._since(before) if (event.meta.source, event.meta.id) == (source, id_)),
            rule,
            stream if disposition == "parked" else None,
            tuple(map(_error, errors or ())),
        )

    def _since(self, position: int) -> Iterable[Event]:
        return (recorded.event for recorded in self._log.after(position, MOST))


def _error(found: dict[str, Any]) -> FieldError:
    return FieldError(**found)
