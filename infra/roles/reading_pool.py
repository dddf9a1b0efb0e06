"""Processes that read records beside the one that writes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial

from adapters.kafka.records import RawRecord
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
        reading: Future[list[Read]] = self._pool.submit(_read, records)
        return reading.result

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


def _read(records: Sequence[RawRecord]) -> list[Read]:
    return _reader.read(records)
