"""The last record of a topic with one partition: for who wants to know a state and not its history."""

from __future__ import annotations

from typing import Any, Self

from kafka import TopicPartition

from adapters.kafka import clients
from adapters.kafka.records import RawRecord, from_client

_LOOK_MS = 1_000


class LastRecord:
    """Looks anew each time it is asked. Raises clients.BrokerError."""

    def __init__(self, options: clients.Options, topic: str) -> None:
        self._partition = TopicPartition(topic, 0)
        self._consumer: Any = clients.consumer(options, fixed={"group_id": None, "enable_auto_commit": False})
        self._found: RawRecord | None = None
        if self._consumer.partitions_for_topic(topic):
            self._consumer.assign([self._partition])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(autocommit=False)

    def look(self) -> RawRecord | None:
        """None: there is no such topic, or nothing in it."""
        if not self._consumer.assignment():
            return None
        end = self._consumer.end_offsets([self._partition])[self._partition]
        if end and (self._found is None or self._found.offset < end - 1):
            self._consumer.seek(self._partition, end - 1)
            for records in self._consumer.poll(timeout_ms=_LOOK_MS).values():
                self._found = from_client(records[-1])
        return self._found
