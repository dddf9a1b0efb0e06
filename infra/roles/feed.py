"""What the intake is fed with: records fetched, read and sealed, a batch at a time."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from adapters.kafka.intake import IntakeSource
from adapters.kafka.records import Place, RawRecord
from infra.roles.reading import Read, Reader
from infra.store import Store

Positions = Callable[[list[Place], dict[str, str]], dict[Place, int]]
"""Where to begin with places, given the ids of the topics; as `IntakeSource` asks, and may raise."""
PAUSED_S = 0.1


class Batch(NamedTuple):
    """Records as far as they need no database: for each where it lay, what was read of it, and all of it, packed."""

    topic_ids: dict[str, str]
    places: list[tuple[str, int, int]]
    reads: list[Read]
    packed: list[bytes]


def batch_of(records: Sequence[RawRecord], topic_ids: dict[str, str], reader: Reader) -> Batch:
    """Reads the records. May raise what the key store raises."""
    return Batch(
        {topic: topic_ids[topic] for topic in {record.topic for record in records}},
        [(record.topic, record.partition, record.offset) for record in records],
        reader.read(records),
        [pickle.dumps(tuple(record)) for record in records],
    )


def unpacked(packed: bytes) -> RawRecord:
    """The record of a batch as it came from Kafka."""
    return RawRecord(*pickle.loads(packed))


class Feed(Protocol):
    """For one thread. What was handed out does not come again, unless all is given up."""

    def poll(self, wait_s: float) -> Batch | None:
        """The next batch, if there is one within the time. Raises clients.BrokerError where a new feed must be made,
        and what the key store, or whoever is asked for positions, raises: then give up, and poll again."""
        ...

    def give_up(self) -> None:
        """What was fetched is wanted no more, positions are asked for anew, and so are keys: a database that was
        restarted may have lost those it was given last."""
        ...

    def stay(self, seconds: float, stopped: threading.Event) -> None:
        """Waits without taking anything, and without being expelled from the group meanwhile."""
        ...

    def close(self) -> None: ...


class LocalFeed:
    """Fetches and reads in this very thread."""

    def __init__(self, store: Store, positions: Positions) -> None:
        self._most = store.settings.batch_max_records, store.settings.batch_max_bytes
        self._reader = Reader(store.names, store.sealer())
        self._source = IntakeSource(
            store.kafka_options,
            store.settings.store,
            lambda places: positions(places, self._source.topic_ids),
            group=f"shenguan.intake.{store.settings.store}" if store.settings.kafka_group else None,
        )

    def poll(self, wait_s: float) -> Batch | None:
        records = self._source.poll(wait_s, *self._most)
        return batch_of(records, self._source.topic_ids, self._reader) if records else None

    def give_up(self) -> None:
        self._reader.forget()
        self._source.give_up(self._source.assigned)

    def stay(self, seconds: float, stopped: threading.Event) -> None:
        self._source.pause()
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stopped.is_set():
            handed_out = self._source.poll(min(PAUSED_S, seconds), 1, 1)
            assert not handed_out
        self._source.resume()

    def close(self) -> None:
        self._source.close()
