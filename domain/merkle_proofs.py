"""包含证明、一致性证明: that a leaf is in a tree, and that a tree only grew (RFC 9162 §2.1.3, §2.1.4).

A proof is a list of 32-byte hashes, from the leaves up. Whoever checks one gets an error or nothing; there is no
result that could be forgotten. `ProofError.rule` says what is wrong: `proof.size`, `proof.index`, `proof.hash` (one is
not 32 bytes long), `proof.short`, `proof.long`, `proof.root` (it leads elsewhere), `proof.first` (what was before is
not in it).
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE, Head, Node, ProofError, complete, fold, node_hash


def prove_inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """That the leaf at `index` is in the tree of the first `size` leaves (RFC 9162 §2.1.3.1).

    Raises ProofError `proof.size` or `proof.index`.
    """
    _check_place(index, size)
    path, start, end = [], 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, path: Sequence[bytes], head: Head) -> None:
    """That the leaf hash is at `index` in the tree of that head (RFC 9162 §2.1.3.2). Raises ProofError.

    The head must come from a checkpoint whose signatures were verified: a path may fit several sizes of one root.
    """
    _check_place(index, head.size)
    _check_hashes(leaf, head.root, *path)
    here, last = index, head.size - 1
    root = leaf
    for sibling in path:
        if last == 0:
            raise ProofError("proof.long", "证明路径过长")
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            here, last = _past_missing(here, last)
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofError("proof.short", "证明路径过短")
    if root != head.root:
        raise ProofError("proof.root", "证明得出的根与检查点的根不符")


def prove_consistency(first: int, second: int, node: Node) -> list[bytes]:
    """That the tree of the first `second` leaves began as that of the first `first` (RFC 9162 §2.1.4.1).

    Raises ProofError `proof.size` unless 0 < first < second.
    """
    _check_sizes(first, second)
    path, start, end = [], 0, second
    while first < end:
        middle = _split(start, end)
        if first <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    if start:  # otherwise this is the first tree itself, whose root the reader has
        path.append(_range_hash(start, end, node))
    path.reverse()
    return path


def verify_consistency(first: Head, second: Head, path: Sequence[bytes]) -> None:
    """That the second tree began as the first (RFC 9162 §2.1.4.2), where 0 < first size < second size.

    Raises ProofError. Of trees of the same size there is nothing to prove: see `verify_growth`.
    """
    _check_sizes(first.size, second.size)
    _check_hashes(first.root, second.root, *path)
    if not path:
        raise ProofError("proof.short", "证明路径为空")
    # a first tree that is complete is a node of the second, and left out of the proof
    hashes = [first.root, *path] if first.size.bit_count() == 1 else list(path)
    here, last = first.size - 1, second.size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError("proof.long", "证明路径过长")
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            here, last = _past_missing(here, last)
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofError("proof.short", "证明路径过短")
    if old != first.root:
        raise ProofError("proof.first", "证明得出的旧根与先前的检查点不符")
    if new != second.root:
        raise ProofError("proof.root", "证明得出的新根与检查点的根不符")


def verify_growth(first: Head, second: Head, path: Sequence[bytes]) -> None:
    """That nothing of the first tree is lost in the second, the empty and the same tree included, for which the proof
    is empty (C2SP tlog-witness, add-checkpoint). Raises ProofError.
    """
    if 0 < first.size != second.size:
        return verify_consistency(first, second, path)
    if not 0 <= first.size <= second.size <= MAX_SIZE:
        raise ProofError("proof.size", "树的大小不合理")
    _check_hashes(first.root, second.root)
    if path:
        raise ProofError("proof.long", "此处的证明应为空")
    for head in (first, second):
        if head.size == 0 and head.root != EMPTY_ROOT:
            raise ProofError("proof.root", "空树的根不正确")
    if first.size == second.size and first.root != second.root:
        raise ProofError("proof.root", "大小相同的两棵树根不同")
    return None


def _split(start: int, end: int) -> int:
    """Where the larger, left part of [start, end) ends: the largest power of two that is less than its length."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _range_hash(start: int, end: int, node: Node) -> bytes:
    return fold([node(level, index) for level, index in complete(start, end)])


def _past_missing(here: int, last: int) -> tuple[int, int]:
    """At the right edge: up past the levels where no sibling is."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _check_place(index: int, size: int) -> None:
    if not 0 < size <= MAX_SIZE:
        raise ProofError("proof.size", "树的大小不合理")
    if not 0 <= index < size:
        raise ProofError("proof.index", "叶的序号不在树内")


def _check_sizes(first: int, second: int) -> None:
    if not 0 < first < second <= MAX_SIZE:
        raise ProofError("proof.size", "两棵树的大小不合理：旧树须小于新树且不为空")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError("proof.hash", "散列值须为32字节")
