"""The transparency log against itself and the events: signatures, checkpoints, ledgers, tiles; then every event's leaf.

Checkpoints are believed by their signatures, tiles by the checkpoints' roots, events by the tiles: so whichever of them
was altered is the one that is named. What follows the first wrong thing of a tree is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import Made, checkpoints_after, keys_in_use, latest, ledgers_at, ledgers_grown
from adapters.postgres.trees import LOG, runs
from domain.checkpoints import parse_checkpoint
from domain.ledger_heads import LedgerHeads, committed
from domain.log_proofs import opened
from domain.merkle import Head
from domain.note_keys import VerifierKey, parse_verifier_key
from domain.notes import parse_note
from domain.recheck import Problem
from domain.unproven import Unproven
from infra.proving import Contradiction, check_published
from infra.unproven_words import english
from infra.verify_cosignatures import cosignatures
from infra.verify_leaves import events
from infra.verify_tiles import tiles

CHECKPOINTS: Final = 1000
Count = Callable[[int], None]


def proofs(
    conn: Connection[Any],
    keys: Sequence[VerifierKey] = (),
    kept: Sequence[str] = (),
    witnesses: Sequence[VerifierKey] = (),
) -> Iterator[Problem]:
    """All of it, in the transaction's one moment. `keys`: those that may have signed, known from elsewhere; none: those
    that the database names; `witnesses` likewise. `kept`: checkpoints that lie elsewhere, which the log must go on
    from."""
    made = latest(conn)
    if made is None:
        yield from _nothing_left(conn)
        yield from _kept(conn, kept, keys, None)
        return
    for step in (
        _keys(conn, keys),
        _checkpoints(conn, keys),
        cosignatures(conn, witnesses),
        _tiles(conn, made),
        events(conn, made, runs(conn)),
        _kept(conn, kept, keys, made),
    ):
        wrong = False
        for problem in step:
            wrong = True
            yield problem
        if wrong:  # what the next step would rest on does not hold
            return


def _nothing_left(conn: Connection[Any]) -> Iterator[Problem]:
    for table in ("tile", "run", "ledger_head"):
        if conn.execute(f"SELECT FROM proof.{table} LIMIT 1").fetchone() is not None:
            zh, en = f"没有检查点，proof.{table} 却有内容", f"there is no checkpoint, but something is in proof.{table}"
            yield Problem(0, "proof", "checkpoint", zh, en)
            return


def _keys(conn: Connection[Any], keys: Sequence[VerifierKey]) -> Iterator[Problem]:
    known = {one.text for one in keys}
    for one in keys_in_use(conn):
        if keys and one.verifier not in known:
            zh = f"公布的公钥 {one.verifier} 不在密钥文件中"
            yield Problem(0, "proof", "log key", zh, f"the published key {one.verifier} is not in the key file")


@dataclass(slots=True)
class _Signed:
    """What of a checkpoint's row is signed."""

    origin: str
    head: Head
    ledgers: Head


def _checkpoints(conn: Connection[Any], keys: Sequence[VerifierKey]) -> Iterator[Problem]:
    """Each is signed, says what its row says, and commits to the ledgers that are said to have been there."""
    verifiers = _verifiers(conn, keys)
    size, origin, position, ledgers = 0, None, 0, LedgerHeads()
    while found := checkpoints_after(conn, size, CHECKPOINTS):
        grown = ledgers_grown(conn, size, found[-1].head.size)
        between = set(grown) - {made.head.size for made in found}
        for made in found:
            name = f"checkpoint/{made.head.size}"
            try:
                signed = _signed(made, verifiers)
            except Unproven as error:
                zh = f"大小为 {made.head.size} 的检查点：{error.message}"
                en = f"the checkpoint of size {made.head.size}: {english(error)} ({error.rule})"
                yield Problem(made.position, name, "checkpoint", zh, en)
                return
            origin = origin or signed.origin
            if signed != _Signed(origin, made.head, made.ledgers) or made.position <= position:
                zh = f"大小为 {made.head.size} 的检查点与其所签署的文本不符"
                en = f"the checkpoint of size {made.head.size} is not what was signed"
                yield Problem(made.position, name, "checkpoint", zh, en)
                return
            position = made.position
            ledgers.put(grown.get(made.head.size, ()))
            if ledgers.head != made.ledgers:
                zh = f"各编号簿之首不是大小为 {made.head.size} 的检查点所承诺的"
                en = f"the ledgers' heads are not those that the checkpoint of size {made.head.size} commits to"
                yield Problem(made.position, _changed(conn, made), "ledger head", zh, en)
                return
        size = found[-1].head.size
        if between:
            yield _of_none(grown[min(between)][0].addressee)
            return
    for left in ledgers_grown(conn, size, 2**62).values():
        yield _of_none(left[0].addressee)
        return


