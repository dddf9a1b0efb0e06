"""Proofs: the known ones and our own hold, and nothing that was changed in any way does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.merkle import EMPTY_ROOT, Head, ProofError, node_hash, tree_hash
from domain.merkle_proofs import (
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_growth,
    verify_inclusion,
)
from tests.unit.merkle_kit import LEAVES, ROOTS, flipped, mth, node_of, numbered, path, reasons, spoiled, subproof

STRANGE = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
HEADS = [Head(size, root) for size, root in enumerate(ROOTS)]
EIGHT = node_of(LEAVES)


def hashes(*names: str) -> list[bytes]:
    return [bytes.fromhex(name) for name in names]


N10, N11, N12, N13 = hashes(
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
N20, N21 = hashes(
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
KNOWN_INCLUSIONS = [
    (0, 1, []),
    (0, 8, [LEAVES[1], N11, N21]),
    (5, 8, [LEAVES[4], N13, N20]),
    (2, 3, [N10]),
    (1, 5, [LEAVES[0], N11, LEAVES[4]]),
]
KNOWN_CONSISTENCIES = [
    (1, 8, [LEAVES[1], N11, N21]),
    (6, 8, [N12, N13, N20]),
    (2, 5, [N11, LEAVES[4]]),
    (6, 7, [N12, LEAVES[6], N20]),
]


@pytest.mark.parametrize(("index", "size", "proof"), KNOWN_INCLUSIONS)
def test_known_inclusion_proofs(index: int, size: int, proof: list[bytes]) -> None:
    assert prove_inclusion(index, size, EIGHT) == proof
    verify_inclusion(LEAVES[index], index, proof, HEADS[size])


@pytest.mark.parametrize(("first", "second", "proof"), KNOWN_CONSISTENCIES)
def test_known_consistency_proofs(first: int, second: int, proof: list[bytes]) -> None:
    assert prove_consistency(first, second, EIGHT) == proof
    verify_consistency(HEADS[first], HEADS[second], proof)


def test_proofs_of_a_public_log_hold() -> None:
    # what Argon 2020, a log of certificates, answered; with the entry in place of its hash among the tests of
    # golang.org/x/mod/sumdb/tlog
    said = json.loads(Path(__file__).with_name("argon2020.json").read_text(encoding="utf-8"))
    root, leaf, first_root = (base64.b64decode(said[name]) for name in ("root", "leaf", "first_root"))
    inclusion, consistency = ([base64.b64decode(one) for one in said[name]] for name in ("inclusion", "consistency"))
    head, first = Head(said["size"], root), Head(said["first"], first_root)
    assert head.size == 961_984_013
    verify_inclusion(leaf, said["index"], inclusion, head)
    verify_consistency(first, head, consistency)
    assert reasons(verify_inclusion, leaf, said["index"] + 1, inclusion, head) == "proof.root"
    for bad in spoiled(inclusion, (STRANGE,)):
        assert reasons(verify_inclusion, leaf, said["index"], bad, head)
    for bad in spoiled(consistency, (STRANGE,)):
        assert reasons(verify_consistency, first, head, bad)


def test_the_example_of_the_rfc() -> None:
    # RFC 9162 §2.1.5, by the letters of its drawing
    leaves = numbered(7)
    a, b, c, d, e, f, j = leaves
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l_ = node_hash(g, h), node_hash(i, j)
    node = node_of(leaves)
    assert tree_hash(leaves) == node_hash(k, l_)
    assert [prove_inclusion(index, 7, node) for index in (0, 3, 4, 6)] == [[b, h, l_], [c, g, l_], [f, j, k], [i, k]]
    assert [prove_consistency(size, 7, node) for size in (3, 4, 6)] == [[c, d, g, l_], [l_], [i, j, k]]


@settings(deadline=None)
@given(st.data())
def test_proofs_are_those_of_the_definition_and_hold(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300))
    leaves = numbered(size)
    node, head = node_of(leaves), Head(size, mth(leaves))
    index = data.draw(st.integers(0, size - 1))
    inclusion = prove_inclusion(index, size, node)
    assert inclusion == path(index, leaves)
    verify_inclusion(leaves[index], index, inclusion, head)
    first = data.draw(st.integers(1, size - 1))
    consistency = prove_consistency(first, size, node)
    assert consistency == subproof(first, leaves)
    verify_consistency(Head(first, mth(leaves[:first])), head, consistency)
    verify_growth(Head(first, mth(leaves[:first])), head, consistency)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 11])
def test_no_changed_inclusion_proof_holds(size: int) -> None:
    leaves = numbered(size)
    head = Head(size, mth(leaves))
    for index, leaf in enumerate(leaves):
        proof = path(index, leaves)
        strange = (STRANGE, head.root, leaf)
        for bad in spoiled(proof, strange):
            assert reasons(verify_inclusion, leaf, index, bad, head), (index, bad)
        for bad_leaf in (*flipped(leaf), STRANGE, b"", leaf + b"\0"):
            assert reasons(verify_inclusion, bad_leaf, index, proof, head)
        for bad_root in (*flipped(head.root), STRANGE, EMPTY_ROOT, b""):
            assert reasons(verify_inclusion, leaf, index, proof, Head(size, bad_root))
        for other in {*range(-1, size + 2), index ^ 2, index + 2**64} - {index}:
            assert reasons(verify_inclusion, leaf, other, proof, head), (index, other)
        if size > 1:
            assert reasons(verify_inclusion, head.root, index, proof, Head(size, leaf))


@pytest.mark.parametrize("second", [2, 3, 5, 7, 8, 11])
def test_no_changed_consistency_proof_holds(second: int) -> None:
    leaves = numbered(second)
    new = Head(second, mth(leaves))
    for first in range(1, second):
        old = Head(first, mth(leaves[:first]))
        proof = subproof(first, leaves)
        for bad in spoiled(proof, (STRANGE, old.root, new.root)):
            assert reasons(verify_consistency, old, new, bad), (first, bad)
            assert reasons(verify_growth, old, new, bad), (first, bad)
        for root in (*flipped(old.root), STRANGE, EMPTY_ROOT, b"", new.root):
            assert reasons(verify_consistency, Head(first, root), new, proof)
        for root in (*flipped(new.root), STRANGE, EMPTY_ROOT, b"", old.root):
            assert reasons(verify_consistency, old, Head(second, root), proof)
        assert reasons(verify_consistency, new, old, proof) == "proof.size"
        assert reasons(verify_consistency, Head(first, new.root), Head(second, old.root), proof)


def test_a_size_is_part_of_what_is_proven_only_by_the_path_it_asks_for() -> None:
    # A path may fit trees of neighbouring sizes: it is the signed head that ties a size to its root. What a proof
    # refuses is a size that asks for another path.
    leaves = numbered(8)
    root, proof = mth(leaves), path(5, leaves)
    for size in (4, 2, 16, 9, 0, -8, 2**63, 2**64 + 8):
        assert reasons(verify_inclusion, leaves[5], 5, proof, Head(size, root)), size
    old, consistency = mth(leaves[:6]), subproof(6, leaves)
    for first in (12, 3, 5, 7, 0, -6, 2**63, 2**64 + 6):
        assert reasons(verify_consistency, Head(first, old), Head(8, root), consistency), first
    for second in (4, 16, 9, 6, 5, 0, 2**63):
        assert reasons(verify_consistency, Head(6, old), Head(second, root), consistency), second


def test_it_is_said_what_is_wrong() -> None:
    leaf, head = LEAVES[5], HEADS[8]
    proof = path(5, LEAVES)
    said: dict[str, tuple[Any, ...]] = {
        "proof.size": (verify_inclusion, leaf, 0, [], Head(0, EMPTY_ROOT)),
        "proof.index": (verify_inclusion, leaf, 8, proof, head),
        "proof.hash": (verify_inclusion, leaf, 5, [proof[0][:31], *proof[1:]], head),
        "proof.short": (verify_inclusion, leaf, 5, proof[:-1], head),
        "proof.long": (verify_inclusion, leaf, 5, [*proof, STRANGE], head),
        "proof.root": (verify_inclusion, leaf, 4, proof, head),
        "proof.first": (verify_consistency, Head(6, STRANGE), head, subproof(6, LEAVES)),
    }
    assert [reasons(*call) for call in said.values()] == list(said)
    six = subproof(6, LEAVES)
    assert reasons(verify_consistency, HEADS[6], head, []) == "proof.short"
    assert reasons(verify_consistency, HEADS[6], head, [*six[:-1], six[-1] + b"\0"]) == "proof.hash"
    assert reasons(verify_consistency, HEADS[6], head, six[:-1]) == "proof.short"
    assert reasons(verify_consistency, HEADS[6], head, [*six, STRANGE]) == "proof.long"
    assert reasons(verify_consistency, HEADS[6], Head(8, STRANGE), six) == "proof.root"


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 8), (8, 8), (0, -1), (0, 2**63)])
def test_no_proof_is_made_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        prove_inclusion(index, size, EIGHT)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 8), (8, 8), (8, 6), (-1, 8), (1, 2**63)])
def test_no_consistency_is_proven_of_what_did_not_grow(first: int, second: int) -> None:
    with pytest.raises(ProofError, match=r"proof\.size"):
        prove_consistency(first, second, EIGHT)
    assert reasons(verify_consistency, Head(first, ROOTS[1]), Head(second, ROOTS[8]), [STRANGE]) == "proof.size"


def test_growth_knows_the_empty_and_the_same_tree() -> None:
    verify_growth(HEADS[0], HEADS[0], [])
    verify_growth(HEADS[0], HEADS[8], [])
    verify_growth(HEADS[8], HEADS[8], [])
    refused = [
        (HEADS[0], HEADS[8], [STRANGE], "proof.long"),
        (HEADS[8], HEADS[8], [STRANGE], "proof.long"),
        (HEADS[8], Head(8, STRANGE), [], "proof.root"),
        (Head(0, STRANGE), HEADS[8], [], "proof.root"),
        (Head(0, STRANGE), Head(0, STRANGE), [], "proof.root"),
        (HEADS[8], HEADS[0], [], "proof.size"),
        (HEADS[8], HEADS[7], [], "proof.size"),
        (Head(-1, ROOTS[0]), HEADS[8], [], "proof.size"),
        (HEADS[0], Head(2**63, STRANGE), [], "proof.size"),
        (HEADS[0], Head(8, b""), [], "proof.hash"),
        (HEADS[7], HEADS[8], [], "proof.short"),
    ]
    for old, new, proof, rule in refused:
        assert reasons(verify_growth, old, new, proof) == rule


@settings(max_examples=300, deadline=None)
@given(st.integers(-1, 20), st.integers(-1, 20), st.lists(st.sampled_from([STRANGE, *LEAVES, N10, N20]), max_size=6))
def test_no_lucky_proof(first: int, second: int, proof: list[bytes]) -> None:
    # whatever is thrown together of the tree's own hashes holds only where it is the proof
    old = HEADS[first] if 0 <= first <= 8 else Head(first, STRANGE)
    new = HEADS[second] if 0 <= second <= 8 else Head(second, STRANGE)
    if not reasons(verify_consistency, old, new, proof):
        assert proof == subproof(first, LEAVES[:second])
    for index in range(max(second, 0)):
        if not reasons(verify_inclusion, LEAVES[index % 8], index, proof, new):
            assert proof == path(index, LEAVES[:second])
