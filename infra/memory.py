"""Python's cyclic garbage collector, set for processes that hold large batches of young objects."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 50_000, 20, 50
HELD = 1_000_000
"""A batch of 40,000 events and their rows is some 800,000 objects."""


def calm() -> None:
    """Batches of thousands of events are no garbage: they are walked seldom, and what was imported never again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


@contextmanager
def calmer() -> Iterator[None]:
    """While a whole log is read in larger batches: hardly ever. As usually set, the walks take half of the time."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(HELD, MIDDLE, OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
