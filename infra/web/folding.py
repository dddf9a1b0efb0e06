"""Lists as they were at a moment: rows whose identity never changes, their contents folded from the log anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from domain.event import Recorded
from projections.page import Slice

BLOCK = 200
MOST_SCANNED = 2_000
"""Rows that are looked at for one page, more or less: then it is answered as it is, and the next goes on from there."""
Row = dict[str, Any]
Histories = Mapping[str, Sequence[Recorded]]


def sift(
    find: Callable[[Any, int], Slice],
    fold: Callable[[list[Row]], Iterable[Row]],
    fits: Callable[[Row], bool],
    key: str,
    after: Any,
    limit: int,
    block: int = BLOCK,
) -> Slice:
    """The first rows that fit. `find` gives the next candidates, at most so many; `fold` what they were, in their
    order, with their `key`; `scanned` counts those that were looked at. Where too many are, it stops: there may be
    fewer rows than are asked for, or none, and yet more to come."""
    rows: list[Row] = []
    scanned = looked = 0
    while True:
        found = find(after, block)
        for row in fold(found.rows):
            if fits(row):
                if len(rows) == limit:
                    return Slice(rows, True, scanned)
                rows.append(row)
            scanned += 1
        if not found.more:
            return Slice(rows, False, scanned)
        after = [found.rows[-1][key]]
        looked += len(found.rows)
        if looked >= MOST_SCANNED:
            return Slice(rows, True, scanned, after)


def together(histories: Histories, *streams: str) -> list[Recorded]:
    """What became of several streams that belong together, in log order."""
    return sorted((one for name in streams for one in histories.get(name, ())), key=lambda one: one.position)
