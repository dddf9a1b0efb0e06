"""A tree's tiles against the roots that were signed for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from psycopg import Connection

from domain.merkle import HASH_SIZE, Frontier, Head
from domain.recheck import Problem
from domain.tiles import HEIGHT, WIDTH, Tile

TILES: Final = 64
"""That are fetched at once."""


class Leaves:
    """A tree's leaf hashes out of its tiles of level 0, in order. `ahead`: so many tiles are fetched at once."""

    def __init__(self, conn: Connection[Any], tree: str, ahead: int = TILES) -> None:
        self._conn = conn
        self._tree = tree
        self._ahead = ahead
        self._number = 0  # of the tile that is fetched next
        self._held = b""
        self._at = 0
        self._ended = False  # a tile that is not full is the last one

    def take(self, count: int) -> bytes:
        """The next so many, one after another; fewer where there are no more."""
        end = self._at + count * HASH_SIZE
        if end > len(self._held):
            self._fetch(end - len(self._held))
            end = min(count * HASH_SIZE, len(self._held))
        found, self._at = self._held[self._at : end], end
        return found

    def _fetch(self, more: int) -> None:
        parts = [self._held[self._at :]]
        while more > 0 and not self._ended:
            rows = self._conn.execute(
                "SELECT number, hashes FROM proof.tile WHERE tree = %b AND level = 0 AND number >= %b AND number < %b"
                " ORDER BY number",
                (self._tree, self._number, self._number + self._ahead),
                binary=True,
                prepare=True,
            ).fetchall()
            self._ended = len(rows) < self._ahead
            for number, hashes in rows:
                if number != self._number:
                    self._ended = True
                    break
                parts.append(hashes)
                more -= len(hashes)
                self._number += 1
                if len(hashes) < WIDTH * HASH_SIZE:
                    self._ended = True
                    break
        self._held, self._at = b"".join(parts), 0


def split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]


def tiles(conn: Connection[Any], tree: str, heads: Sequence[Head]) -> Iterator[Problem]:
    """That they give each of these roots, and are no more than the last of them needs."""
    leaves, frontier = Leaves(conn, tree), Frontier()
    upper: dict[int, list[bytes]] = {}
    for head in heads:
        first = frontier.size
        found = split(leaves.take(head.size - first))
        frontier, runs = frontier.grow(found)
        if frontier.head != head:
            yield _altered(tree, first, head.size)
            return
        for run in runs:
            if run.level and run.level % HEIGHT == 0:
                upper.setdefault(run.level // HEIGHT, []).extend(run.hashes)
    size = frontier.size
    row = conn.execute(
        "SELECT count(*), max(number), sum(octet_length(hashes)) FROM proof.tile WHERE tree = %b AND level = 0", (tree,)
    ).fetchone()
    if row != (-(-size // WIDTH), (size - 1) // WIDTH, size * HASH_SIZE):
        yield _problem(tree, Tile(0, size // WIDTH).path, f"之后还有多于 {size} 的散列", f"has more than {size} hashes")
        return
    stored = conn.execute(
        "SELECT level, number, hashes FROM proof.tile WHERE tree = %b AND level > 0", (tree,), binary=True
    )
    wanted = {
        (level, number // WIDTH): b"".join(hashes[number : number + WIDTH])
        for level, hashes in upper.items()
        for number in range(0, len(hashes), WIDTH)
    }
    have = {(level, number): hashes for level, number, hashes in stored}
    for level, number in sorted(wanted.keys() | have.keys()):
        if wanted.get((level, number)) != have.get((level, number)):
            path = Tile(level, number).path
            yield _problem(tree, path, "与其下各层不符", "is not what lies below it gives")
            return


def _altered(tree: str, first: int, end: int) -> Problem:
    """Leaves from `first` on, before `end`: in which tiles they lie."""
    one, last = Tile(0, first // WIDTH).path, Tile(0, (end - 1) // WIDTH).path
    path = one if one == last else f"{one} … {last}"
    return _problem(
        tree, path, f"不能得出大小为 {end} 时所签署的根", f"does not give the root that was signed for size {end}"
    )


def _problem(tree: str, path: str, zh: str, en: str) -> Problem:
    name = f"ledger/{tree}" if tree else "log"
    return Problem(0, f"{name}/{path}", "tile", f"{name} 的瓦片 {path} {zh}", f"{path} of {name} {en}")
