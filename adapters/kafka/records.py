"""A record as it was fetched, and the place it was fetched from."""

from typing import Any, NamedTuple

Place = tuple[str, int]
"""A topic's name and a partition of it."""


class RawRecord(NamedTuple):
    """A Kafka record, its contents untouched."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int
    size: int = 0
    """Its bytes in memory: the headers count too, for a sender could put its bulk there."""

    @property
    def place(self) -> Place:
        """Where it came from."""
        return (self.topic, self.partition)


def from_client(record: Any) -> RawRecord:
    """A kafka-python `ConsumerRecord` as a `RawRecord`."""
    key, value, headers = record.key, record.value, record.headers
    size = len(value or b"") + len(key or b"")
    for name, content in headers:
        size += len(name) + len(content or b"")
    return RawRecord(record.topic, record.partition, record.offset, key, value, tuple(headers), record.timestamp, size)
