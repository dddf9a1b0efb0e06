"""Small cells of public tables, and what else must stay hidden so that nobody can work them out (5.4a).

A table has rows, columns and their totals. Whatever is shown, rows and columns still add up: a hidden cell is safe only
where values so far apart fit what is shown that nobody can tell. What fits is found as flow through a network: a hidden
cell is an arc from its row to its column, and adding up is what keeps the flow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import product

Cell = tuple[int, int]
"""Row and column, each counted from 0; the last of either is the totals'."""
Table = Sequence[Sequence[int]]
_Node = tuple[str, int]
TRIED = 20


def with_totals(rows: Table) -> list[list[int]]:
    """Each row with its sum, and a last row of the columns' sums."""
    full = [[*row, sum(row)] for row in rows]
    return [*full, [sum(column) for column in zip(*full, strict=True)]]


def small(full: Table, whole: Table | None, smallest: int) -> set[Cell]:
    """The cells that say of too few; of a part of a `whole`, also those that leave too few over."""
    return {
        (i, j)
        for i, row in enumerate(full)
        for j, value in enumerate(row)
        if value < smallest or (whole is not None and 0 < whole[i][j] - value < smallest)
    }


def hidden_totals(full: Table, primary: set[Cell], smallest: int) -> set[Cell]:
    """Of the last row, by itself, so that every table of the same facts hides the same totals."""
    last = len(full) - 1
    alone = [full[last], full[last]]
    slack = {(1, j) for j in range(len(full[last]))}
    wanted = {(0, j) for i, j in primary if i == last}
    return {(last, j) for i, j in _complete(alone, wanted, slack, wanted, smallest) if i == 0}


def hidden(full: Table, primary: set[Cell], totals: set[Cell], smallest: int) -> set[Cell]:
    """All that is not to be shown, where of the last row just `totals` are not: no hidden small cell or total can be
    told to within fewer values than `smallest`."""
    last = len(full) - 1
    inside = {cell for cell in primary if cell[0] != last}
    return _complete(full, inside, totals, inside | totals, smallest)


def _complete(full: Table, primary: set[Cell], given: set[Cell], kept: Iterable[Cell], smallest: int) -> set[Cell]:
    """Hides more cells, none of the last row, until each that is to be `kept` is safe; the cheapest that make it so."""
    network = Network(full, primary | given)
    for cell in sorted(kept):
        while network.room(cell, smallest) < smallest and (offers := _offers(full, network, cell, smallest)):
            for corners in offers:
                network.hide(corners)
                if network.room(cell, smallest) >= smallest:
                    break
                network.show(corners)
            else:
                network.hide(offers[0])
    return set(network.hidden)


def _offers(full: Table, network: Network, cell: Cell, smallest: int) -> list[list[Cell]]:
    """What may be hidden beside a cell, the cheapest first: the corners of the rectangles with it. Of those that may
    not do a few only, and the first that must, because no corner of it is small."""
    last, (i, j) = len(full) - 1, cell
    offers = []
    for k, n in product(range(len(full)), range(len(full[0]))):
        corners = {(i, n), (k, j), (k, n)}
        fresh = sorted(corner for corner in corners if corner not in network.hidden)
        if k != i and n != j and fresh and all(row != last for row, _ in fresh):
            large = all(full[row][column] >= smallest for row, column in corners)
            offers.append((sum(full[row][column] for row, column in fresh), fresh, large))
    offers.sort()
    sure = next((fresh for _, fresh, large in offers if large), None)
    return [fresh for _, fresh, _ in offers[:TRIED]] + ([sure] if sure else [])


class Network:
    """The hidden cells as arcs between rows and columns."""

    def __init__(self, full: Table, hidden: Iterable[Cell]) -> None:
        self._full = full
        self._near: dict[_Node, dict[Cell, tuple[_Node, int]]] = {}
        self.hidden: dict[Cell, tuple[_Node, _Node]] = {}
        self.hide(hidden)

    def hide(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            tail, head = self.hidden[cell] = self._arc(cell)
            self._near.setdefault(tail, {})[cell] = (head, 1)
            self._near.setdefault(head, {})[cell] = (tail, -1)

    def show(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            for node in self.hidden.pop(cell):
                del self._near[node][cell]

    def room(self, cell: Cell, most: int) -> int:
        """How far apart the least and the greatest value are that a hidden cell may have, by all that is shown; looked
        for no further than `most` either way."""
        tail, head = self.hidden[cell]
        value = self._full[cell[0]][cell[1]]
        return self._flow(cell, head, tail, most) + self._flow(cell, tail, head, min(value, most))

    def _arc(self, cell: Cell) -> tuple[_Node, _Node]:
        """From the cell's row to its column; of a total, which is on the other side of the sum, the other way."""
        row, column = ("row", cell[0]), ("column", cell[1])
        totals = (cell[0] == len(self._full) - 1) + (cell[1] == len(self._full[0]) - 1)
        return (column, row) if totals == 1 else (row, column)

    def _flow(self, but: Cell, source: _Node, sink: _Node, most: int) -> int:
        """The greatest flow, `most` at most, from one node to another but by this cell: along an arc its cell rises,
        against it it falls to nothing."""
        changed: dict[Cell, int] = {}
        total = 0
        while total < most and (path := self._path(but, changed, source, sink)):
            step = min([most - total, *(self._left(changed, cell) for cell, way in path if way < 0)])
            for cell, way in path:
                changed[cell] = changed.get(cell, 0) + way * step
            total += step
        return total

    def _left(self, changed: dict[Cell, int], cell: Cell) -> int:
        return self._full[cell[0]][cell[1]] + changed.get(cell, 0)

    def _path(self, but: Cell, changed: dict[Cell, int], source: _Node, sink: _Node) -> list[tuple[Cell, int]]:
        """The shortest way; empty where there is none."""
        came: dict[_Node, tuple[_Node, Cell, int]] = {}
        queue = deque([source])
        while queue and sink not in came:
            node = queue.popleft()
            for cell, (other, way) in self._near.get(node, {}).items():
                if cell == but or other == source or other in came:
                    continue
                if way > 0 or self._left(changed, cell) > 0:
                    came[other] = (node, cell, way)
                    queue.append(other)
        path, node = [], sink
        while node in came:
            node, cell, way = came[node]
            path.append((cell, way))
        return path
