"""What may be chosen about a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SEED = 2020
CASES = 8_000
"""About 50,000 submissions."""
RATES = (10, 100, 1_000)
SIZES = (100_000, 1_000_000, 5_000_000)
LARGE = 10_000_000
EVENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """One for all benchmarks; each takes what concerns it. `say` tells people how far it has come."""

    say: Callable[[str], None]
    cases: int = CASES
    seed: int = SEED
    rounds: int = 2
    seconds: float = 8.0
    """Of each rate of a latency run."""
    rates: tuple[int, ...] = RATES
    """Decisions a second, rising."""
    sizes: tuple[int, ...] = SIZES
    """Events in the log, rising."""
    events: int = EVENTS
    """In the log that read models are rebuilt from."""
    most: int = 4
    """Workers of a store, and stores, that have to be right together; for rates there are two."""
    verify: bool = True
    """Whether `verify` reads every store that was filled or written to."""
