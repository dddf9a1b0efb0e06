"""Proofs out of what is integrated: made for HTTP, the command line and bundles alike. None: there is no such thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple

from psycopg import Connection

from adapters.postgres.checkpoints import Made, first_with, latest, ledgers_at, of_size
from adapters.postgres.cosignatures import cosignatures_of
from adapters.postgres.leaves import leaf_row_before, leaf_rows_at, leaf_rows_of_ledger
from adapters.postgres.trees import LOG, index_of, nodes, positions_between
from domain.armour import armoured
from domain.bundles import write_bundle
from domain.checkpoints import parse_checkpoint
from domain.leaves import Row, leaf, leaves
from domain.ledger_heads import LedgerHeads
from domain.log_proofs import (
    EventProof,
    GrowthProof,
    LedgerProof,
    event_proof,
    growth_proof,
    ledger_proof,
)
from domain.merkle_proofs import prove_consistency, prove_inclusion
from domain.notes import parse_note, parse_signature, with_signatures
from domain.signed_receipts import SeenCheckpoint
from domain.tiles import WIDTH, Tile


class Entry(NamedTuple):
    """An entry of a ledger: its event's row, the leaf that was made of it."""

    row: Row
    leaf: bytes


def checkpoint(conn: Connection[Any], size: int | None = None) -> Made | None:
    """The latest, or the one of this size, with the signatures of the witnesses that have cosigned it."""
    return cosigned(conn, latest(conn) if size is None else of_size(conn, size))


def cosigned(conn: Connection[Any], made: Made | None) -> Made | None:
    """With the witnesses' signatures behind the log's own."""
    lines = cosignatures_of(conn, made.head.size) if made is not None else []
    if made is None or not lines:
        return made
    return replace(made, note=with_signatures(made.note.encode(), map(parse_signature, lines)).decode())


def prove_event(
    conn: Connection[Any], position: int, size: int | None = None, earliest: bool = False
) -> EventProof | None:
    """That the event at a position is in the log, by a checkpoint: the latest, that of a size, or the earliest that
    has it."""
    index = index_of(conn, position)
    if index is None:
        return None
    made = cosigned(conn, first_with(conn, index)) if earliest else checkpoint(conn, size)
    if made is None or index >= made.head.size:
        return None
    read = nodes(conn, LOG, made.head.size)
    path = prove_inclusion(index, made.head.size, read)
    return event_proof(position, index, read(0, index), path, made.note)


def prove_growth(conn: Connection[Any], first: int, second: int | None = None) -> GrowthProof | None:
    """That the log of one checkpoint is the beginning of that of another, or of the latest."""
    one, other = checkpoint(conn, first), checkpoint(conn, second)
    if one is None or other is None or first > other.head.size:
        return None
    same = first == other.head.size
    path = [] if same else prove_consistency(first, other.head.size, nodes(conn, LOG, other.head.size))
    return growth_proof(one.note, other.note, path)


def prove_growth_from(conn: Connection[Any], kept: str) -> GrowthProof | None:
    """That the log goes on from a checkpoint that somebody has kept, whatever is said here of what was signed. None:
    the log is smaller now. Raises Unproven where that is no checkpoint."""
    size, made = parse_checkpoint(parse_note(kept.encode()).text).size, latest(conn)
    if made is None or size > made.head.size:
        return None
    path = [] if size == made.head.size else prove_consistency(size, made.head.size, nodes(conn, LOG, made.head.size))
    return growth_proof(kept, made.note, path)


def prove_ledger(conn: Connection[Any], addressee: str, size: int | None = None) -> LedgerProof | None:
    """How far an addressee's ledger had come by a checkpoint, or that it had none."""
    made = checkpoint(conn, size)
    if made is None:
        return None
    return ledger_proof(addressee, LedgerHeads(ledgers_at(conn, made.head.size)).prove(addressee), made.note)


def ledger_entries(
    conn: Connection[Any], addressee: str, after: int = 0, limit: int | None = None, up_to: int | None = None
) -> list[Entry]:
    """The entries with the next serials, as far as the log is integrated; up to a serial, or all."""
    made = latest(conn)
    if made is None:
        return []
    last = LedgerHeads(ledgers_at(conn, made.head.size)).size(addressee)
    last = min(one for one in (last, up_to, None if limit is None else after + limit) if one is not None)
    rows = leaf_rows_of_ledger(conn, addressee, after, last)
    return [Entry(row, entry) for row, entry in zip(rows, leaves(rows), strict=True)]


def entry_bundle(conn: Connection[Any], tile: Tile) -> bytes | None:
    """The leaves that stand where a tile of level 0 has their hashes (C2SP tlog-tiles)."""
    made = latest(conn)
    end = tile.index * WIDTH + tile.width
    if made is None or end > made.head.size:
        return None
    rows = leaf_rows_at(conn, positions_between(conn, tile.index * WIDTH, end))
    return write_bundle(leaves(rows)) if len(rows) == tile.width else None


def leaf_at(conn: Connection[Any], position: int) -> bytes | None:
    """The leaf of the event at a position as it is stored now: whether it is the one integrated, its hash tells."""
    row = leaf_row_before(conn, position + 1)
    return leaf(row) if row is not None and row.position == position else None


def standing_of(conn: Connection[Any], seen: SeenCheckpoint) -> Literal["same", "other", "unknown"]:
    """What somebody says that this log has signed, against what it has: the same, another of this size, or none."""
    made = of_size(conn, seen.size)
    if made is None:
        return "unknown"
    origin = parse_checkpoint(parse_note(made.note.encode()).text).origin
    return "same" if (origin, armoured(made.head.root)) == (seen.origin, seen.root) else "other"
