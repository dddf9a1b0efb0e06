"""Taking in, in a process of its own: that in which the year was made is large, and the collector walks all of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from adapters.postgres.writer import Written
from infra.bench.apart import apart
from infra.bench.ground import ScratchStore
from infra.bench.memory import Memory
from infra.bench.mix import Stalled, take_in
from infra.bench.settled import deliver
from infra.memory import calm
from infra.settings import Settings
from infra.store import Servers

DELIVERIES = 40
"""How often what is due is delivered while a store lives."""


class Taken(NamedTuple):
    """How many, how fast (a second), and the memory it took (MiB, `Memory.thirds`)."""

    total: int
    rate: float
    memory: dict[str, float]


def taken_in_apart(store: ScratchStore, wanted: int) -> Taken:
    """As `take_in`, by a process that does nothing else, and those below it."""
    return apart(_take_in, store.settings, store.servers, wanted)


def lived_apart(store: ScratchStore, wanted: int, since: datetime) -> None:
    """Takes in as if that had begun then and lasted until now, delivering notices all the while; apart too."""
    apart(_live, store.settings, store.servers, wanted, since)


def _take_in(settings: Settings, servers: Servers, wanted: int) -> Taken:
    calm()
    store = ScratchStore(settings, servers)
    with Memory() as used:
        pace = take_in(store, wanted)
    store.disconnect()
    return Taken(pace.total, pace.rate, used.thirds())


def _live(settings: Settings, servers: Servers, wanted: int, since: datetime) -> None:
    calm()
    store = ScratchStore(settings, servers)
    lasted, seen = datetime.now(UTC) - since, 0

    def count(written: Written) -> None:
        nonlocal seen
        seen += len(written.results)

    store.clock = lambda: since + lasted * min(1.0, seen / wanted)
    while seen < wanted:
        before = seen
        take_in(store, min(wanted - seen, max(1, wanted // DELIVERIES)), count)
        deliver(store)
        if seen == before:
            raise Stalled(f"{seen} / {wanted}")
    store.disconnect()
