"""Checkpoints, proofs and tiles of ours are accepted by other projects' implementations, and theirs by ours; what was
changed is refused by all of them alike."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adapters.crypto.notes import Cosigner, NoteSigner, NoteVerifier, new_signer_key, verifier_key
from domain.bundles import write_bundle
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.cosignatures import unstamped
from domain.merkle import Head, leaf_hashes, parents, tree_hash
from domain.merkle_proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion
from domain.note_keys import KeyKind
from domain.notes import open_note, sign_note
from domain.tiles import TileError, TileReader, bundles_between, parse_tile, tiles_of
from infra.witness.keeping import Witness
from infra.witness.serving import create_app
from tests.independent.go_program import ask, missing, program
from tests.integration.witness_kit import listening
from tests.unit.merkle_kit import mth, numbered, path, reasons, spoiled, subproof

Ask = Callable[[Iterable[Mapping[str, Any]]], list[dict[str, Any]]]
WHY = cache(missing)
STRANGE = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
ORIGIN = "shenguan.example/150100"
LOG = new_signer_key(ORIGIN)
WITNESS = new_signer_key("witness.example/jd", KeyKind.COSIGNATURE)


@pytest.fixture(scope="module")
def others() -> Ask:
    if WHY():
        pytest.skip(WHY())
    return partial(ask, program())


def inclusion(leaf: bytes, index: int, proof: list[bytes], head: Head) -> dict[str, Any]:
    return {
        "do": "inclusion", "leaf": leaf, "index": index, "path": proof, "second": head.size, "secondRoot": head.root
    }  # fmt: skip


def consistency(first: Head, second: Head, proof: list[bytes]) -> dict[str, Any]:
    sizes = {"first": first.size, "second": second.size}
    return {"do": "consistency", "path": proof, "firstRoot": first.root, "secondRoot": second.root, **sizes}


def test_all_agree_on_inclusion(others: Ask) -> None:
    asked: list[tuple[bytes, int, list[bytes], Head]] = []
    for size in (1, 2, 3, 6, 7, 8, 13):
        leaves = numbered(size)
        head = Head(size, mth(leaves))
        for index, leaf in enumerate(leaves):
            proof = path(index, leaves)
            asked.append((leaf, index, proof, head))
            asked += [(leaf, index, bad, head) for bad in spoiled(proof, (STRANGE, head.root))]
            asked += [(leaf, other, proof, head) for other in range(size + 2) if other != index]
            asked += [
                (leaf, index, proof, Head(other, head.root)) for other in (size * 2, size // 2, size - 1, size + 1)
            ]
            asked += [
                (STRANGE, index, proof, head),
                (leaf, index, proof, Head(size, STRANGE)),
                (b"", index, proof, head),
            ]
    answers = others(inclusion(*one) for one in asked)
    held = 0
    for one, found in zip(asked, answers, strict=True):
        ours = reasons(verify_inclusion, *one)
        assert (not ours, not found["error"], not found["merkle"]) in {(True,) * 3, (False,) * 3}, (one, ours, found)
        held += not ours
    assert len(asked) > 5_000
    assert held >= 40


def test_all_agree_on_consistency(others: Ask) -> None:
    asked: list[tuple[Head, Head, list[bytes]]] = []
    for second in (2, 3, 6, 7, 8, 13):
        leaves = numbered(second)
        new = Head(second, mth(leaves))
        for first in range(1, second):
            old = Head(first, mth(leaves[:first]))
            proof = subproof(first, leaves)
            asked.append((old, new, proof))
            asked += [(old, new, bad) for bad in spoiled(proof, (STRANGE, old.root, new.root))]
            asked += [(Head(other, old.root), new, proof) for other in range(1, second) if other != first]
            asked += [
                (old, Head(other, new.root), proof) for other in (second * 2, second + 1, second - 1) if other > first
            ]
            asked += [(Head(first, STRANGE), new, proof), (old, Head(second, STRANGE), proof)]
            asked += [(Head(first, new.root), Head(second, old.root), proof), (new, old, proof)]
    answers = others(consistency(*one) for one in asked)
    held = 0
    for one, found in zip(asked, answers, strict=True):
        ours = reasons(verify_consistency, *one)
        assert (not ours, not found["error"], not found["merkle"]) in {(True,) * 3, (False,) * 3}, (one, ours, found)
        held += not ours
    assert len(asked) > 5_000
    assert held >= 32


def test_a_checkpoint_of_ours_is_accepted(others: Ask) -> None:
    leaves = numbered(1000)
    checkpoint = Checkpoint(ORIGIN, 1000, tree_hash(leaves), ("ledgers 7", "另一行"))
    at = 1_767_225_600
    unknown = new_signer_key("somebody.example")
    data = sign_note(checkpoint.text, [NoteSigner(unknown), NoteSigner(LOG), Cosigner(WITNESS, at)])
    request = {
        "do": "open",
        "data": data,
        "origin": ORIGIN,
        "key": verifier_key(LOG).text,
        "witness": verifier_key(WITNESS).text,
    }
    forged = data.replace(b"ledgers 7", b"ledgers 8")
    elsewhere = verifier_key(new_signer_key(ORIGIN)).text
    good, *bad = others(
        [request, {**request, "data": forged}, {**request, "origin": "other"}, {**request, "key": elsewhere}]
    )
    assert good["error"] == ""
    assert (good["size"], base64.b64decode(good["data"])) == (1000, checkpoint.root)
    assert good["names"] == [LOG.name, WITNESS.name]
    assert good["time"] == at
    assert all(one["error"] for one in bad)


def test_a_checkpoint_of_theirs_is_accepted(others: Ask) -> None:
    checkpoint = Checkpoint(ORIGIN, 3, STRANGE)
    signed = others([{"do": "sign", "text": checkpoint.text, "key": LOG.text, "witness": WITNESS.text}])[0]
    assert signed["error"] == ""
    data = base64.b64decode(signed["data"])
    opened = open_note(data, [NoteVerifier(verifier_key(LOG)), NoteVerifier(verifier_key(WITNESS))])
    assert parse_checkpoint(opened.text) == checkpoint
    assert [one.name for one in opened.verified] == [LOG.name, WITNESS.name]
    at, _ = unstamped(opened.verified[1].signature)
    # but for its time, a witness's signature is the same bytes whoever makes it
    assert sign_note(checkpoint.text, [NoteSigner(LOG), Cosigner(WITNESS, at)]) == data


def test_witnesses_signatures_are_the_same_for_all(others: Ask) -> None:
    """torchwood verifies ours and signs itself, with the same key and under the same name of it; ours verifies that."""
    checkpoint = Checkpoint(ORIGIN, 3, STRANGE, ("ledgers/v1 0 x",))
    ours = sign_note(checkpoint.text, [NoteSigner(LOG), Cosigner(WITNESS, 1_767_225_600)])
    forged = ours.replace(b"ledgers/v1 0", b"ledgers/v1 1")
    good, *bad = others({"do": "cosign", "data": data, "witness": WITNESS.text} for data in (ours, forged))
    assert (good["error"], good["time"]) == ("", 1_767_225_600)
    assert good["names"] == [verifier_key(WITNESS).text]
    assert bad[0]["error"]
    assert open_note(base64.b64decode(good["data"]), [NoteVerifier(verifier_key(WITNESS))]).text == checkpoint.text


def test_a_log_of_others_is_witnessed(others: Ask, tmp_path: Path) -> None:
    """It sends its checkpoints with its own proofs; what it may not do is refused with the specification's statuses."""
    known = {ORIGIN: [NoteVerifier(verifier_key(LOG))]}
    witness = Witness(tmp_path, WITNESS, known, lambda: 1_767_225_600)
    with listening(create_app(witness)) as url:
        request = {"do": "propose", "text": url, "origin": ORIGIN, "key": LOG.text, "index": 1000, "dir": "other"}
        request["witness"] = verifier_key(WITNESS).text

        def sent(first: int, second: int, status: int, body: str = "", **more: Any) -> None:
            [found] = others([{**request, "first": first, "second": second, **more}])
            assert (found["error"], found["size"]) == ("", status), found
            if status == 200:
                assert found["time"] == 1_767_225_600
            elif body:
                assert base64.b64decode(found["data"]).decode() == body

        sent(0, 1, 200)
        sizes = (1, 1, 2, 7, 8, 13, 256, 300)
        for first, second in pairwise(sizes):
            sent(first, second, 200)
        sent(0, 301, 409, "300\n")
        sent(256, 301, 409, "300\n")
        sent(300, 299, 400)
        sent(300, 301, 422, index=299)  # its last entry is another since
        sent(300, 301, 403, key=new_signer_key(ORIGIN).text)
        sent(300, 301, 404, origin="other.example")
        sent(300, 300, 200)
        sent(300, 300, 409, "300\n", index=299)
        sent(300, 301, 403)  # it has seen a fork


