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
"""

from typing import Any

from kafka.consumer import group
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


def install() -> None:
    """Make kafka-python's consumers so. May be called again."""
    memory_records.DefaultRecordBatch = _TolerantBatch
    group.ConsumerCoordinator = _PersistentCoordinator
