"""Kafka records become arrivals: read here where they are few, in processes of their own where they are many."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from adapters.crypto.sealer import Sealer
from adapters.kafka.records import RawRecord
from adapters.kafka.topics import TopicNames
from domain.arrivals import Arrival, Place
from domain.event import Auth
from domain.submissions import Submission
from infra.roles.reading import Read, Reader
from infra.roles.reading_pool import ReadingPool

FEW = 200
"""So many records are read before another process could have answered."""


class Decoder:
    """For one thread. `auth` is how the broker makes sure who writes; without a `pool` everything is read here."""

    def __init__(self, names: TopicNames, sealer: Sealer, auth: Auth, pool: ReadingPool | None = None) -> None:
        self._names = names
        self._auth = auth
        self._reader = Reader(names, sealer)
        self._pool = pool

    def decode(self, records: Sequence[RawRecord], topic_ids: dict[str, str]) -> list[Arrival]:
        """One arrival per record, in their order. May raise what the key store raises."""
        return self._arrivals(records, topic_ids, self._reader.read(records))

    def start(self, records: Sequence[RawRecord], topic_ids: dict[str, str]) -> Callable[[], list[Arrival]]:
        """As `decode`, at once or in the pool; gives a function that waits for the arrivals.

        That may raise BrokenProcessPool too: `forget`, and read the records again.
        """
        if self._pool is None or len(records) < FEW:
            return lambda: self.decode(records, topic_ids)
        read = self._pool.start(records)
        return lambda: self._arrivals(records, topic_ids, read())

    def forget(self) -> None:
        """What was started is wanted no more, and keys are asked for anew: a database that was restarted may have lost
        those it was given last."""
        self._reader.forget()
        self.close()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()

    def _arrivals(self, records: Sequence[RawRecord], topic_ids: dict[str, str], reads: list[Read]) -> list[Arrival]:
        now = datetime.now(UTC)
        principals = {topic: self._names.principal_of(topic) or "" for topic in topic_ids}
        return [
            self._arrival(
                record,
                read,
                Place(topic_ids[record.topic], record.partition, record.offset),
                principals[record.topic],
                # A little after the one before it, so that what parks together is released in the same order later.
                now + timedelta(microseconds=number),
            )
            for number, (record, read) in enumerate(zip(records, reads, strict=True))
        ]

    def _arrival(self, record: RawRecord, read: Read, place: Place, principal: str, at: datetime) -> Arrival:
        header = read.header
        submission = None
        if read.payload is not None and header is not None:
            submission = Submission(
                source=header.source,
                id=header.id,
                occurred_at=header.occurred_at,
                principal=principal,
                auth=self._auth,
                payload=read.payload,
                classified=header.classified,
            )
        return Arrival(
            place=place,
            topic=record.topic,
            principal=principal,
            auth=self._auth,
            arrived_at=at,
            submission=submission,
            content=read.content,
            source=read.source,
            id=read.id,
            type=header.type if header else "",
            retry_of=header.retry_of if header else None,
            errors=read.errors,
            raw=_nothing if read.classified else partial(record_text, record),
        )


def _nothing() -> str:
    return "{}"


def record_text(record: RawRecord) -> str:
    """The whole record as text, for the dead letters; `record_of` reads it back."""
    return json.dumps(
        {
            "key": _b64(record.key),
            "headers": [[name, _b64(value)] for name, value in record.headers],
            "value": _b64(record.value),
        }
    )


def record_of(text: str, topic: str, place: Place) -> RawRecord:
    """The record that `record_text` wrote."""
    kept = json.loads(text)
    return RawRecord(
        topic=topic,
        partition=place.partition,
        offset=place.offset,
        key=_unb64(kept["key"]),
        value=_unb64(kept["value"]),
        headers=tuple((name, _unb64(value)) for name, value in kept["headers"]),
        timestamp_ms=0,
    )


def _b64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _unb64(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
