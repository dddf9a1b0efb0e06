"""Reading other stores' logs from Kafka: in order, each store for itself, every batch with its position at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import structlog
from psycopg import Connection

from adapters.kafka import clients
from adapters.kafka.cloudevents import decode
from adapters.kafka.intake import IntakeSource, Place, PositionOutOfRange, RawRecord
from adapters.kafka.names import TopicNames
from adapters.postgres.liveness import show_alive, take_lease
from adapters.postgres.log_readings import Reading, read_on, reading
from adapters.postgres.mapper import EventMapper
from adapters.postgres.positions import Fenced
from adapters.postgres.runner import first_line
from domain.event import Recorded
from infra.roles.composer import source
from infra.roles.role import persist
from infra.store import Store

POLL_S = 0.25
ALIVE_S = 1.0
RETRY_S = 30.0
"""A log that cannot be read on is tried again this often: its store, or a new program, may have put things right."""
MOST_RECORDS = 2000
MOST_BYTES = 16 * 1024 * 1024
_log = structlog.get_logger("shenguan.log_reader")
Move = Callable[[Connection[Any]], None]
"""Moves the position, within the transaction that takes a batch in."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """An event as another store published it. `position` is that in its log, `previous` that of the one before it."""

    stream: str
    version: int
    topic: str
    state: bytes
    position: int
    previous: int
    recorded_at: datetime

    def recorded(self, mapper: EventMapper) -> Recorded:
        """Decoded. Raises UnknownEvent or ValueError."""
        event = mapper.read(self.stream, self.version, self.topic, self.state)
        return Recorded(self.position, self.recorded_at, event)


Take = Callable[[Connection[Any], str, Sequence[LogRecord], Sequence[LogRecord], Move], None]
"""Takes in a store's next records and looks at those that came again, all or none, and moves.

