"""The tree: known roots, the same however it grew, and what it keeps to grow on."""

from __future__ import annotations

import time
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    Head,
    ProofError,
    complete,
    leaf_hash,
    leaf_hashes,
    node_hash,
    parents,
    read_frontier,
    root_of,
    tree_hash,
)
from tests.unit.merkle_kit import ENTRIES, LEAVES, ROOTS, mth, node_of, numbered


def test_leaves_and_nodes_cannot_be_taken_for_each_other() -> None:
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert leaf_hashes([b"L123456", b""]) == [leaf_hash(b"L123456"), sha256(b"\x00").digest()]


def test_known_roots() -> None:
    assert [tree_hash(LEAVES[:size]) for size in range(9)] == ROOTS
    assert tree_hash(leaf_hashes(ENTRIES)) == ROOTS[8]
    assert ROOTS[0] == EMPTY_ROOT


@settings(deadline=None)
@given(st.integers(0, 600))
def test_the_root_is_that_of_the_definition(size: int) -> None:
    leaves = numbered(size)
    assert tree_hash(leaves) == mth(leaves) == root_of(size, node_of(leaves))
    assert Frontier().grow(leaves)[0].head == Head(size, mth(leaves))


@settings(deadline=None)
@given(st.lists(st.integers(0, 70), max_size=9))
def test_it_is_the_same_in_whatever_steps_it_grew(steps: list[int]) -> None:
    leaves = numbered(sum(steps))
    frontier, levels = Frontier(), dict[int, list[bytes]]()
    for step in steps:
        frontier, runs = frontier.grow(leaves[frontier.size : frontier.size + step])
        for level, start, hashes in runs:
            row = levels.setdefault(level, [])
            assert len(row) == start
            row += hashes
    assert frontier == read_frontier(len(leaves), node_of(leaves)) == Frontier().grow(leaves)[0]
    # every complete subtree came by once, in its place
    assert [len(levels[level]) for level in sorted(levels)] == [
        len(leaves) >> level for level in range(len(leaves).bit_length())
    ]
    for level in range(1, len(levels)):
        assert levels[level] == parents(levels[level - 1])


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_range_is_cut_into_complete_subtrees(start: int, length: int) -> None:
    found = complete(start, start + length)
    assert [leaf for level, index in found for leaf in range(index << level, (index + 1) << level)] == list(
        range(start, start + length)
    )
    if start == 0:
        assert len(found) == length.bit_count()


@pytest.mark.parametrize(
    ("size", "peaks"),
    [(0, (LEAVES[0],)), (1, ()), (3, (LEAVES[0],)), (2, (LEAVES[0][:-1],)), (-1, (LEAVES[0],)), (2**63, (LEAVES[0],))],
)
def test_a_frontier_that_cannot_be_is_refused(size: int, peaks: tuple[bytes, ...]) -> None:
    with pytest.raises(ProofError, match=r"frontier\.shape"):
        Frontier(size, peaks)


def test_it_grows_fast() -> None:
    # a floor far under what one core does, so that only a slower kind of work falls through it
    entries = [b"%064d" % number for number in range(50_000)]
    began = time.process_time()
    frontier, runs = Frontier(1, (LEAVES[0],)).grow(leaf_hashes(entries))
    took = time.process_time() - began
    hashed = len(entries) + sum(len(run.hashes) for run in runs[1:])
    assert frontier.size == 50_001
    assert hashed / took > 150_000
