"""The tiles of the log's tree and of the ledgers' trees, and which leaf stands for which position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from psycopg import Connection

from domain.merkle import HASH_SIZE, Run
from domain.tiles import HEIGHT, WIDTH, Tile, TileReader

LOG: Final = ""
"""The name of the log's own tree; those of ledgers are named by their addressees."""


class TreeMismatch(Exception):
    """The tiles are not those of the tree that was to grow."""


def tile_content(conn: Connection[Any], tree: str, tile: Tile) -> bytes | None:
    """The hashes of a tile of the tree as far as it is integrated, which may have come further; None: not so far."""
    row = conn.execute(
        "SELECT substr(hashes, 1, %b) FROM proof.tile WHERE tree = %b AND level = %b AND number = %b",
        (tile.width * HASH_SIZE, tree, tile.level, tile.index),
        binary=True,
        prepare=True,
    ).fetchone()
    return row[0] if row is not None and len(row[0]) == tile.width * HASH_SIZE else None


def nodes(conn: Connection[Any], tree: str, size: int) -> TileReader:
    """Reads nodes of the tree of the first `size` leaves. Raises TreeMismatch where a tile is missing or short."""

    def read(tile: Tile) -> bytes:
        found = tile_content(conn, tree, tile)
        if found is None:
            raise TreeMismatch(f"tree {tree!r}: {tile.path} is missing")
        return found

    return TileReader(read, size)


def put_runs(conn: Connection[Any], grown: Iterable[tuple[str, Sequence[Run]]]) -> None:
    """Adds to each tree what it has grown by (`Frontier.grow`). Raises TreeMismatch where that does not fit."""
    parts = [(tree, *part) for tree, runs in grown for run in runs if run.level % HEIGHT == 0 for part in _parts(run)]
    found = conn.execute(
        "INSERT INTO proof.tile AS t (tree, level, number, hashes)"
        " SELECT * FROM unnest(%b::text[], %b::int2[], %b::int8[], %b::bytea[])"
        " ON CONFLICT (tree, level, number) DO UPDATE SET hashes = t.hashes || excluded.hashes"
        " RETURNING tree, level, number, octet_length(hashes)",
        (
            [part[0] for part in parts],
            [part[1] for part in parts],
            [part[2] for part in parts],
            [part[3] for part in parts],
        ),
        prepare=True,
    ).fetchall()
    wanted = {(tree, level, number): width * HASH_SIZE for tree, level, number, _, width in parts}
    for tree, level, number, length in found:
        if wanted[tree, level, number] != length:
            raise TreeMismatch(f"tree {tree!r}: tile {level}/{number} has {length // HASH_SIZE} hashes after growing")


def _parts(run: Run) -> Iterable[tuple[int, int, bytes, int]]:
    """(level, number, hashes that come to it, its width then) of every tile that grows."""
    at = 0
    while at < len(run.hashes):
        number, place = divmod(run.start + at, WIDTH)
        some = run.hashes[at : at + WIDTH - place]
        yield run.level // HEIGHT, number, b"".join(some), place + len(some)
        at += len(some)


def put_positions(conn: Connection[Any], index: int, positions: Sequence[int]) -> None:
    """That the leaves from `index` on are of these positions; a row wherever they do not run on."""
    row = conn.execute("SELECT index, position FROM proof.run ORDER BY index DESC LIMIT 1", prepare=True).fetchone()
    ahead = None if row is None else row[1] - row[0]
    new = []
    for at, position in enumerate(positions, index):
        if position - at != ahead:
            ahead = position - at
            new.append((at, position))
    if new:
        conn.execute(
            "INSERT INTO proof.run (index, position) SELECT * FROM unnest(%b::int8[], %b::int8[])",
            ([one[0] for one in new], [one[1] for one in new]),
            prepare=True,
        )


def index_of(conn: Connection[Any], position: int) -> int | None:
    """The leaf's index, as far as the log is integrated; None where no leaf is of this position."""
    row = conn.execute(
        "SELECT r.index + %b - r.position, (SELECT min(n.index) FROM proof.run AS n WHERE n.index > r.index),"
        " (SELECT max(size) FROM proof.checkpoint)"
        " FROM proof.run AS r WHERE r.position <= %b ORDER BY r.position DESC LIMIT 1",
        (position, position),
        prepare=True,
    ).fetchone()
    if row is None:
        return None
    found, end, size = row
    return int(found) if found < (size or 0) and (end is None or found < end) else None


def runs(conn: Connection[Any]) -> list[tuple[int, int]]:
    """(index, position) wherever positions do not run on, in order."""
    return [(row[0], row[1]) for row in conn.execute("SELECT index, position FROM proof.run ORDER BY index")]


def positions_between(conn: Connection[Any], start: int, end: int) -> list[int]:
    """Of the leaves from index `start` up to, without, `end`."""
    rows = conn.execute(
        "SELECT index, position FROM proof.run WHERE index < %b AND index >="
        " coalesce((SELECT max(index) FROM proof.run WHERE index <= %b), 0) ORDER BY index",
        (end, start),
        prepare=True,
    ).fetchall()
    found: list[int] = []
    for number, (index, position) in enumerate(rows):
        last = rows[number + 1][0] if number + 1 < len(rows) else end
        first = max(index, start)
        found += range(position + first - index, position + min(last, end) - index)
    return found
