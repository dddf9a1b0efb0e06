"""Public tables: what is hidden stays hidden, however the rest is added and subtracted (5.4a)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from domain.disclosure import Cell, Network, hidden, hidden_totals, small, with_totals

SMALLEST = 5


def shown(full: list[list[int]], whole: list[list[int]] | None = None) -> set[Cell]:
    """What is hidden of a table."""
    primary = small(full, whole, SMALLEST)
    return hidden(full, primary, hidden_totals(full, primary, SMALLEST), SMALLEST)


def lines(full: list[list[int]]) -> Iterator[list[Cell]]:
    """The cells of every sum, its total last."""
    rows, columns = range(len(full)), range(len(full[0]))
    yield from ([(i, j) for j in columns] for i in rows)
    yield from ([(i, j) for i in rows] for j in columns)


def subtract(full: list[list[int]], unknown: set[Cell]) -> set[Cell]:
    """The attack: whatever is the only one unknown in a line is worked out, and so on. What stays unknown."""
    left = set(unknown)
    while found := {cells[0] for line in lines(full) if len(cells := [c for c in line if c in left]) == 1}:
        left -= found
    return left


def tables(count: int) -> Iterator[list[list[int]]]:
    rng = Random(2020)
    for _ in range(count):
        rows, columns = rng.randint(1, 9), rng.randint(1, 4)
        most = rng.choice([1, 4, 7, 20, 100])
        yield with_totals([[rng.randint(0, most) for _ in range(columns)] for _ in range(rows)])


def test_nothing_small_is_shown_and_the_attack_finds_nothing() -> None:
    for full in tables(300):
        unknown = shown(full)
        assert all(
            value >= SMALLEST for i, row in enumerate(full) for j, value in enumerate(row) if (i, j) not in unknown
        )
        assert subtract(full, unknown) == unknown


def test_the_attack_works_where_only_small_cells_are_hidden() -> None:
    """Or the test above would prove nothing."""
    full = with_totals([[2, 30], [40, 50]])
    assert subtract(full, small(full, None, SMALLEST)) == set()
    assert len(shown(full)) >= 4


def test_of_every_small_cell_so_many_values_fit_that_nobody_can_tell() -> None:
    for full in tables(120):
        primary = small(full, None, SMALLEST)
        unknown = shown(full)
        assert all(Network(full, unknown).room(cell, SMALLEST) >= SMALLEST for cell in primary)


def test_what_fits_is_reckoned_as_by_trying_everything() -> None:
    rng = Random(7)
    for _ in range(60):
        full = with_totals([[rng.randint(0, 3) for _ in range(2)] for _ in range(2)])
        every = [(i, j) for i in range(3) for j in range(3)]
        unknown = set(rng.sample(every, rng.randint(1, 6))) - {(2, 2)}
        fits = list(squares(full, unknown))
        for cell in unknown:
            values = [other[cell[0]][cell[1]] for other in fits]
            assert Network(full, unknown).room(cell, 1000) == max(values) - min(values), (full, unknown, cell)


def squares(full: list[list[int]], unknown: set[Cell]) -> Iterator[list[list[int]]]:
    """All two by two that add up to the same where it is shown; the grand total is."""
    most = full[2][2] + 1
    for a in range(most):
        for b in range(most - a):
            for c in range(most - a - b):
                other = with_totals([[a, b], [c, full[2][2] - a - b - c]])
                if all(other[i][j] == full[i][j] for i in range(3) for j in range(3) if (i, j) not in unknown):
                    yield other


def test_the_same_totals_are_hidden_in_every_table_of_the_same_facts() -> None:
    by_region = with_totals([[2, 0, 30], [1, 4, 60]])
    by_matter = with_totals([[3, 4, 45], [0, 0, 45]])
    totals = [hidden_totals(full, small(full, None, SMALLEST), SMALLEST) for full in (by_region, by_matter)]
    assert totals[0] == totals[1] == {(2, 0), (2, 1)}
    for full in (by_region, by_matter):
        assert {cell for cell in shown(full) if cell[0] == 2} == totals[0]
        assert subtract(full, shown(full)) == shown(full)


@pytest.mark.parametrize(("part", "whole", "told"), [(20, 20, True), (19, 20, False), (16, 20, False), (15, 20, True)])
def test_a_part_that_leaves_few_over_is_small(part: int, whole: int, told: bool) -> None:
    assert ((0, 0) not in small([[part]], [[whole]], SMALLEST)) is told
