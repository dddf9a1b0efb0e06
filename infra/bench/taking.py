"""Taking in, in a process of its own: that in which the year was made is large, and the collector walks all of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from adapters.postgres.writer import Written
from infra.bench.apart import apart
from infra.bench.ground import ScratchStore
from infra.bench.memory import Memory
from infra.bench.mix import take_in
from infra.memory import calm
from infra.settings import Settings
from infra.store import Servers


class Taken(NamedTuple):
    """How many, how fast (a second), and the memory it took (MiB, `Memory.thirds`)."""

    total: int
    rate: float
    memory: dict[str, float]


def taken_in_apart(store: ScratchStore, wanted: int, since: datetime | None = None) -> Taken:
    """As `take_in`, by a process that does nothing else, and those below it. `since`: as if it had begun then and had
    lasted until now."""
    return apart(_take_in, store.settings, store.servers, wanted, since)


def _take_in(settings: Settings, servers: Servers, wanted: int, since: datetime | None) -> Taken:
    calm()
    store = ScratchStore(settings, servers)
    seen = 0

    def count(written: Written) -> None:
        nonlocal seen
        seen += len(written.results)

    if since is not None:
        lasted = datetime.now(UTC) - since
        store.clock = lambda: since + lasted * min(1.0, seen / wanted)
    with Memory() as used:
        pace = take_in(store, wanted, count)
    store.disconnect()
    return Taken(pace.total, pace.rate, used.thirds())
