"""The log's witnesses, and their signatures on the way in: nothing is kept that their keys do not verify.

The file `SHENGUAN_WITNESS_FILE` has a line for each witness: where it is to be asked (C2SP tlog-witness), the address
under which it answers `add-checkpoint`, and a space; then its verifier key as C2SP signed-note writes it. A witness
without an address comes and looks. Lines that begin with # are comments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from psycopg import Connection

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import Made, of_size
from adapters.postgres.cosignatures import lines_at, put_cosignature
from domain.note_keys import KeyKind, NoteError, VerifierKey, parse_verifier_key
from domain.notes import Signature, parse_note, parse_signature, with_signatures
from domain.unproven import Unproven
from infra.witness.logs import bad_line, lines_of


class KnownWitness(NamedTuple):
    """A witness of this log; `url`: where it is asked, None: it comes and looks."""

    key: VerifierKey
    url: str | None


def read_witnesses(file: Path | None) -> list[KnownWitness]:
    """Empty where no file is set. Raises WitnessError."""
    found = []
    for number, line in lines_of(file) if file is not None else ():
        url, _, text = line.rpartition(" ")
        try:
            key = parse_verifier_key(text)
        except NoteError as error:
            raise bad_line(file, number, error.message, error.rule) from None
        if key.kind is not KeyKind.COSIGNATURE or (url and urlsplit(url).scheme not in ("http", "https")):
            en = "must be a witness's verifier key, perhaps with an address and a space before it"
            raise bad_line(file, number, "须为见证方公钥，其前可有地址与空格", en)
        found.append(KnownWitness(key, url.rstrip("/") or None))
    return found


def take(conn: Connection[Any], witnesses: Sequence[KnownWitness], size: int, line: str) -> str | None:
    """Keeps a witness's signature for the checkpoint of a size, and gives the witness's name; None: there is no such
    checkpoint. Raises Unproven: `note.signature`, `cosignature.witness` (of no witness of this log),
    `cosignature.wrong`."""
    made = of_size(conn, size)
    if made is None:
        return None
    signature = parse_signature(line)
    key = next((one.key for one in witnesses if (one.key.name, one.key.key_id) == _of(signature)), None)
    if key is None:
        raise NoteError("cosignature.witness", f"{signature.name} 不是此日志的见证方")
    if not NoteVerifier(key).verify(parse_note(made.note.encode()).text, signature.signature):
        raise NoteError("cosignature.wrong", f"{key.name} 的见证签名与大小为 {size} 的检查点不符")
    put_cosignature(conn, size, key.text, line)
    return key.name


def cosigned(conn: Connection[Any], made: Made) -> Made:
    """The checkpoint, its note with the signatures of witnesses that there are by now."""
    found = []
    for line in lines_at(conn, made.head.size):
        try:
            found.append(parse_signature(line))
        except Unproven:  # what somebody has altered is for `verify` to name
            continue
    return replace(made, note=with_signatures(made.note.encode(), found).decode()) if found else made


def _of(signature: Signature) -> tuple[str, bytes]:
    return signature.name, signature.key_id
