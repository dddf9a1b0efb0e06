"""Who wants to know what public tables hide: adds, subtracts and compares whatever is shown, over and over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Shown = Sequence[Sequence[int | None]]
"""A table with its totals; None is hidden."""
Place = tuple[str, int, int]
"""The table's name, row and column. `whole-part` is what is left of a whole."""
Range = tuple[int, int]
ENDLESS = 10**9


def narrowed(
    shown: Mapping[str, Shown], parts: Sequence[tuple[str, str]], same: Sequence[tuple[str, str]] = ()
) -> dict[Place, Range]:
    """Between which values everything must lie, hidden or shown. `parts`: (part, whole), for no part is greater;
    `same`: tables with the same totals in the last row."""
    known: dict[Place, Range] = {}
    rules: list[tuple[Place, list[Place]]] = []  # what is the sum of what
    size = {name: (len(table), len(table[0])) for name, table in shown.items()}
    size |= {f"{whole}-{part}": size[whole] for part, whole in parts}
    for name, (rows, columns) in size.items():
        for i in range(rows):
            for j in range(columns):
                value = shown[name][i][j] if name in shown else None
                known[name, i, j] = (0, ENDLESS) if value is None else (value, value)
        rules += [((name, i, columns - 1), [(name, i, j) for j in range(columns - 1)]) for i in range(rows)]
        rules += [((name, rows - 1, j), [(name, i, j) for i in range(rows - 1)]) for j in range(columns)]
    for part, whole in parts:
        rules += [((whole, i, j), [(part, i, j), (f"{whole}-{part}", i, j)]) for i, j in _cells(size[whole])]
    for one, other in same:
        ends = size[one][0] - 1, size[other][0] - 1
        rules += [((one, ends[0], j), [(other, ends[1], j)]) for j in range(size[one][1])]
    while sum(_narrow(known, total, summands) for total, summands in rules):
        pass
    return known


def _cells(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(size[0]) for j in range(size[1]))


def _narrow(known: dict[Place, Range], total: Place, summands: Sequence[Place]) -> bool:
    """Whether anything came of it."""
    before = [known[place] for place in (total, *summands)]
    least, most = sum(known[one][0] for one in summands), sum(known[one][1] for one in summands)
    _within(known, total, least, most)
    low, high = known[total]
    for one in summands:
        mine = known[one]
        _within(known, one, low - (most - mine[1]), high - (least - mine[0]))
    return before != [known[place] for place in (total, *summands)]


def _within(known: dict[Place, Range], place: Place, low: int, high: int) -> None:
    known[place] = max(known[place][0], low), min(known[place][1], high)
