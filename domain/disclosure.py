"""Small cells of public tables, and what else must stay hidden so that nobody can work them out (5.4a).

Tables of parts and of their wholes have the same rows, columns and totals. Whatever is shown, rows and columns still
add up, and no part is greater than its whole: a hidden cell is safe only where values so far apart fit what is shown
that nobody can tell. So the same cells are hidden in all of the tables, and what fits is looked for in two ways that
keep whatever else is known: all tables change alike, which leaves every difference as it is; or only the wholes do,
which leaves the parts. Either way it is flow through a network: a hidden cell is an arc from its row to its column, and
adding up is what keeps the flow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

Cell = tuple[int, int]
"""Row and column, each counted from 0; the last of either is the totals'."""
Table = Sequence[Sequence[int]]
_Node = tuple[str, int]
TRIED = 20


def with_totals(rows: Table) -> list[list[int]]:
    """Each row with its sum, and a last row of the columns' sums."""
    full = [[*row, sum(row)] for row in rows]
    return [*full, [sum(column) for column in zip(*full, strict=True)]]


def hidden(wholes: Sequence[Table], parts: Sequence[Table], smallest: int) -> set[Cell]:
    """What is not to be shown of any of these tables. Each of the `parts` is of the whole in its place, and no whole is
    greater than the one before it.

    No cell that says of too few, and none that leaves too few over of its whole, can be told to within fewer values
    than `smallest`. Whether the totals in the last row are hidden depends on nothing but themselves, and then all are,
    with a row of each table: whatever they rise by in one table, that row may have risen by in another.
    """
    last, columns = len(wholes[0]) - 1, range(len(wholes[0][0]))
    ways = _ways(wholes, parts, smallest)
    found = set().union(*(way.few for way in ways))
    if any(row == last for row, _ in found):
        free = min(range(last), key=lambda row: wholes[0][row][-1])
        found |= {(row, column) for row in (free, last) for column in columns}
    networks = [Network(way.falls, found) for way in ways]
    everything = found | set(product(range(last), columns))
    for way, network in zip(ways, networks, strict=True):
        few, most = sorted(cell for cell in way.few if cell[0] != last), Network(way.falls, everything)
        if any(most.room(cell, smallest) < smallest for cell in few):
            return everything  # of the totals, each row may then have all or nothing
        for cell in few:
            while network.room(cell, smallest) < smallest:
                more = _more(wholes[0], network, cell, smallest)
                found |= set(more)
                for one in networks:
                    one.hide(more)
    return found


class _Way(NamedTuple):
    """One of the ways to change the tables: how far cells may fall, and the cells that it is to keep from being
    told."""

    falls: list[list[int]]
    few: set[Cell]


def _ways(wholes: Sequence[Table], parts: Sequence[Table], smallest: int) -> tuple[_Way, _Way]:
    """All tables alike; the wholes alone. Totals do not fall: another table may not allow it."""
    last = len(wholes[0]) - 1
    every = _least([*wholes, *parts])
    over = [
        [[one - part for one, part in zip(*rows, strict=True)] for rows in zip(whole, of, strict=True)]
        for whole, of in zip(wholes, parts, strict=True)
    ]
    few = {cell for cell in _cells(every) if every[cell[0]][cell[1]] < smallest}
    few_over = {cell for cell in _cells(every) if any(0 < one[cell[0]][cell[1]] < smallest for one in over)}
    still = [0] * len(every[0])
    return _Way([*every[:last], still], few), _Way([*_least(over)[:last], still], few_over)


def _least(tables: Sequence[Table]) -> list[list[int]]:
    return [[max(min(values), 0) for values in zip(*rows, strict=True)] for rows in zip(*tables, strict=True)]


def _cells(table: Table) -> Iterable[Cell]:
    return product(range(len(table)), range(len(table[0])))


def _more(whole: Table, network: Network, cell: Cell, smallest: int) -> list[Cell]:
    """What else to hide, the cheapest that makes the cell safe, or that may help. None of the last row."""
    offers = _offers(whole, network, cell, smallest)
    for corners in offers:
        network.hide(corners)
        safe = network.room(cell, smallest) >= smallest
        network.show(corners)
        if safe:
            return corners
    return offers[0]


def _offers(whole: Table, network: Network, cell: Cell, smallest: int) -> list[list[Cell]]:
    """What may be hidden beside a cell, the cheapest first: the corners of the rectangles with it. Of those that may
    not do a few only, and the first that must, because every corner of it may fall far enough."""
    last, (i, j) = len(whole) - 1, cell
    offers = []
    for k, n in _cells(whole):
        corners = {(i, n), (k, j), (k, n)}
        fresh = sorted(corner for corner in corners if corner not in network.hidden)
        if k != i and n != j and fresh and all(row != last for row, _ in fresh):
            large = all(network.falls[row][column] >= smallest for row, column in corners)
            offers.append((sum(whole[row][column] for row, column in fresh), fresh, large))
    offers.sort()
    sure = next((fresh for _, fresh, large in offers if large), None)
    return [fresh for _, fresh, _ in offers[:TRIED]] + ([sure] if sure else [])


class Network:
    """The hidden cells as arcs between rows and columns. A cell may rise without end, and fall as far as `falls`."""

    def __init__(self, falls: Table, hidden: Iterable[Cell]) -> None:
        self.falls = falls
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
        value = self.falls[cell[0]][cell[1]]
        return self._flow(cell, head, tail, most) + self._flow(cell, tail, head, min(value, most))

    def _arc(self, cell: Cell) -> tuple[_Node, _Node]:
        """From the cell's row to its column; of a total, which is on the other side of the sum, the other way."""
        row, column = ("row", cell[0]), ("column", cell[1])
        totals = (cell[0] == len(self.falls) - 1) + (cell[1] == len(self.falls[0]) - 1)
        return (column, row) if totals == 1 else (row, column)

    def _flow(self, but: Cell, source: _Node, sink: _Node, most: int) -> int:
        """The greatest flow, `most` at most, from one node to another but by this cell: along an arc its cell rises,
        against it it falls as far as it may."""
        changed: dict[Cell, int] = {}
        total = 0
        while total < most and (path := self._path(but, changed, source, sink)):
            step = min([most - total, *(self._left(changed, cell) for cell, way in path if way < 0)])
            for cell, way in path:
                changed[cell] = changed.get(cell, 0) + way * step
            total += step
        return total

    def _left(self, changed: dict[Cell, int], cell: Cell) -> int:
        return self.falls[cell[0]][cell[1]] + changed.get(cell, 0)

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
