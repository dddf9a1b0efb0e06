"""Kafka records become arrivals: what was read of each, where it lay, and when it came."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from adapters.crypto.sealer import Sealer
from adapters.kafka.names import TopicNames
from adapters.kafka.records import RawRecord
from domain.arrivals import Arrival, Place
from domain.event import Auth
from domain.submissions import Submission
from infra.roles.feed import Batch, batch_of, unpacked
from infra.roles.reading import Read, Reader


class Decoder:
    """For one thread. `auth` is how the broker makes sure who writes."""

    def __init__(self, names: TopicNames, sealer: Sealer, auth: Auth) -> None:
        self._names = names
        self._auth = auth
        self._reader = Reader(names, sealer)

    def decode(self, records: Sequence[RawRecord], topic_ids: dict[str, str]) -> list[Arrival]:
        """One arrival per record, in their order. May raise what the key store raises."""
        return self.arrivals(batch_of(records, topic_ids, self._reader))

    def arrivals(self, batch: Batch) -> list[Arrival]:
        """One per record, in their order."""
        now = datetime.now(UTC)
        principals = {topic: self._names.principal_of(topic) or "" for topic in batch.topic_ids}
        return [
            self._arrival(
                topic,
                principals[topic],
                Place(batch.topic_ids[topic], partition, offset),
                read,
                packed,
                # A little after the one before it, so that what parks together is released in the same order later.
                now + timedelta(microseconds=number),
            )
            for number, ((topic, partition, offset), read, packed) in enumerate(
                zip(batch.places, batch.reads, batch.packed, strict=True)
            )
        ]

    def forget(self) -> None:
        """Keys are asked for anew, as `Feed.give_up` has it."""
        self._reader.forget()

    def _arrival(self, topic: str, principal: str, place: Place, read: Read, packed: bytes, at: datetime) -> Arrival:
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
                caller=header.caller,
                signature=read.signature,
            )
        return Arrival(
            place=place,
            topic=topic,
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
            raw=_nothing if read.classified else partial(_raw, packed),
            correlation=read.correlation,
        )


def _raw(packed: bytes) -> str:
    return record_text(unpacked(packed))


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
