"""瓦片: the tree and its entries as files of 256 that never change once they are full (C2SP tlog-tiles).

A tile of level L holds hashes of complete subtrees of tree level 8 · L; the levels between are made from it by hashing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from domain.merkle import HASH_SIZE, MAX_SIZE, parents
from domain.unproven import Unproven

HEIGHT: Final = 8  # levels of the tree that one tile spans
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = -1
"""The `level` of an entry bundle, which holds what level 0 holds the leaf hashes of."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)((?:/x[0-9]{3})*/[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class TileError(Unproven):
    """A tile's path or content that cannot be one."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile or an entry bundle: the `index`-th of its level, of `width` hashes or entries; below 256 it is partial.

    Raises TileError `tile.range` where the specification has no such tile.
    """

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        # levels reach 63 by the specification; no tree that can be counted has a hash above 7
        inside = ENTRIES <= self.level <= 63 and 0 < self.width <= WIDTH
        if not (inside and self.index >= 0 and self.start <= MAX_SIZE):
            raise TileError("tile.range", "没有这样的瓦片")

    @property
    def partial(self) -> bool:
        return self.width < WIDTH

    @property
    def start(self) -> int:
        """The first leaf it is about."""
        return self.index << HEIGHT * (max(self.level, 0) + 1)

    @property
    def path(self) -> str:
        """Below the log's prefix: `tile/0/x001/x234/067.p/8`, `tile/entries/000`."""
        groups = f"{self.index:,}".split(",")
        parts = [f"x{group:0>3}" for group in groups[:-1]] + [f"{groups[-1]:0>3}"]
        kind = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.partial else ""
        return f"tile/{kind}/{'/'.join(parts)}{partial}"


def parse_tile(path: str) -> Tile:
    """The tile or bundle at a path below the log's prefix. Raises TileError `tile.path` or `tile.range`."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise TileError("tile.path", "瓦片路径格式不正确")
    kind, index, width = match.groups()
    level = ENTRIES if kind == "entries" else int(kind)
    if len(index) > 40:  # before a long one is made into a number
        raise TileError("tile.range", "没有这样的瓦片")
    tile = Tile(level, int(index.replace("/", "").replace("x", "")), int(width or WIDTH))
    if tile.path != path:  # leading zeros, or a partial tile that is full
        raise TileError("tile.path", "瓦片路径格式不正确")
    return tile


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a tree of `new` leaves has and one of `old` leaves had not, full and partial, leaves first."""
    level = 0
    while new > old:
        yield from _row(level, old, new)
        level, old, new = level + 1, old >> HEIGHT, new >> HEIGHT


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles of a tree, full and partial, leaves first."""
    return tiles_between(0, size)


def bundles_between(old: int, new: int) -> Iterator[Tile]:
    """As `tiles_between`, of the entry bundles."""
    return _row(ENTRIES, old, new)


def _row(level: int, old: int, new: int) -> Iterator[Tile]:
    """Of one level that had `old` hashes and has `new`."""
    if new <= old:
        return
    for index in range(old >> HEIGHT, new >> HEIGHT):
        yield Tile(level, index)
    if new % WIDTH:
        yield Tile(level, new >> HEIGHT, new % WIDTH)


def holding(level: int, index: int, size: int) -> tuple[Tile, range]:
    """The tile, as a tree of `size` leaves has it, and the places in it from which the hash of the complete subtree at
    (level, index) is made: one place where tree level and tile level meet, 2^(level mod 8) otherwise.

    Raises TileError `tile.beyond` where that subtree is not complete in such a tree.
    """
    if level < 0 or index < 0 or (index + 1) << level > size:
        raise TileError("tile.beyond", "此大小的树中没有这个完整子树")
    row, rest = divmod(level, HEIGHT)
    first = index << rest
    number, place = divmod(first, WIDTH)
    return Tile(row, number, min(WIDTH, (size >> HEIGHT * row) - number * WIDTH)), range(place, place + (1 << rest))


def tile_hashes(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes in a tile's content. Raises TileError `tile.length`."""
    if len(data) != tile.width * HASH_SIZE:
        raise TileError("tile.length", f"瓦片应为{tile.width * HASH_SIZE}字节")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


class TileReader:
    """Reads nodes (`domain.merkle.Node`) of the tree of `size` leaves out of its tiles, each tile once.

    `read` gives a tile's content; whatever a tile holds is believed: a proof made from it is to be verified.
    """

    def __init__(self, read: Callable[[Tile], bytes], size: int) -> None:
        self._read = read
        self._size = size
        self._tiles: dict[Tile, list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """32 bytes. Raises TileError `tile.beyond` or `tile.length`."""
        tile, places = holding(level, index, self._size)
        found = self._tiles.get(tile)
        if found is None:
            found = self._tiles[tile] = tile_hashes(tile, self._read(tile))
        hashes = found[places.start : places.stop]
        while len(hashes) > 1:
            hashes = parents(hashes)
        return hashes[0]