What it raises stops that store's log, visibly.
"""


class LogReader:
    """One of a name is at work, others stand by. Stateless: kill it anywhere and start it again."""

    def __init__(
        self, store: Store, reader: str, stores: Sequence[str], take: Take, stopped: threading.Event, retry_s: float
    ) -> None:
        self._store = store
        self._reader = reader
        self._take = take
        self._stopped = stopped
        self._retry_s = retry_s
        self._names = {TopicNames(name).log: name for name in stores}
        self._known: dict[str, Reading] = {}
        self._errors: dict[str, str | None] = dict.fromkeys(stores)
        self._not_before: dict[str, float] = {}
        self._alive_at = 0.0

    def run(self) -> None:
        """Until stopped. A database or broker that is away is waited for."""
        persist(self._stopped, self._lead)

    def _lead(self) -> None:
        with self._store.connect() as conn:
            while not take_lease(conn, self._reader):
                if self._stopped.wait(ALIVE_S):
                    return
            self._conn = conn
            self._source = IntakeSource(
                self._store.kafka_options, self._store.settings.store, self._positions, only=self._names, refresh_s=2.0
            )
            with closing(self._source):
                while not self._stopped.is_set():
                    self._turn()

    def _turn(self) -> None:
        by_topic: dict[str, list[RawRecord]] = {}
        for record in self._source.poll(POLL_S, MOST_RECORDS, MOST_BYTES):
            by_topic.setdefault(record.topic, []).append(record)
        for topic, batch in by_topic.items():
            self._read(topic, batch)
        if time.monotonic() >= self._alive_at:
            self._alive_at = time.monotonic() + ALIVE_S
            self._look()
            show_alive(self._conn, {f"{self._reader}.{name}": error for name, error in self._errors.items()})

    def _read(self, topic: str, batch: list[RawRecord]) -> None:
        name = self._names[topic]
        try:
            try:
                early = self._take_in(topic, name, batch)
            except (psycopg.OperationalError, clients.BrokerError, Fenced):
                raise
            except Exception:
                if len(batch) == 1:
                    raise
                for one in batch:  # what comes before the record that cannot be taken is taken
                    early = self._take_in(topic, name, [one])
        except Fenced as fenced:
            _log.warning("log_reader_fenced", reader=self._reader, reason=str(fenced))
            self._source.give_up([(topic, 0)])
        except (psycopg.OperationalError, clients.BrokerError):
            raise
        except Exception as error:  # noqa: BLE001 - nothing is skipped: this log stands still, the others go on
            self._say(name, f"{type(error).__name__}: {first_line(error)}")
            self._not_before[name] = time.monotonic() + self._retry_s
            self._source.give_up([(topic, 0)])
        else:
            if early is not None:
                self._say(name, _missing(early, self._known[name]))

    def _take_in(self, topic: str, name: str, batch: Sequence[RawRecord]) -> LogRecord | None:
        """What comes again is looked at; what comes too early is left for when it comes again, and returned if nothing
        after it was in order: a publisher that was not sure of a record sends it again with all that follow.
        """
        before = self._known[name]
        position, new, again, early = before.position, [], [], None
        for raw in batch:
            record = _record(raw, name)
            if record.position <= position:
                again.append(record)
            elif record.previous == position:
                new.append(record)
                position = record.position
                early = None
            else:
                early = record
        after = Reading(self._source.topic_ids[topic], batch[-1].offset + 1, position)
        self._take(self._conn, name, new, again, lambda conn: read_on(conn, self._reader, name, before, after))
        self._known[name] = after
        if new:
            self._goes_on(name)
        return early

    def _positions(self, places: list[Place]) -> dict[Place, int]:
        """Where to begin. A topic made anew is read from its start: what is known of it is known by its place."""
        found: dict[Place, int] = {}
        for topic, partition in places:
            name, topic_id = self._names[topic], self._source.topic_ids.get(topic)
            if topic_id is None or partition or time.monotonic() < self._not_before.get(name, 0.0):
                continue
            known = self._known[name] = reading(self._conn, self._reader, name)
            if known.topic_id not in ("", topic_id):
                _log.warning("log_topic_recreated", reader=self._reader, store=name, old=known.topic_id, new=topic_id)
            found[topic, partition] = known.next_offset if known.topic_id == topic_id else 0
        return found

    def _look(self) -> None:
        """What no record tells: a log that is not there, or of which something was deleted before it was read."""
        there = self._source.topic_ids
        for topic, name in self._names.items():
            if topic not in there:
                self._say(name, f"no topic {topic}")
            elif (self._errors[name] or "").startswith("no topic "):
                self._goes_on(name)
        for alarm in self._source.alarms:
            self._say(self._names[alarm.topic], _lost(alarm))

    def _say(self, name: str, error: str) -> None:
        if self._errors[name] != error:
            self._errors[name] = error
            self._alive_at = 0.0
            _log.error("log_reader_stopped", reader=self._reader, store=name, error=error)

    def _goes_on(self, name: str) -> None:
        if self._errors[name] is not None:
            self._errors[name] = None
            self._alive_at = 0.0
            _log.info("log_reader_goes_on", reader=self._reader, store=name)


def _record(raw: RawRecord, store: str) -> LogRecord:
    """Raises ValueError (MalformedEvent is one) or KeyError where it is none that the store's publisher wrote."""
    envelope = decode(raw.value, raw.headers)
    said = envelope.attributes
    if said["source"] != source(store) or raw.key is None:
        raise ValueError(f"offset {raw.offset} is no event of {store}")
    return LogRecord(
        stream=raw.key.decode(),
        version=int(str(said["id"]).rpartition("/")[2]),
        topic=str(said["type"]),
        state=envelope.data,
        position=int(said["position"]),
        previous=int(said["previous"]),
        recorded_at=datetime.fromisoformat(str(said["time"])),
    )


def _missing(early: LogRecord, known: Reading) -> str:
    return (
        f"after position {known.position} came {early.position}, which follows {early.previous}. If nothing more comes:"
        " delete the topic, and its store publishes its whole log anew"
    )


def _lost(alarm: PositionOutOfRange) -> str:
    return (
        f"{alarm.topic} begins at {alarm.first} and ends at {alarm.last}, to be read from {alarm.wanted}:"
        " delete it, and its store publishes its whole log anew"
    )
