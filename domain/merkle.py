"""Merkle 树: the tree of RFC 9162 §2.1 over SHA-256, which an append-only log grows into.

A complete subtree is named by its level (0: the leaves) and its index among those of that level: it covers the leaves
from index · 2^level up to (index + 1) · 2^level. Whatever a tree of some size needs is made of complete subtrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from domain.unproven import Unproven

HASH_SIZE: Final = 32
MAX_SIZE: Final = 2**63 - 1  # the largest that other implementations count to
EMPTY_ROOT: Final = sha256().digest()

Node = Callable[[int, int], bytes]
"""Reads the hash of the complete subtree at (level, index)."""


class Head(NamedTuple):
    """A tree as it is spoken of: how many leaves, which root (32 bytes)."""

    size: int
    root: bytes


class Run(NamedTuple):
    """Hashes of consecutive complete subtrees of one level, the first of them at `start`."""

    level: int
    start: int
    hashes: list[bytes]


class ProofError(Unproven):
    """A proof, or the tree it speaks of, that cannot be right."""


def leaf_hash(entry: bytes) -> bytes:
    """32 bytes: SHA-256(0x00 ‖ entry) (RFC 9162 §2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each."""
    sha = sha256
    return [sha(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """32 bytes: SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: Iterable[bytes]) -> list[bytes]:
    """The hashes one level up, pair by pair; an odd last one has no parent yet."""
    sha, one = sha256, iter(hashes)
    return [sha(b"\x01" + left + right).digest() for left, right in zip(one, one, strict=False)]


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes (RFC 9162 §2.1.1); of none, that of the empty tree."""
    return Frontier().grow(leaves)[0].root


def complete(start: int, end: int) -> list[tuple[int, int]]:
    """The fewest complete subtrees, (level, index) from left to right, that cover the leaves [start, end)."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over complete subtrees that shrink from left to right."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_of(size: int, node: Node) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return fold([node(level, index) for level, index in complete(0, size)])


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a tree must remember to grow: its size and the hashes of its complete subtrees, the largest first.

    Raises ProofError `frontier.shape` where there are not as many as the size has bits set.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        whole = all(len(peak) == HASH_SIZE for peak in self.peaks)
        if not (whole and 0 <= self.size <= MAX_SIZE and self.size.bit_count() == len(self.peaks)):
            raise ProofError("frontier.shape", "默克尔树前沿与树的大小不符")

    @property
    def root(self) -> bytes:
        """32 bytes (RFC 9162 §2.1.1)."""
        return fold(self.peaks)

    @property
    def head(self) -> Head:
        return Head(self.size, self.root)

    def grow(self, leaves: Sequence[bytes]) -> tuple[Frontier, list[Run]]:
        """The frontier after these leaf hashes, and every subtree they complete, level by level from the leaves up."""
        peaks = {level: peak for (level, _), peak in zip(complete(0, self.size), self.peaks, strict=True)}
        runs: list[Run] = []
        level, start, hashes = 0, self.size, list(leaves)
        while hashes:
            runs.append(Run(level, start, hashes))
            # an odd start: its left sibling waited for it as a peak
            row = [peaks.pop(level), *hashes] if start % 2 else hashes
            if len(row) % 2:
                peaks[level] = row[-1]
            level, start, hashes = level + 1, start // 2, parents(row)
        left_to_right = tuple(peaks[level] for level in sorted(peaks, reverse=True))
        return Frontier(self.size + len(leaves), left_to_right), runs


def read_frontier(size: int, node: Node) -> Frontier:
    """The frontier of the tree of the first `size` leaves."""
    return Frontier(size, tuple(node(level, index) for level, index in complete(0, size)))
