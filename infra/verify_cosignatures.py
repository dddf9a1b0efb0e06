"""Witnesses' signatures against the checkpoints that they are over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from psycopg import Connection

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import of_size
from adapters.postgres.cosignatures import Cosigned, cosignatures_after, heard
from domain.note_keys import VerifierKey, parse_verifier_key
from domain.notes import parse_note, parse_signature
from domain.recheck import Problem
from domain.unproven import Unproven

ROWS: Final = 1000


def cosignatures(conn: Connection[Any], witnesses: Sequence[VerifierKey] = ()) -> Iterator[Problem]:
    """Each is over a checkpoint that is there, by the key that is said. `witnesses`: those that may have cosigned,
    known from elsewhere than the database. To be asked after the checkpoints."""
    known = {one.text for one in witnesses}
    keys: dict[str, NoteVerifier] = {}
    for one in heard(conn):
        if known and one.verifier not in known:
            zh = f"见证方 {one.name} 的公钥 {one.verifier} 不在见证方文件中"
            yield Problem(0, "proof", "witness key", zh, f"the witness key {one.verifier} is not in the witness file")
            return
        keys[one.verifier] = NoteVerifier(parse_verifier_key(one.verifier))
    size = 0
    while found := cosignatures_after(conn, size, ROWS):
        for cosigned in found:
            why = _wrong(conn, cosigned, keys)
            if why is not None:
                name = cosigned.verifier.partition("+")[0]
                zh = f"见证方 {name} 对大小为 {cosigned.size} 的检查点的见证签名不符"
                en = f"the cosignature of {name} does not fit the checkpoint of size {cosigned.size}: {why}"
                yield Problem(0, f"checkpoint/{cosigned.size}", "cosignature", zh, en)
                return
        size = found[-1].size


def _wrong(conn: Connection[Any], cosigned: Cosigned, keys: dict[str, NoteVerifier]) -> str | None:
    made = of_size(conn, cosigned.size)
    if made is None:
        return "there is no such checkpoint"
    key = keys[cosigned.verifier]
    try:
        signature = parse_signature(cosigned.line)
    except Unproven as error:
        return error.rule
    if (signature.name, signature.key_id) != (key.name, key.key_id):
        return "it is another's"
    return None if key.verify(parse_note(made.note.encode()).text, signature.signature) else "it does not verify"
