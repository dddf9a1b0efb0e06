"""Proofs over HTTP: what one gets there holds by the public formats alone, and whom it is none of the business of gets
nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from adapters.crypto.notes import NoteVerifier
from domain.bundles import read_bundle
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.departments import RegisterDepartment
from domain.leaves import parse_leaf
from domain.log_proofs import (
    EventProof,
    GrowthProof,
    LedgerProof,
    check_complete,
    check_event,
    check_growth,
    check_ledger,
)
from domain.merkle import leaf_hashes, root_of
from domain.note_keys import parse_verifier_key
from domain.notes import open_note
from domain.tiles import ENTRIES, Tile, TileReader, tiles_of
from infra.store import Store
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import count
from tests.integration.region import APPROVAL, OFFICE, S1, S2, granted
from tests.integration.teststore import LOG_NAME, TestStore, department


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    """A log of more than one full tile, whose checkpoints lie 100 apart."""
    region.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    for number in range(1, 81):
        granted(region, str(number))
    region.prove(limit=100)
    region.project()
    with doors(outer) as made:
        yield made


def keys(opened: Doors) -> list[NoteVerifier]:
    found = opened.get("/log/keys", S1)
    return [NoteVerifier(parse_verifier_key(one["verifier"])) for one in found["items"]]


def raw(opened: Doors, path: str, caller: str = S1, code: int = 200) -> Any:
    found = opened.client.get(f"/api/v1/log/{path}", headers=opened.headers(caller))
    assert found.status_code == code, (path, found.text)
    return found


def signed(opened: Doors, path: str = "checkpoint") -> Checkpoint:
    found = raw(opened, path)
    assert found.headers["content-type"] == "text/plain; charset=utf-8"
    return parse_checkpoint(open_note(found.content, keys(opened)).text)


def test_the_whole_tree_can_be_fetched_by_its_tiles(opened: Doors, region: TestStore) -> None:
    here = signed(opened)
    assert (here.origin, here.size) == (LOG_NAME, count(region, "SELECT count(*) FROM shenguan.stored_events"))
    assert here.size > 256

    def fetch(tile: Tile) -> bytes:
        found = raw(opened, tile.path)
        assert found.headers["content-type"] == "application/octet-stream"
        assert ("immutable" in found.headers["cache-control"]) == (tile.width == 256)
        return bytes(found.content)

    assert root_of(here.size, TileReader(fetch, here.size)) == here.root
    tiles = list(tiles_of(here.size))
    assert {tile.partial for tile in tiles} == {True, False}
    for tile in tiles:
        assert len(fetch(tile)) == tile.width * 32
    # as it was before, from the same tiles
    before = signed(opened, "checkpoint/200")
    assert root_of(200, TileReader(fetch, 200)) == before.root
    for path in ("0/001.p/255", "0/002", "1/001", "0/000.p/256", "0/../000", "x", "8/000"):
        raw(opened, f"tile/{path}", code=404)
    raw(opened, "checkpoint/201", code=404)


def test_entries_are_for_inspectors_and_each_read_is_on_record(opened: Doors, region: TestStore) -> None:
    here = signed(opened)
    before = count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'read.recorded'")
    entries = []
    widths = [256, here.size - 256]
    for index, width in enumerate(widths):
        tile = Tile(ENTRIES, index, width)
        found = raw(opened, tile.path, "jw")
        entries += read_bundle(found.content, width)
    hashes = b"".join(raw(opened, Tile(0, index, width).path).content for index, width in enumerate(widths))
    assert b"".join(leaf_hashes(entries)) == hashes
    assert [parse_leaf(one).position for one in entries] == sorted(parse_leaf(one).position for one in entries)
    after = count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'read.recorded'")
    assert after == before + 2
    for caller in (S1, APPROVAL, "operator"):
        raw(opened, "tile/entries/000", caller, 403)
    raw(opened, "tile/entries/009", "jw", 404)


def test_every_event_is_proven_and_by_when(opened: Doors) -> None:
    here = signed(opened)
    for position in (1, 150, 200):
        found = EventProof.model_validate(opened.get(f"/log/events/{position}", S1))
        check_event(found, keys(opened))
        earliest = EventProof.model_validate(opened.get(f"/log/events/{position}", S1, earliest=True))
        check_event(earliest, keys(opened))
        assert parse_checkpoint(earliest.checkpoint.split("\n\n")[0] + "\n").size == (100 if position == 1 else 200)
    opened.get("/log/events/150", S1, 404, size=100)
    opened.get(f"/log/events/{here.size + 100}", S1, 404)
    opened.get("/log/events/0", S1, 422)


def test_nothing_of_an_earlier_log_is_lost(opened: Doors) -> None:
    sizes = [*range(100, signed(opened).size, 100), signed(opened).size]
    for first, second in pairwise(sizes):
        for given in ({"first": first, "second": second}, {"first": first}):
            check_growth(GrowthProof.model_validate(opened.get("/log/growth", S1, **given)), keys(opened))
    same = GrowthProof.model_validate(opened.get("/log/growth", S1, first=sizes[-1]))
    check_growth(same, keys(opened))
    opened.get("/log/growth", S1, 404, first=200, second=100)
    opened.get("/log/growth", S1, 404, first=7)


def test_a_department_finds_that_it_was_told_all(opened: Doors) -> None:
    proof = LedgerProof.model_validate(opened.get(f"/departments/{S1}/ledger", S1))
    head = check_ledger(proof, keys(opened))
    assert head.size == 80
    entries, after = [], 0
    while True:
        found = opened.get(f"/departments/{S1}/ledger/entries", S1, after=after, limit=30)
        entries += [base64.b64decode(one["leaf"]) for one in found["items"]]
        assert [base64.b64decode(one["leaf_hash"]) for one in found["items"]] == leaf_hashes(entries[after:])
        after = found["items"][-1]["serial"]
        if not found["more"]:
            break
    check_complete(S1, entries, head)
    # as of an earlier checkpoint
    earlier = LedgerProof.model_validate(opened.get(f"/departments/{S1}/ledger", S1, size=200))
    before = check_ledger(earlier, keys(opened))
    check_complete(S1, entries[: before.size], before)
    none = LedgerProof.model_validate(opened.get("/departments/nobody/ledger", "jw"))
    assert none.ledger is None
    assert check_ledger(none, keys(opened)).size == 0
    for path in ("ledger", "ledger/entries"):
        opened.get(f"/departments/{S1}/{path}", S2, 404)
        opened.get(f"/departments/{S1}/{path}", "operator", 403)
        opened.get(f"/departments/{S1}/{path}", "jw")