def _kept(
    conn: Connection[Any], kept: Sequence[str], keys: Sequence[VerifierKey], made: Made | None
) -> Iterator[Problem]:
    """What the log itself has signed and others have kept is the beginning of what is here: else it was put back to an
    earlier state, or made anew."""
    for note in kept:
        try:
            known = opened(note, _verifiers(conn, keys))
            origin = known.origin if made is None else parse_checkpoint(parse_note(made.note.encode()).text).origin
            check_published(conn, note.encode(), made, origin)
        except Unproven as error:
            zh, en = (
                f"留存的检查点不成立：{error.message}",
                f"a checkpoint that was kept does not hold: {english(error)} ({error.rule})",
            )
            yield Problem(0, "checkpoint", "kept checkpoint", zh, en)
        except Contradiction as error:
            zh = f"此日志不是留存的大小为 {known.size} 的检查点的延续：曾被退回或重造"
            yield Problem(0, f"checkpoint/{known.size}", "kept checkpoint", zh, f"put back or made anew: {error}")


def _verifiers(conn: Connection[Any], keys: Sequence[VerifierKey]) -> list[NoteVerifier]:
    trusted = keys or [parse_verifier_key(one.verifier) for one in keys_in_use(conn)]
    return [NoteVerifier(one) for one in dict.fromkeys(trusted)]


def _of_none(addressee: str) -> Problem:
    zh, en = f"编号簿 {addressee} 之首有的不属于任何检查点", f"a head of the ledger {addressee} is of no checkpoint"
    return Problem(0, f"ledger/{addressee}", "ledger head", zh, en)


def _signed(made: Made, verifiers: Sequence[NoteVerifier]) -> _Signed:
    found = opened(made.note, verifiers)
    return _Signed(found.origin, found.head, committed(found))


def _changed(conn: Connection[Any], made: Made) -> str:
    """The ledgers that are said to have grown with it: it is one of them, or one that is missing."""
    grown = ledgers_grown(conn, made.head.size - 1, made.head.size).get(made.head.size, [])
    return ", ".join(f"ledger/{one.addressee}" for one in grown) or "ledger/"


def _tiles(conn: Connection[Any], made: Made) -> Iterator[Problem]:
    """Every tree's tiles give its roots at each of its sizes, and there is no other tree."""
    sizes = conn.execute("SELECT size, root FROM proof.checkpoint ORDER BY size", binary=True).fetchall()
    yield from tiles(conn, LOG, [Head(*one) for one in sizes])
    names = {one.addressee for one in ledgers_at(conn, made.head.size)}
    for name in sorted(names):
        heads = conn.execute(
            "SELECT entries, root FROM proof.ledger_head WHERE addressee = %b ORDER BY size", (name,), binary=True
        ).fetchall()
        yield from tiles(conn, name, [Head(*one) for one in heads])
    others = conn.execute(
        "SELECT DISTINCT tree FROM proof.tile WHERE tree <> ALL(%b) ORDER BY 1", ([LOG, *names],)
    ).fetchall()
    for (tree,) in others:
        yield Problem(
            0, f"ledger/{tree}", "tile", f"编号簿 {tree} 不存在，却有瓦片", f"no ledger {tree}, but it has tiles"
        )
