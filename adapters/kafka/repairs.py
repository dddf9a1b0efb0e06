"""Repairs of kafka-python 3.0.12, put in place before any client is made.

**One record must not stop its reader.** Header names are strings to Kafka's protocol, but brokers store whatever bytes
they are given. kafka-python decodes them strictly while iterating over the batch: a name that is not UTF-8 raises
`CorruptRecordError`, and from the next `poll` on `Fetcher.fetched_records` spins for ever on the dead iterator
(`_append` takes nothing and never drains). Any principal could so hang the intake of all the others. Here such a name
is read with its bad bytes escaped, and the record goes on to be judged, and refused, like any other.

**A join once begun must be ended.** A leader that rejoins because the topics changed takes note of the new topics while
the join is under way. If `poll` runs out of time just then, the next one finds no reason left to rejoin and never takes
the answer: the member keeps its old partitions, sends no heartbeats, and is expelled without ever noticing. Here a join
under way is itself a reason.

**A partition that was paused must go on.** What was fetched of a partition and not handed out before it was paused is
laid aside, and taken up again only by a call that finds no partition in hand. One that was handed out to its end counts
as in hand, and the next empty answer of another partition takes its place: the partition laid aside may wait for ever,
and is not fetched anew either. Here only one that has something to hand out is in hand.
"""

from typing import Any

from kafka.consumer import group
from kafka.consumer.fetcher import Fetcher
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.errors import CorruptRecordError
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class _Lenient(bytearray):
    """Bytes whose slices decode to something, whatever they hold."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Lenient(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        return super().decode(encoding, "backslashreplace")


class _TolerantBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A record batch that reads on past a header name that is not UTF-8."""

    _buffer: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except CorruptRecordError as error:
            if not isinstance(error.__context__, UnicodeDecodeError):
                raise
            # A failed read moves nothing, so the same record can be read again; only such batches pay for the detour.
            self._buffer = _Lenient(self._buffer)
            return super().__next__()


class _PersistentCoordinator(ConsumerCoordinator):  # type: ignore[misc]
    """Goes on with a join until it has its answer."""

    def need_rejoin(self) -> bool:
        return self._join_task is not None or bool(super().need_rejoin())


class _ResumingFetcher(Fetcher):  # type: ignore[misc]
    """Takes up what was laid aside of a partition as soon as it is resumed."""

    _next_partition_records: Any

    def fetched_records(self, max_records: int | None = None, update_offsets: bool = True) -> Any:
        current = self._next_partition_records
        if not current:
            self._next_partition_records = None
        elif self._subscriptions.is_paused(current.topic_partition):
            self._paused_partition_records[current.topic_partition] = current
            self._next_partition_records = None
        return super().fetched_records(max_records, update_offsets)


def install() -> None:
    """Make kafka-python's consumers so. May be called again."""
    memory_records.DefaultRecordBatch = _TolerantBatch
    group.ConsumerCoordinator = _PersistentCoordinator
    group.Fetcher = _ResumingFetcher
