"""Python's garbage collector while a log is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 1_000_000
"""How many objects more than at the last collection make for another; a batch of 5,000 events holds some 100,000."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within, the collector leaves alone what is there already and looks at the rest seldom.

    Events and rows hold no cycles, so every walk through a batch of them finds nothing, and as usually set it walks
    them again and again: half of the time that reading takes.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
