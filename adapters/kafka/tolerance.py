"""A repair of kafka-python 3.0: one record must not stop its reader.

Header names are strings to Kafka's protocol, but brokers store whatever bytes they are given. kafka-python decodes them
strictly while iterating over the batch: a name that is not UTF-8 raises `CorruptRecordError`, and from the next `poll`
on `Fetcher.fetched_records` spins for ever on the dead iterator (3.0.12: `_append` takes nothing and never drains).
Any principal could so hang the intake of all the others. Here such a name is read with its bad bytes escaped, and the
record goes on to be judged, and refused, like any other.
"""

from typing import Any

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


def install() -> None:
    """Make kafka-python's consumers read batches this way. May be called again."""
    memory_records.DefaultRecordBatch = _TolerantBatch
