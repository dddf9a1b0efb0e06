"""Taking in, in a process of its own: that in which the year was made is large, and the collector walks all of it."""

from __future__ import annotations

from typing import NamedTuple

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


def taken_in_apart(store: ScratchStore, wanted: int) -> Taken:
    """As `take_in`, by a process that does nothing else, and those below it."""
    return apart(_take_in, store.settings, store.servers, wanted)


def _take_in(settings: Settings, servers: Servers, wanted: int) -> Taken:
    calm()
    store = ScratchStore(settings, servers)
    with Memory() as used:
        pace = take_in(store, wanted)
    store.disconnect()
    return Taken(pace.total, pace.rate, used.thirds())
