"""What the tests of proofs are written with: the tree as RFC 9162 defines it, word for word, and known trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from domain.merkle import Node, leaf_hashes, tree_hash
from domain.unproven import Unproven

# the eight entries that implementations of Certificate Transparency test with, and the roots of the trees of 0 to 8
ENTRIES = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(one)
    for one in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
LEAVES = leaf_hashes(ENTRIES)


def numbered(count: int) -> list[bytes]:
    """As many leaf hashes, each of another entry."""
    return leaf_hashes(b"entry %d" % number for number in range(count))


def split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of leaf hashes (RFC 9162 §2.1.1)."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH (RFC 9162 §2.1.3.1)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF (RFC 9162 §2.1.4.1)."""
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def node_of(leaves: Sequence[bytes]) -> Node:
    """Reads complete subtrees of these leaves."""

    def read(level: int, index: int) -> bytes:
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level, "not a complete subtree"
        return tree_hash(covered)

    return read


def flipped(data: bytes) -> list[bytes]:
    """The data with one bit changed, once for each byte."""
    return [data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :] for at in range(len(data))]


def spoiled(proof: list[bytes], strange: Sequence[bytes]) -> list[list[bytes]]:
    """The proof changed in every way: a byte, an element gone, doubled, added, out of order, cut, replaced."""
    found: list[list[bytes]] = []
    for at, one in enumerate(proof):
        found += [[*proof[:at], bad, *proof[at + 1 :]] for bad in (*flipped(one), one[:-1], one + b"\0", b"", *strange)]
        found += [[*proof[:at], *proof[at + 1 :]], [*proof[:at], one, *proof[at:]]]
        found += [[*proof[:at], other, *proof[at:]] for other in strange]
    found += [[*proof, other] for other in (*strange, b"")]
    found += [proof[::-1], proof[1:] + proof[:1], []]
    for at in range(len(proof) - 1):
        found.append([*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]])
    return [one for one in found if one != proof]


def reasons(check: Callable[..., None], *given: Any) -> str:
    """The rule by which a check of what is given failed; empty where it passed."""
    try:
        check(*given)
    except Unproven as error:
        return error.rule
    return ""
