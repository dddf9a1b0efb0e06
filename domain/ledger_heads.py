"""各编号簿之首: how far every addressee's ledger of notices has come, in one tree whose root a checkpoint commits to.

The tree's leaves are the ledgers in the order of their addressees' bytes, each format 1 (1 byte) ‖ length of the
addressee (2) ‖ addressee in UTF-8 ‖ entries in the ledger (8) ‖ root of the ledger's own tree (32). That root is that
of RFC 9162 over the leaf hashes that the ledger's entries have in the log, serial 1 first. A checkpoint says so in the
extension line `ledgers/v1 <how many addressees> <root in base64>`.

A proof of presence or absence is sound as far as the leaves are in order, each addressee once: whoever has them all
checks that by building the tree again (`LedgerHeads`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.armour import armoured, unarmoured
from domain.checkpoints import Checkpoint, CheckpointError
from domain.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE, Head, ProofError, leaf_hash, node_hash, parents, root_of
from domain.merkle_proofs import prove_inclusion, verify_inclusion

_LINE: Final = re.compile(r"ledgers/v1 (0|[1-9][0-9]{0,18}) ([A-Za-z0-9+/=]{44})")


class LedgerHead(NamedTuple):
    """One addressee's ledger: how many entries, which root (32 bytes)."""

    addressee: str
    size: int
    root: bytes

    @property
    def head(self) -> Head:
        return Head(self.size, self.root)

    @property
    def leaf(self) -> bytes:
        """Raises ProofError `ledger.head`."""
        name = self.addressee.encode()
        if not (0 < len(name) <= 0xFFFF and 0 < self.size <= MAX_SIZE and len(self.root) == HASH_SIZE):
            raise ProofError("ledger.head", "编号簿之首不合理")
        return b"\x01" + len(name).to_bytes(2, "big") + name + self.size.to_bytes(8, "big") + self.root


@dataclass(frozen=True, slots=True)
class Placed:
    """A ledger's head with the proof that it stands at `index` in the tree of them all."""

    ledger: LedgerHead
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """That an addressee has no ledger: those before and after it are neighbours. None: there is none on that side."""

    left: Placed | None
    right: Placed | None


class LedgerHeads:
    """The tree, which changes as ledgers grow: a change costs one path, a new addressee the whole."""

    def __init__(self, heads: Iterable[LedgerHead] = ()) -> None:
        self._heads = {one.addressee: one for one in heads}
        self._build()

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[LedgerHead]:
        return (self._heads[name.decode()] for name in self._names)

    def size(self, addressee: str) -> int:
        """How many entries its ledger has; 0: it has none."""
        found = self._heads.get(addressee)
        return found.size if found is not None else 0

    @property
    def head(self) -> Head:
        """How many addressees, and the root over them."""
        return Head(len(self._names), root_of(len(self._names), self._node))

    def put(self, heads: Iterable[LedgerHead]) -> None:
        """Ledgers that have grown or begun."""
        changed = list(heads)
        new = any(one.addressee not in self._heads for one in changed)
        self._heads |= {one.addressee: one for one in changed}
        if new:
            self._build()
            return
        for one in changed:
            self._set(bisect_left(self._names, one.addressee.encode()), leaf_hash(one.leaf))

    def prove(self, addressee: str) -> Placed | Absence:
        """Where its ledger stands, or that it has none."""
        name = addressee.encode()
        index = bisect_left(self._names, name)
        if index < len(self._names) and self._names[index] == name:
            return self._placed(index)
        left = self._placed(index - 1) if index else None
        return Absence(left, self._placed(index) if index < len(self._names) else None)

    def _placed(self, index: int) -> Placed:
        path = prove_inclusion(index, len(self._names), self._node)
        return Placed(self._heads[self._names[index].decode()], index, tuple(path))

    def _build(self) -> None:
        self._names = sorted(name.encode() for name in self._heads)
        self._levels = [[leaf_hash(self._heads[name.decode()].leaf) for name in self._names]]
        while len(self._levels[-1]) > 1:
            self._levels.append(parents(self._levels[-1]))

    def _set(self, index: int, hash_: bytes) -> None:
        self._levels[0][index] = hash_
        for below, level in zip(self._levels, self._levels[1:], strict=False):
            index >>= 1
            if index == len(level):  # at the right edge: its subtree is not complete
                return
            level[index] = node_hash(below[2 * index], below[2 * index + 1])

    def _node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


def extension(ledgers: Head) -> str:
    """The line of a checkpoint that commits to these ledgers."""
    return f"ledgers/v1 {ledgers.size} {armoured(ledgers.root)}"


def committed(checkpoint: Checkpoint) -> Head:
    """How many ledgers a checkpoint commits to, and the root over them. Raises CheckpointError `checkpoint.ledgers`
    unless it has one such line."""
    lines = [one for one in map(_LINE.fullmatch, checkpoint.extensions) if one is not None]
    try:
        (line,) = lines
        found = Head(int(line[1]), unarmoured(line[2]))
    except ValueError:
        raise CheckpointError("checkpoint.ledgers", "检查点没有唯一的编号簿承诺行") from None
    if len(found.root) != HASH_SIZE or found.size > MAX_SIZE or (found.size == 0 and found.root != EMPTY_ROOT):
        raise CheckpointError("checkpoint.ledgers", "检查点的编号簿承诺行不合理")
    return found


def commitments(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The lines that commit to ledgers, as they stand."""
    return tuple(one for one in checkpoint.extensions if _LINE.fullmatch(one) is not None)


def verify_placed(placed: Placed, ledgers: Head) -> None:
    """That this ledger's head is committed to. Raises ProofError."""
    verify_inclusion(leaf_hash(placed.ledger.leaf), placed.index, placed.path, ledgers)


def verify_absence(addressee: str, absence: Absence, ledgers: Head) -> None:
    """That no ledger of this addressee is committed to. Raises ProofError, `ledger.absence` where those that are proven
    are not the neighbours that it would stand between."""
    name, left, right = addressee.encode(), absence.left, absence.right
    for one in (left, right):
        if one is not None:
            verify_placed(one, ledgers)
    first = 0 if left is None else left.index + 1
    last = ledgers.size if right is None else right.index
    between = (left is None or left.ledger.addressee.encode() < name) and (
        right is None or name < right.ledger.addressee.encode()
    )
    if first != last or not between:
        raise ProofError("ledger.absence", "所给的相邻编号簿不能证明该部门没有编号簿")
