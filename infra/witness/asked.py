"""The witnesses that a log asks: where they are, and by which keys they sign; by C2SP tlog-witness."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from adapters.channels.http import Line, NotReached
from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import Made
from adapters.postgres.cosignatures import last_cosigned, put_cosignature
from adapters.postgres.trees import LOG, nodes
from domain.merkle_proofs import prove_consistency
from domain.note_keys import KeyKind, NoteError, VerifierKey, parse_verifier_key
from domain.notes import parse_note, parse_signature
from domain.witnessing import Proposal
from infra.witness.logs import lines_of, wrong_line
from infra.witness.serving import SIZE_TYPE

SECONDS: Final = 10.0
CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class Asked:
    """A witness as the log knows it. `url` is what `/add-checkpoint` comes after."""

    url: str
    key: VerifierKey


def read_asked(file: Path | None) -> list[Asked]:
    """Lines of address, space, verifier key. Raises WitnessError."""
    found = []
    for number, line in lines_of(file) if file is not None else ():
        url, _, text = line.rpartition(" ")
        try:
            key = parse_verifier_key(text)
        except NoteError as error:
            raise wrong_line(file, number, error.message, error.rule) from None
        if not url.startswith(("https://", "http://")) or key.kind is not KeyKind.COSIGNATURE:
            raise wrong_line(file, number, "须为地址、空格、见证公钥", "must be an address, a space, a witness's key")
        found.append(Asked(url.rstrip("/"), key))
    return found


def ask(conn: Connection[Any], witness: Asked, made: Made, trust: ssl.SSLContext) -> str | None:
    """Has the checkpoint cosigned unless it is, and keeps the signature; why not, in a word.

    A witness that knows a larger log, or another one, is the loudest of all alarms: this one was put back or forked.
    """
    old = last_cosigned(conn, witness.key.text)
    if old >= made.head.size:
        return None
    for _ in range(2):  # it may have cosigned more than is known here
        try:
            answer = _ask(conn, witness, made, old, trust)
        except NotReached as why:
            return str(why)
        if answer.status == CONFLICT and answer.headers.get("content-type") == SIZE_TYPE:
            known = answer.body.decode("ascii", "replace").strip()
            if not known.isdecimal() or int(known) > made.head.size:
                return f"forked or put back: the witness knows size {known[:20]}, this log has {made.head.size}"
            if int(known) == old:
                return f"forked: the witness knows another root of size {old}"
            old = int(known)
            continue
        if answer.status == 200:
            return _keep(conn, witness, made, answer.body)
        if answer.status == 422:
            return f"forked: the witness does not find that size {made.head.size} goes on from {old}"
        said = answer.body.decode("utf-8", "replace").partition("\n")[0][:200]
        return f"HTTP {answer.status}: {said}"
    return "the witness knows a new size each time"


def _ask(conn: Connection[Any], witness: Asked, made: Made, old: int, trust: ssl.SSLContext) -> Any:
    size = made.head.size
    path = prove_consistency(old, size, nodes(conn, LOG, size)) if 0 < old < size else []
    body = Proposal(old, tuple(path), made.note.encode()).data
    with Line(f"{witness.url}/add-checkpoint", trust, SECONDS) as line:
        return line.post(body, {"content-type": "text/plain"})


def _keep(conn: Connection[Any], witness: Asked, made: Made, body: bytes) -> str | None:
    """Of the lines that it answers with, the one of the key that is known."""
    text = parse_note(made.note.encode()).text
    verifier = NoteVerifier(witness.key)
    for line in body.decode("utf-8", "replace").splitlines():
        try:
            found = parse_signature(line)
        except NoteError:
            continue
        mine = (found.name, found.key_id) == (verifier.name, verifier.key_id)
        if mine and verifier.verify(text, found.signature):
            put_cosignature(conn, made.head.size, witness.key.text, line)
            return None
    return "no cosignature by its key"