@pytest.mark.parametrize("size", [1, 256, 257, 66_000])
def test_another_reader_reads_our_tiles(others: Ask, tmp_path: Path, size: int) -> None:
    entries = [b"%d" % number * (1 + number % 7) for number in range(size)]
    rows = [leaf_hashes(entries)]
    while len(rows[-1]) >= 256:
        row = rows[-1]
        for _ in range(8):
            row = parents(row)
        rows.append(row)
    for tile in tiles_of(size):
        hashes = rows[tile.level][tile.index * 256 : tile.index * 256 + tile.width]
        put(tmp_path / tile.path, b"".join(hashes))
    for bundle in bundles_between(0, size):
        put(tmp_path / bundle.path, write_bundle(entries[bundle.start : bundle.start + bundle.width]))
    head = Head(size, tree_hash(rows[0]))
    request = {"do": "read", "dir": str(tmp_path), "second": size, "secondRoot": head.root}
    good, bad = others([request, {**request, "secondRoot": STRANGE}])
    assert good["error"] == ""
    assert [base64.b64decode(one) for one in good["all"]] == entries
    assert bad["error"]
    # and proofs that we make from the same files hold for the others
    reader = TileReader(lambda tile: (tmp_path / tile.path).read_bytes(), size)
    places = sorted({0, size // 2, size - 1})
    asked = [inclusion(rows[0][at], at, prove_inclusion(at, size, reader), head) for at in places]
    firsts = [first for first in (1, 255, 256, 300, size - 1) if 0 < first < size]
    asked += [
        consistency(Head(first, tree_hash(rows[0][:first])), head, prove_consistency(first, size, reader))
        for first in firsts
    ]
    assert {(one["error"], one["merkle"]) for one in others(asked)} == {("", "")}


def put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def test_all_agree_on_paths_of_tiles(others: Ask) -> None:
    good = ["tile/0/000", "tile/1/x001/234", "tile/entries/x001/x234/067.p/8", "tile/5/999.p/255", "tile/entries/000"]
    bad = [one.replace(*change) for one in good for change in (("/", "//"), ("tile", "t"), ("00", "0"), ("x", ""))]
    bad += [f"{one}.p/256" for one in good] + [f"{one}/" for one in good] + [f"{one}.p/0" for one in good]
    paths = [*good, *(one for one in bad if one not in good)]
    for one, found in zip(paths, others({"do": "tile", "text": one} for one in paths), strict=True):
        try:
            tile = parse_tile(one)
        except TileError:
            assert found["error"], one
        else:
            assert base64.b64decode(found["data"]).decode() == f"{tile.level} {tile.index} {tile.width}", one
