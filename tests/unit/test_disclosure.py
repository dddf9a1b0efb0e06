"""Public tables: what is hidden stays hidden, however the rest is added, subtracted and compared (5.4a)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from domain.disclosure import Cell, Network, hidden, with_totals
from tests.attack import Shown, narrowed

SMALLEST = 5
Table = list[list[int]]
Group = tuple[list[Table], list[Table]]
"""Wholes and their parts."""
NAMES = (("owed", "received"), ("due", "in_time"))
PARTS = [("received", "owed"), ("in_time", "due"), ("due", "owed"), ("in_time", "received")]


def published(group: Group, unknown: set[Cell]) -> dict[str, Shown]:
    """As it is shown."""
    return {
        name: [[None if (i, j) in unknown else value for j, value in enumerate(row)] for i, row in enumerate(table)]
        for names, *tables in zip(NAMES, *group, strict=False)
        for name, table in zip(names, tables, strict=True)
    }


def delicate(group: Group, smallest: int = SMALLEST) -> dict[tuple[str, int, int], int]:
    """What nobody may come to know: too few, or too few left over of a whole."""
    found = {}
    for (whole, part), of, parts in zip(NAMES, *group, strict=False):
        for i, j in product(range(len(of)), range(len(of[0]))):
            values = {whole: of[i][j], part: parts[i][j], f"{whole}-{part}": of[i][j] - parts[i][j]}
            for name, value in values.items():
                if value < smallest and (value > 0 or name in (whole, part)):
                    found[name, i, j] = value
    return found


def known(group: Group, unknown: set[Cell]) -> dict[tuple[str, int, int], tuple[int, int]]:
    """What comes of the attack."""
    shown = published(group, unknown)
    return narrowed(shown, [(part, whole) for part, whole in PARTS if whole in shown and part in shown])


def told(group: Group, unknown: set[Cell]) -> dict[tuple[str, int, int], int]:
    """Of that what nobody may know so well."""
    found = known(group, unknown)
    return {place: value for place, value in delicate(group).items() if found[place][1] - found[place][0] < SMALLEST}


def pair(owed: Table, received: Table) -> Group:
    return [with_totals(owed)], [with_totals(received)]


def groups(count: int) -> Iterator[Group]:
    """Two wholes and their parts each: owed, of these due; received, of these in time."""
    rng = Random(2020)
    for _ in range(count):
        rows, columns = rng.randint(1, 9), rng.randint(1, 4)
        most, good = rng.choice([1, 4, 7, 20, 100, 400]), rng.choice([0.0, 0.5, 0.9, 0.99, 1.0])
        owed = [[rng.randint(0, most) for _ in range(columns)] for _ in range(rows)]
        due = [[rng.choice([n, n, n, rng.randint(0, n)]) for n in row] for row in owed]
        in_time = [[sum(rng.random() < good for _ in range(n)) for n in row] for row in due]
        received = [[rng.randint(t, n) for t, n in zip(*rows, strict=True)] for rows in zip(in_time, owed, strict=True)]
        yield [with_totals(owed), with_totals(due)], [with_totals(received), with_totals(in_time)]


def test_nothing_small_is_shown_and_the_attack_finds_nothing() -> None:
    partly = 0
    for group in groups(400):
        unknown = hidden(*group, SMALLEST)
        shown = published(group, unknown)
        assert all(value is None or value >= SMALLEST for table in shown.values() for row in table for value in row)
        assert told(group, unknown) == {}, group
        partly += 0 < len(unknown) < len(group[0][0]) * len(group[0][0][0])
    assert partly > 50  # or hiding everything would do


CONTENT = pair([[100] * 3, [60] * 3, [100] * 3], [[97] * 3, [60] * 3, [90] * 3])
"""Of one row few are left over, of another none."""


def test_the_attack_works_where_only_small_cells_are_hidden() -> None:
    """Or the test above would prove nothing."""
    few = pair([[20, 30], [40, 50]], [[2, 30], [40, 50]])
    assert told(few, {(0, 0)}).items() >= {("received", 0, 0): 2}.items()
    assert len(hidden(*few, SMALLEST)) >= 4


def test_no_part_is_greater_than_its_whole() -> None:
    """A row's total shows that all of it was received, so that the columns leave the first row no choice."""
    only_parts = published(CONTENT, set()) | {
        "received": [[None if i < 2 and j < 3 else n for j, n in enumerate(row)] for i, row in enumerate(CONTENT[1][0])]
    }
    assert [narrowed(only_parts, [("received", "owed")])["received", 0, j] for j in range(3)] == [(97, 97)] * 3
    unknown = hidden(*CONTENT, SMALLEST)
    assert told(CONTENT, unknown) == {}
    assert (1, 3) not in unknown  # which is not small


