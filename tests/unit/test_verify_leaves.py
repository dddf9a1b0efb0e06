"""Which positions the leaves of a stretch have, by the runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.verify_leaves import positions_in


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=12), st.data())
def test_every_stretch_has_the_positions_of_its_leaves(parts: list[tuple[int, int]], data: st.DataObject) -> None:
    """Each part is a run of so many leaves after a gap of so many positions."""
    runs: list[tuple[int, int]] = []
    positions: list[int] = []
    for length, gap in parts:
        first = (positions[-1] + 1 if positions else 1) + gap
        runs.append((len(positions), first))
        positions += range(first, first + length)
    start = data.draw(st.integers(0, len(positions)))
    end = data.draw(st.integers(start, len(positions)))
    assert positions_in(runs, start, end) == positions[start:end]
