"""Tiles: their paths, which ones a tree has, and proofs made from nothing but them."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.bundles import MAX_ENTRY, read_bundle, write_bundle
from domain.merkle import Head, parents, tree_hash
from domain.merkle_proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion
from domain.tiles import (
    ENTRIES,
    Tile,
    TileError,
    TileReader,
    bundles_between,
    holding,
    parse_tile,
    tile_hashes,
    tiles_between,
    tiles_of,
)
from tests.unit.merkle_kit import node_of, numbered

MANY = numbered(66_000)  # enough for a full tile of level 1

tiles = st.builds(
    Tile,
    st.integers(ENTRIES, 3),
    st.integers(0, 10**7) | st.sampled_from([0, 999, 1000, 999_999, 10**6]),
    st.integers(1, 256),
)


@cache
def written(size: int) -> dict[Tile, bytes]:
    """Every tile of the tree of the first of MANY, by the formal definition: the i-th hash of the n-th tile of level l
    is MTH(D[(n·256+i)·256^l : (n·256+i+1)·256^l])."""
    rows = [MANY[:size]]
    while len(rows[-1]) >= 256:
        row = rows[-1]
        for _ in range(8):
            row = parents(row)
        rows.append(row)
    return {
        tile: b"".join(rows[tile.level][tile.index * 256 : tile.index * 256 + tile.width]) for tile in tiles_of(size)
    }


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 1234067, 8), "tile/0/x001/x234/067.p/8"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(3, 10**6, 255), "tile/3/x001/x000/000.p/255"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
        (Tile(ENTRIES, 67), "tile/entries/067"),
        (Tile(ENTRIES, 1067, 12), "tile/entries/x001/067.p/12"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_tile(path) == tile


@given(tiles)
def test_a_path_is_read_as_it_was_written(tile: Tile) -> None:
    assert parse_tile(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/",
        "tile/0/67",
        "tile/0/0067",
        "tile/0/x067",
        "tile/0/x000/067",  # leading zeros
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/x001/x234/067/",
        "/tile/0/067",
        "prefix/tile/0/067",
        "tile/00/067",
        "tile/01/067",
        "tile/-1/067",
        "tile/64/067",
        "tile/100/067",
        "tile/data/067",
        "tile/Entries/067",
        "tile/0/067.p/0",
        "tile/0/067.p/08",
        "tile/0/067.p/256",
        "tile/0/067.p/300",
        "tile/0/067.p/-1",
        "tile/0/067.p",
        "tile/0/067.P/8",
        "tile/0/067.p/8\n",
        "tile/0/067\n",
        "tile/0/٠٦٧",
        "tile/0/../067",
        "tile/8/0/067",
        "tile/0/" + "x999/" * 5000 + "067",
        "tile/0/" + "x999/" * 6 + "067",
        "tile/7/001",  # begins where no tree that can be counted reaches
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(TileError, match=r"tile\.(path|range)"):
        parse_tile(path)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (0, 2**55, 1)]
)
def test_what_is_no_tile_is_refused(level: int, index: int, width: int) -> None:
    with pytest.raises(TileError, match=r"tile\.range"):
        Tile(level, index, width)


def test_the_tree_of_the_specification() -> None:
    found = list(tiles_of(70_000))
    assert found[:273] == [Tile(0, index) for index in range(273)]
    assert found[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == list(bundles_between(0, 0)) == []
    assert list(bundles_between(0, 70_000))[272:] == [Tile(ENTRIES, 272), Tile(ENTRIES, 273, 112)]


@settings(deadline=None)
@given(st.integers(0, 200_000), st.integers(0, 5_000))
def test_growing_adds_the_tiles_that_were_not_there(old: int, more: int) -> None:
    before, after = set(tiles_of(old)), list(tiles_of(old + more))
    added = list(tiles_between(old, old + more))
    assert added == [tile for tile in after if tile not in before]
    # a full tile stays; a partial one gives way only to a wider one
    assert {tile for tile in before if tile.width == 256} <= set(after)
    bundles = [Tile(0, tile.index, tile.width) for tile in bundles_between(old, old + more)]
    assert bundles == [tile for tile in added if tile.level == 0]


@settings(deadline=None)
@given(st.data())
def test_where_a_node_is(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 2**40))
    level = data.draw(st.integers(0, size.bit_length() - 1))
    index = data.draw(st.integers(0, (size >> level) - 1))
    tile, places = holding(level, index, size)
    assert tile.start + (places.start << 8 * tile.level) == index << level
    assert len(places) << 8 * tile.level == 1 << level
    assert places.stop <= tile.width
    if size < 10**6:
        assert tile in set(tiles_of(size))
    with pytest.raises(TileError, match=r"tile\.beyond"):
        holding(level, (size >> level) + data.draw(st.integers(0, 3)), size)


def test_below_nothing_is_nothing() -> None:
    for level, index in ((-1, 0), (0, -1), (64, 0)):
        with pytest.raises(TileError, match=r"tile\.beyond"):
            holding(level, index, 8)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 66_000]), st.data())
def test_proofs_are_made_from_tiles_alone(size: int, data: st.DataObject) -> None:
    leaves = MANY[:size]
    stored, asked = written(size), list[Tile]()

    def read(tile: Tile) -> bytes:
        asked.append(tile)
        return stored[tile]

    head = Head(size, tree_hash(leaves))
    reader = TileReader(read, size)
    index = data.draw(st.integers(0, size - 1))
    verify_inclusion(leaves[index], index, prove_inclusion(index, size, reader), head)
    if size > 1:
        first = data.draw(st.integers(1, size - 1))
        proof = prove_consistency(first, size, reader)
        assert proof == prove_consistency(first, size, node_of(leaves))
        verify_consistency(Head(first, tree_hash(leaves[:first])), head, proof)
    assert len(asked) == len(set(asked)), "a tile was read twice"


def test_a_tile_of_another_length_is_refused() -> None:
    stored = written(300)
    assert tile_hashes(Tile(0, 1, 44), stored[Tile(0, 1, 44)]) == MANY[256:300]
    for bad in (b"", stored[Tile(0, 0)][:-1], stored[Tile(0, 0)] + b"\0", stored[Tile(0, 0)][:-32]):
        with pytest.raises(TileError, match=r"tile\.length"):
            prove_inclusion(5, 300, TileReader(dict.fromkeys(stored, bad).__getitem__, 300))


entries = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


@given(entries)
def test_bundles_are_read_as_they_were_written(found: list[bytes]) -> None:
    data = write_bundle(found)
    assert read_bundle(data, len(found)) == found
    for width in (len(found) - 1, len(found) + 1):
        with pytest.raises(TileError, match=r"bundle\.count"):
            read_bundle(data, width)


def test_the_bytes_of_a_bundle() -> None:
    assert write_bundle([b"abc", b"", b"x" * 258]).hex() == "0003616263" "0000" "0102" + "78" * 258  # fmt: skip
    longest = b"z" * MAX_ENTRY
    assert read_bundle(write_bundle([longest] * 256), 256) == [longest] * 256


@given(entries)
def test_a_bundle_that_was_cut_is_refused(found: list[bytes]) -> None:
    data = write_bundle(found)
    for end in range(len(data)):
        with pytest.raises(TileError, match=r"bundle\.(short|count)"):
            read_bundle(data[:end], len(found))
    with pytest.raises(TileError, match=r"bundle\.short"):
        read_bundle(data + b"\0", len(found))


def test_what_does_not_fit_a_bundle_is_refused() -> None:
    for bad, rule in (([], "bundle.count"), ([b""] * 257, "bundle.count"), ([b"x" * (MAX_ENTRY + 1)], "entry.long")):
        with pytest.raises(TileError, match=rule.replace(".", r"\.")):
            write_bundle(bad)
