"""日志证明: what is handed to others as JSON, and how they check it; bytes in base64.

A checkpoint is the text of a signed note (C2SP). Every check begins by opening it: whoever checks brings the log's
verifier keys, from elsewhere than the proof. A check raises Unproven or gives what it has shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.armour import armoured, unarmoured
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.leaves import Leaf, parse_leaf
from domain.ledger_heads import Absence, LedgerHead, Placed, committed, verify_absence, verify_placed
from domain.merkle import Head, ProofError, leaf_hash, leaf_hashes, tree_hash
from domain.merkle_proofs import verify_growth, verify_inclusion
from domain.note_keys import KeyKind, NoteError
from domain.notes import Verifier, open_note, parse_note


class _Proof(BaseModel):
    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class Policy:
    """Of these witnesses at least so many must have cosigned; keys of one name are one witness's."""

    witnesses: tuple[Verifier, ...] = ()
    least: int = 0


UNWITNESSED: Final = Policy()


class EventProof(_Proof):
    """That the event at `position` is leaf `index` (from 0) of the log. `leaf_hash` is that of its leaf; `path`, from
    the leaves up, leads to the checkpoint's root (RFC 9162 §2.1.3)."""

    position: int
    index: int
    leaf_hash: str
    path: list[str]
    checkpoint: str


class GrowthProof(_Proof):
    """That the log of the checkpoint `first` is the beginning of that of `second` (RFC 9162 §2.1.4)."""

    first: str
    second: str
    path: list[str]


class PlacedLedger(_Proof):
    """A ledger's head at `index` of the tree of all ledgers' heads, and the path to that tree's root."""

    addressee: str
    size: int
    root: str
    index: int
    path: list[str]


class LedgerProof(_Proof):
    """How far an addressee's ledger has come by a checkpoint: `ledger`, or, where it has none, the neighbours between
    which it would stand."""

    addressee: str
    ledger: PlacedLedger | None
    left: PlacedLedger | None
    right: PlacedLedger | None
    checkpoint: str


def event_proof(position: int, index: int, hash_: bytes, path: Sequence[bytes], checkpoint: str) -> EventProof:
    return EventProof(
        position=position, index=index, leaf_hash=armoured(hash_), path=_texts(path), checkpoint=checkpoint
    )


def growth_proof(first: str, second: str, path: Sequence[bytes]) -> GrowthProof:
    return GrowthProof(first=first, second=second, path=_texts(path))


def ledger_proof(addressee: str, found: Placed | Absence, checkpoint: str) -> LedgerProof:
    placed = found if isinstance(found, Placed) else None
    left, right = (found.left, found.right) if isinstance(found, Absence) else (None, None)
    return LedgerProof(
        addressee=addressee,
        ledger=_placed_text(placed),
        left=_placed_text(left),
        right=_placed_text(right),
        checkpoint=checkpoint,
    )


def opened(
    checkpoint: str, verifiers: Iterable[Verifier], origin: str | None = None, policy: Policy = UNWITNESSED
) -> Checkpoint:
    """The checkpoint, if one of these keys that is of its log's name signed it (another log's speaks for that log, a
    witness's for nobody's growth), it is of that log, and as many witnesses as the policy wants have cosigned. Raises
    Unproven, `proof.witnesses` where fewer have."""
    data = checkpoint.encode()
    found = parse_checkpoint(parse_note(data).text)
    open_note(data, [one for one in verifiers if one.name == found.origin and one.kind is KeyKind.ED25519])
    if origin is not None and found.origin != origin:
        raise ProofError("proof.origin", "检查点不是此日志的")
    if policy.least > 0:
        seen = cosigners(data, policy.witnesses)
        if len(seen) < policy.least:
            raise ProofError("proof.witnesses", f"须有{policy.least}个见证方的见证签名，只有{len(seen)}个")
    return found


def cosigners(checkpoint: bytes, witnesses: Sequence[Verifier]) -> set[str]:
    """The names of those who have cosigned. Raises NoteError, `note.forged` where a signature in the name of one of
    them does not verify."""
    try:
        return {one.name for one in open_note(checkpoint, witnesses).verified}
    except NoteError as error:
        if error.rule != "note.unsigned":
            raise
        return set()