@pytest.mark.parametrize("seed", range(12))
def test_of_everything_delicate_so_many_values_fit_that_nobody_can_tell(seed: int) -> None:
    """By trying all that there could be."""
    rng, smallest = Random(seed), 2
    owed = [[rng.randint(0, 3) for _ in range(2)] for _ in range(2)]
    group = pair(owed, [[rng.choice([n, rng.randint(0, n)]) for n in row] for row in owed])
    shown = published(group, hidden(*group, smallest))
    wholes, parts = ([one for one in squares(5) if fits(one, shown[name])] for name in ("owed", "received"))
    worlds = [(of, part) for of in wholes for part in parts if not_greater(part, of)]
    assert (group[0][0], group[1][0]) in worlds
    for name, i, j in delicate(group, smallest):
        values = [{"owed": of[i][j], "received": part[i][j]}.get(name, of[i][j] - part[i][j]) for of, part in worlds]
        assert max(values) - min(values) >= smallest, (group, shown, name, i, j)


def squares(most: int) -> Iterator[Table]:
    """All two by two of values up to `most`."""
    for a, b, c, d in product(range(most + 1), repeat=4):
        yield with_totals([[a, b], [c, d]])


def fits(table: Table, shown: Shown) -> bool:
    return all(
        said is None or said == value
        for row, known in zip(table, shown, strict=True)
        for value, said in zip(row, known, strict=True)
    )


def not_greater(part: Table, whole: Table) -> bool:
    return all(one <= other for i in range(2) for one, other in zip(part[i][:2], whole[i][:2], strict=True))


def test_what_fits_is_reckoned_as_by_trying_everything() -> None:
    rng = Random(7)
    for _ in range(60):
        full = with_totals([[rng.randint(0, 3) for _ in range(2)] for _ in range(2)])
        every = [(i, j) for i in range(3) for j in range(3)]
        unknown = set(rng.sample(every, rng.randint(1, 6))) - {(2, 2)}
        shown = [[None if (i, j) in unknown else n for j, n in enumerate(row)] for i, row in enumerate(full)]
        found = [other for other in squares(full[2][2]) if other[2][2] == full[2][2] and fits(other, shown)]
        for i, j in unknown:
            values = [other[i][j] for other in found]
            assert Network(full, unknown).room((i, j), 1000) == max(values) - min(values), (full, unknown, i, j)


def test_the_same_totals_are_hidden_in_every_table_of_the_same_facts() -> None:
    """And then whoever has both tables knows no more of them."""
    by_region = pair([[9, 9, 30], [9, 9, 60]], [[9, 6, 30], [9, 9, 60]])
    by_matter = pair([[9, 9, 45], [9, 9, 45], [0, 0, 0]], [[9, 9, 45], [9, 6, 45], [0, 0, 0]])
    unknown = [hidden(*group, SMALLEST) for group in (by_region, by_matter)]
    for group, cells in zip((by_region, by_matter), unknown, strict=True):
        last = len(group[0][0]) - 1
        assert {(last, j) for j in range(4)} <= cells
    assert {(2, j) for j in range(4)} <= unknown[1]  # a row of each, the one with the least
    both = {
        f"{name} by {by}": table
        for by, group, cells in (("region", by_region, unknown[0]), ("matter", by_matter, unknown[1]))
        for name, table in published(group, cells).items()
    }
    parts = [(f"received by {by}", f"owed by {by}") for by in ("region", "matter")]
    same = [(f"{name} by region", f"{name} by matter") for name in ("owed", "received")]
    found = narrowed(both, parts, same)
    low, high = found["owed by region-received by region", 2, 1]
    assert high - low >= SMALLEST
    plenty = pair([[50, 60], [70, 80]], [[45, 50], [60, 70]])
    assert hidden(*plenty, SMALLEST) == set()


@pytest.mark.parametrize(("part", "whole", "shown"), [(20, 20, True), (19, 20, False), (16, 20, False), (15, 20, True)])
def test_a_part_that_leaves_few_over_is_small(part: int, whole: int, shown: bool) -> None:
    assert ((0, 0) not in hidden([[[whole]] * 2], [[[part]] * 2], SMALLEST)) is shown
