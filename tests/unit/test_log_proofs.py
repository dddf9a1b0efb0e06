"""Proofs as they are handed out: they hold for what they are of, and for nothing else, whoever altered what."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.crypto.notes import Cosigner, NoteSigner, NoteVerifier, new_signer_key
from domain.checkpoints import Checkpoint
from domain.leaves import Row, leaves
from domain.ledger_heads import LedgerHead, LedgerHeads, extension
from domain.log_proofs import (
    EventProof,
    LedgerProof,
    check_complete,
    check_event,
    check_growth,
    check_ledger,
    event_proof,
    growth_proof,
    ledger_proof,
    opened,
)
from domain.merkle import Head, leaf_hashes, tree_hash
from domain.merkle_proofs import prove_consistency, prove_inclusion
from domain.note_keys import KeyKind
from domain.notes import Signer, sign_note
from tests.unit.merkle_kit import node_of, reasons

SIGNER = NoteSigner(new_signer_key("log.example/1"))
OTHER = NoteSigner(new_signer_key("log.example/1"))
KEYS = [NoteVerifier(SIGNER.verifier_key)]


def _row(position: int) -> Row:
    stream, version = (b"ledger/d", position // 2) if position % 2 == 0 else (b"case/x/%d" % position, 1)
    return Row(position, position * 10, stream, version, b"t", b'{"n":%d}' % position)


ROWS = [_row(n) for n in range(1, 14)]
ENTRIES = leaves(ROWS)
LEAVES = leaf_hashes(ENTRIES)
MINE = [entry for entry, row in zip(ENTRIES, ROWS, strict=True) if row.addressee == "d"]
LEDGERS = LedgerHeads([LedgerHead("a", 3, LEAVES[0]), LedgerHead("d", len(MINE), tree_hash(leaf_hashes(MINE)))])


def checkpoint(size: int, signer: Signer = SIGNER, origin: str = "log.example/1", **more: Any) -> str:
    found = Checkpoint(origin, size, more.get("root", tree_hash(LEAVES[:size])), (extension(LEDGERS.head),))
    return sign_note(found.text, [signer]).decode()


def proof(index: int, size: int) -> EventProof:
    path = prove_inclusion(index, size, node_of(LEAVES))
    return event_proof(ROWS[index].position, index, LEAVES[index], path, checkpoint(size))


def test_an_event_was_there() -> None:
    for size in range(1, len(ENTRIES) + 1):
        for index in range(size):
            made = EventProof.model_validate_json(proof(index, size).model_dump_json())
            found = check_event(made, KEYS, ENTRIES[index])
            assert found is not None
            assert found.is_of(ROWS[index].state)
            assert check_event(made, KEYS) is None


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"index": 5}, "proof.root"),
        ({"position": 6}, "proof.leaf"),
        ({"leaf_hash": proof(5, 9).leaf_hash}, "proof.root"),
        ({"leaf_hash": "AAAA"}, "proof.hash"),
        ({"leaf_hash": "?"}, "proof.hash"),
        ({"path": proof(4, 9).path[1:]}, "proof.short"),
        ({"checkpoint": checkpoint(10)}, "proof.root"),
        ({"checkpoint": checkpoint(9, OTHER)}, "note.unsigned"),
        ({"checkpoint": checkpoint(9).replace("\n9\n", "\n8\n")}, "note.forged"),
    ],
)
def test_or_it_is_not_shown(more: dict[str, Any], rule: str) -> None:
    assert reasons(check_event, proof(4, 9).model_copy(update=more), KEYS, ENTRIES[4]) == rule


def test_another_event_is_not_that_one() -> None:
    assert reasons(check_event, proof(4, 9), KEYS, ENTRIES[5]) == "proof.leaf"
    assert reasons(check_event, proof(4, 9), KEYS, ENTRIES[4].replace(b'"n"', b'"m"')) == "proof.leaf"


def test_a_checkpoint_is_of_one_log() -> None:
    assert opened(checkpoint(3), KEYS, "log.example/1").size == 3
    assert reasons(opened, checkpoint(3), KEYS, "log.example/2") == "proof.origin"  # type: ignore[arg-type]


def test_the_log_only_grew() -> None:
    path = prove_consistency(4, 9, node_of(LEAVES))
    check_growth(growth_proof(checkpoint(4), checkpoint(9), path), KEYS)
    fork = checkpoint(4, root=tree_hash(LEAVES[1:5]))
    assert reasons(check_growth, growth_proof(fork, checkpoint(9), path), KEYS) == "proof.root"
    other = checkpoint(4, origin="log.example/2")
    assert reasons(check_growth, growth_proof(other, checkpoint(9), path), KEYS) == "note.unsigned"
    elsewhere = NoteSigner(new_signer_key("log.example/2"))
    other, both = checkpoint(4, elsewhere, origin="log.example/2"), [*KEYS, NoteVerifier(elsewhere.verifier_key)]
    assert opened(other, both).size == 4
    assert reasons(check_growth, growth_proof(other, checkpoint(9), path), both) == "proof.origin"


def test_a_key_speaks_for_the_log_of_its_name_and_a_witness_for_none() -> None:
    elsewhere = NoteSigner(new_signer_key("log.example/2"))
    both = [*KEYS, NoteVerifier(elsewhere.verifier_key)]
    assert reasons(opened, checkpoint(3, elsewhere), both) == "note.unsigned"  # type: ignore[arg-type]
    witness = Cosigner(new_signer_key("log.example/1", KeyKind.COSIGNATURE), 1_700_000_000)
    both = [*KEYS, NoteVerifier(witness.verifier_key)]
    assert reasons(opened, checkpoint(3, witness), both) == "note.unsigned"  # type: ignore[arg-type]


def of_ledger(addressee: str) -> LedgerProof:
    made = ledger_proof(addressee, LEDGERS.prove(addressee), checkpoint(13))
    return LedgerProof.model_validate_json(made.model_dump_json())


def test_all_notices_and_no_others() -> None:
    head = check_ledger(of_ledger("d"), KEYS)
    assert head.size == 6
    check_complete("d", MINE, head)
    assert reasons(check_complete, "d", MINE[:-1], head) == "ledger.count"
    assert reasons(check_complete, "d", [*MINE[1:], MINE[0]], head) == "ledger.serial"
    assert reasons(check_complete, "e", MINE, head) == "ledger.serial"
    altered = [*MINE[:-1], MINE[-1].replace(b'"n"', b'"m"')]
    assert reasons(check_complete, "d", altered, head) == "ledger.entries"


def test_none_is_proven_too() -> None:
    for name in ("0", "b", "e"):
        assert check_ledger(of_ledger(name), KEYS) == Head(0, tree_hash(()))
    lie = of_ledger("b").model_copy(update={"addressee": "d"})
    assert reasons(check_ledger, lie, KEYS) == "ledger.absence"
    swapped = of_ledger("a").model_copy(update={"addressee": "d"})
    assert reasons(check_ledger, swapped, KEYS) == "ledger.addressee"