def check_event(
    proof: EventProof, verifiers: Iterable[Verifier], leaf: bytes | None = None, policy: Policy = UNWITNESSED
) -> Leaf | None:
    """That the event was in the log by the checkpoint; with its leaf's bytes, that it is this event, whose parts are
    given. Raises Unproven, `proof.leaf` where the leaf is not what the proof is of."""
    head = opened(proof.checkpoint, verifiers, policy=policy).head
    hash_ = _bytes(proof.leaf_hash)
    verify_inclusion(hash_, proof.index, _all_bytes(proof.path), head)
    if leaf is None:
        return None
    found = parse_leaf(leaf)
    if leaf_hash(leaf) != hash_ or found.position != proof.position:
        raise ProofError("proof.leaf", "所给的叶不是此证明所证的事件")
    return found


def check_growth(proof: GrowthProof, verifiers: Iterable[Verifier], policy: Policy = UNWITNESSED) -> None:
    """That nothing was lost or altered between the two, of which the policy speaks of the second. Raises Unproven."""
    known = list(verifiers)
    first, second = opened(proof.first, known), opened(proof.second, known, policy=policy)
    if first.origin != second.origin:
        raise ProofError("proof.origin", "两个检查点不是同一日志的")
    verify_growth(first.head, second.head, _all_bytes(proof.path))


def check_ledger(proof: LedgerProof, verifiers: Iterable[Verifier], policy: Policy = UNWITNESSED) -> Head:
    """How many entries the addressee's ledger had by the checkpoint, and their root; 0 entries where it has none.
    Raises Unproven."""
    ledgers = committed(opened(proof.checkpoint, verifiers, policy=policy))
    if proof.ledger is None:
        absence = Absence(_placed(proof.left), _placed(proof.right))
        verify_absence(proof.addressee, absence, ledgers)
        return Head(0, tree_hash(()))
    placed = _placed(proof.ledger)
    assert placed is not None
    if placed.ledger.addressee != proof.addressee:
        raise ProofError("ledger.addressee", "证明中的编号簿是别的部门的")
    verify_placed(placed, ledgers)
    return placed.ledger.head


def check_complete(addressee: str, entries: Sequence[bytes], ledger: Head) -> None:
    """That these leaves, serial 1 first, are all the notices addressed to it, none missing and none added: `ledger` is
    what `check_ledger` gave. Raises Unproven, `ledger.count`, `ledger.serial` or `ledger.entries`."""
    if len(entries) != ledger.size:
        raise ProofError("ledger.count", f"编号簿应有{ledger.size}条，实有{len(entries)}条")
    for serial, entry in enumerate(entries, 1):
        found = parse_leaf(entry)
        if (found.stream, found.version) != (f"ledger/{addressee}", serial):
            raise ProofError("ledger.serial", f"编号簿第{serial}条不是该部门的第{serial}号")
    if tree_hash(leaf_hashes(entries)) != ledger.root:
        raise ProofError("ledger.entries", "编号簿各条与检查点承诺的根不符")


def check_kept(kept: Sequence[bytes], found: Sequence[bytes]) -> None:
    """That a ledger, as the leaf hashes of its entries, still begins with what its addressee has kept of it. Raises
    Unproven, `ledger.withheld` or `ledger.altered`, naming the first serial that is not as it was."""
    for serial, hash_ in enumerate(kept, 1):
        if serial > len(found):
            raise ProofError("ledger.withheld", f"曾告知的第{serial}号已不在编号簿中")
        if found[serial - 1] != hash_:
            raise ProofError("ledger.altered", f"编号簿第{serial}号已不是曾告知的那一件")


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [armoured(one) for one in hashes]


def _bytes(text: str) -> bytes:
    try:
        return unarmoured(text)
    except ValueError:
        raise ProofError("proof.hash", "散列值须为规范的base64") from None


def _all_bytes(texts: Iterable[str]) -> list[bytes]:
    return [_bytes(one) for one in texts]


def _placed_text(placed: Placed | None) -> PlacedLedger | None:
    if placed is None:
        return None
    name, size, root = placed.ledger
    return PlacedLedger(addressee=name, size=size, root=armoured(root), index=placed.index, path=_texts(placed.path))


def _placed(text: PlacedLedger | None) -> Placed | None:
    if text is None:
        return None
    head = LedgerHead(text.addressee, text.size, _bytes(text.root))
    return Placed(head, text.index, tuple(_all_bytes(text.path)))
