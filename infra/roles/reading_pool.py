"""Processes that read records beside the one that writes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial

from adapters.kafka.records import RawRecord
from domain.submissions import PAYLOADS, Payload
from infra.processes import begin
from infra.roles.reading import Read, Reader
from infra.settings import Settings
from infra.store import Servers, Store


class ReadingPool:
    """Starts when first asked. For one thread."""

    def __init__(self, store: Store, processes: int) -> None:
        self._processes = processes
        self._begin = partial(_begin, store.settings, store.servers)
        self._pool: ProcessPoolExecutor | None = None

    def start(self, records: Sequence[RawRecord]) -> Callable[[], list[Read]]:
        """Has the records read, and gives a function that waits for what was read of each.

        That raises what `Reader.read` raises, and BrokenProcessPool where the process was killed.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes, multiprocessing.get_context("spawn"), initializer=self._begin
            )
        reading: Future[list[_Travelling]] = self._pool.submit(_read, records)
        return lambda: [_arrived(one) for one in reading.result()]

    def close(self) -> None:
        """Ends the processes after what they are at; `start` starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


_reader: Reader
"""Of a process of the pool."""


def _begin(settings: Settings, servers: Servers) -> None:
    global _reader
    begin()
    store = Store(settings, servers)
    _reader = Reader(store.names, store.sealer())


_Travelling = tuple[Read, bytes]
"""What was read but for its payload, and that as JSON: to pickle a model takes longer than to write and read it."""


def _read(records: Sequence[RawRecord]) -> list[_Travelling]:
    return [
        (
            read._replace(payload=None),
            read.payload.__pydantic_serializer__.to_json(read.payload) if read.payload else b"",
        )
        for read in _reader.read(records)
    ]


def _arrived(travelled: _Travelling) -> Read:
    read, payload = travelled
    if not payload:
        return read
    assert read.header is not None
    kind = Payload if read.header.classified else PAYLOADS[read.header.type]
    return read._replace(payload=kind.model_validate_json(payload))
