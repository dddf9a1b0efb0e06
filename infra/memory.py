"""Python's cyclic garbage collector, set for processes that hold large batches of young objects."""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 50


def calm() -> None:
    """Batches of thousands of events are no garbage: they are walked seldom, and what was imported never again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
