"""A record as it was fetched, and the place it was fetched from."""

from dataclasses import dataclass

Place = tuple[str, int]
"""A topic's name and a partition of it."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A Kafka record, its contents untouched."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int

    @property
    def place(self) -> Place:
        """Where it came from."""
        return (self.topic, self.partition)

    @property
    def size(self) -> int:
        """Its bytes in memory: the headers count too, for a sender could put its bulk there."""
        held = len(self.value or b"") + len(self.key or b"")
        return held + sum(len(key) + len(raw or b"") for key, raw in self.headers)


def from_client(record: object) -> RawRecord:
    """A kafka-python `ConsumerRecord` as a `RawRecord`."""
    topic, partition, _, offset, timestamp, _, key, value, headers = record[:9]  # type: ignore[index]
    return RawRecord(topic, partition, offset, key, value, tuple(headers), timestamp)
