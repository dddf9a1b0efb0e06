"""All ledgers in one tree: committed to by a line, grown path by path, presence and absence proven, nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checkpoints import Checkpoint, CheckpointError
from domain.ledger_heads import (
    Absence,
    LedgerHead,
    LedgerHeads,
    Placed,
    committed,
    extension,
    verify_absence,
    verify_placed,
)
from domain.merkle import EMPTY_ROOT, Head, leaf_hashes, tree_hash
from tests.unit.merkle_kit import mth, numbered, reasons

ROOTS = numbered(40)
names = st.text("abcé中-0", min_size=1, max_size=4)
tables = st.dictionaries(names, st.integers(1, 39), max_size=12)


def heads(table: dict[str, int]) -> list[LedgerHead]:
    return [LedgerHead(name, size, ROOTS[size]) for name, size in table.items()]


def plain(table: dict[str, int]) -> Head:
    """As the definition has it."""
    ordered = sorted(heads(table), key=lambda one: one.addressee.encode())
    return Head(len(ordered), mth(leaf_hashes(one.leaf for one in ordered)))


def test_the_bytes_are_these() -> None:
    one = LedgerHead("hs-1", 258, bytes(range(32)))
    assert one.leaf.hex() == "01" "0004" "68732d31" "0000000000000102" + bytes(range(32)).hex()  # fmt: skip
    line = extension(LedgerHeads([one]).head)
    assert line == "ledgers/v1 1 44S3F6BWE0HlFh+2HmJkp5ypOIuJbEdJZtGfPmxk8I8="
    assert committed(Checkpoint("o", 1, ROOTS[1], ("other line", line))) == Head(1, tree_hash(leaf_hashes([one.leaf])))
    for wrong in (LedgerHead("", 1, ROOTS[0]), LedgerHead("a", 0, ROOTS[0]), LedgerHead("a", 1, b"")):
        assert reasons(lambda wrong=wrong: wrong.leaf) == "ledger.head"


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("ledgers/v1 1 AAAA",),
        (extension(Head(0, ROOTS[1])),),
        (extension(Head(1, ROOTS[1])), extension(Head(1, ROOTS[2]))),
        (extension(Head(1, ROOTS[1])) + " ",),
        ("ledgers/v1 01 " + extension(Head(1, ROOTS[1])).split()[2],),
    ],
)
def test_a_checkpoint_commits_once_or_not_at_all(lines: tuple[str, ...]) -> None:
    with pytest.raises(CheckpointError, match=r"checkpoint\.ledgers"):
        committed(Checkpoint("o", 1, ROOTS[1], lines))


@given(tables, tables)
def test_grown_it_is_what_it_would_be_made_anew(first: dict[str, int], then: dict[str, int]) -> None:
    grown = LedgerHeads(heads(first))
    assert grown.head == plain(first)
    grown.put(heads(then))
    for one in heads(then):
        grown.put([one])
    assert grown.head == plain(first | then)
    assert {one.addressee: one.size for one in grown} == first | then


@given(tables, names)
def test_there_or_not_there_is_proven_and_never_both(table: dict[str, int], asked: str) -> None:
    tree = LedgerHeads(heads(table))
    found = tree.prove(asked)
    assert isinstance(found, Placed) == (asked in table)
    assert tree.size(asked) == table.get(asked, 0)
    if isinstance(found, Placed):
        verify_placed(found, tree.head)
        assert found.ledger.size == table[asked]
        wrong = replace(found, ledger=found.ledger._replace(size=found.ledger.size + 1))
        assert reasons(verify_placed, wrong, tree.head) == "proof.root"
        left = tree._placed(found.index - 1) if found.index else None
        right = tree._placed(found.index + 1) if found.index + 1 < len(tree) else None
        hidden = [Absence(left, right), Absence(left, found), Absence(found, right), Absence(None, None)]
        for one in hidden:
            assert reasons(verify_absence, asked, one, tree.head) == "ledger.absence"
    else:
        verify_absence(asked, found, tree.head)
        for name in table:
            assert reasons(verify_absence, name, found, tree.head)


def test_of_nobody_everybody_is_absent() -> None:
    empty = LedgerHeads()
    assert empty.head == Head(0, EMPTY_ROOT)
    found = empty.prove("a")
    assert found == Absence(None, None)
    verify_absence("a", Absence(None, None), empty.head)
