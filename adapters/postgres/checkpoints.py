"""Checkpoints that were signed, the ledgers' heads they commit to, and the verifier keys in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from domain.ledger_heads import LedgerHead
from domain.merkle import Head

MADE: Final = "checkpoint_made"
"""The channel on which it is told that there is a new one."""
_CHECKPOINTS = "SELECT size, position, root, ledgers, ledgers_root, note, made_at FROM proof.checkpoint"


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint as it was signed: `position` is that of its last leaf, `note` the signed note."""

    head: Head
    position: int
    ledgers: Head
    note: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A verifier key (C2SP signed-note), since when and until when checkpoints were signed with it."""

    verifier: str
    since: datetime
    until: datetime | None


def latest(conn: Connection[Any]) -> Made | None:
    """How far the log is integrated; None: no event is."""
    return _one(conn, "ORDER BY size DESC LIMIT 1")


def of_size(conn: Connection[Any], size: int) -> Made | None:
    return _one(conn, "WHERE size = %b", size)


def first_with(conn: Connection[Any], index: int) -> Made | None:
    """The earliest that has this leaf: by then the event was there."""
    return _one(conn, "WHERE size > %b ORDER BY size LIMIT 1", index)


def last_by(conn: Connection[Any], at: datetime) -> Made | None:
    """The last one that was made by a moment."""
    return _one(conn, "WHERE made_at <= %b ORDER BY size DESC LIMIT 1", at)


def checkpoints_after(conn: Connection[Any], size: int, limit: int) -> list[Made]:
    """The next ones, in their order."""
    return _all(conn, "WHERE size > %b ORDER BY size LIMIT %b", size, limit)


def put(
    conn: Connection[Any], head: Head, position: int, ledgers: Head, note: str, grown: Sequence[LedgerHead]
) -> None:
    """With the ledgers that have grown with it. Raises UniqueViolation where there is one of this size."""
    conn.execute(
        "INSERT INTO proof.checkpoint (size, position, root, ledgers, ledgers_root, note)"
        " VALUES (%b, %b, %b, %b, %b, %b)",
        (head.size, position, head.root, ledgers.size, ledgers.root, note),
        prepare=True,
    )
    conn.execute(
        "INSERT INTO proof.ledger_head (addressee, size, entries, root)"
        " SELECT a, %b, e, r FROM unnest(%b::text[], %b::int8[], %b::bytea[]) AS g (a, e, r)",
        (head.size, [one.addressee for one in grown], [one.size for one in grown], [one.root for one in grown]),
        prepare=True,
    )
    conn.execute(f"NOTIFY {MADE}")


def ledgers_at(conn: Connection[Any], size: int) -> list[LedgerHead]:
    """All ledgers' heads as the checkpoint of this size commits to them."""
    rows = conn.execute(
        "WITH RECURSIVE a (name) AS ((SELECT min(addressee) FROM proof.ledger_head) UNION ALL"
        " SELECT (SELECT min(addressee) FROM proof.ledger_head WHERE addressee > a.name) FROM a"
        " WHERE a.name IS NOT NULL) SELECT name, entries, root FROM a CROSS JOIN LATERAL (SELECT entries, root"
        " FROM proof.ledger_head WHERE addressee = a.name AND size <= %b ORDER BY size DESC LIMIT 1) AS h",
        (size,),
        binary=True,
        prepare=True,
    )
    return [LedgerHead(*row) for row in rows]


def ledgers_grown(conn: Connection[Any], after: int, up_to: int) -> dict[int, list[LedgerHead]]:
    """By the checkpoints' sizes, after one and up to another, the ledgers that have grown with each."""
    found: dict[int, list[LedgerHead]] = {}
    for size, *head in conn.execute(
        "SELECT size, addressee, entries, root FROM proof.ledger_head WHERE size > %b AND size <= %b",
        (after, up_to),
        binary=True,
        prepare=True,
    ):
        found.setdefault(size, []).append(LedgerHead(*head))
    return found


def keys_in_use(conn: Connection[Any]) -> list[KeyInUse]:
    """All that ever were, the first one first."""
    rows = conn.execute(
        "SELECT verifier, since, until FROM proof.key LEFT JOIN proof.key_end USING (verifier) ORDER BY since, verifier"
    )
    return [KeyInUse(*row) for row in rows]


def put_keys(conn: Connection[Any], keys: Iterable[KeyInUse]) -> None:
    """What is known already stays as it is."""
    for one in keys:
        conn.execute(
            "INSERT INTO proof.key VALUES (%b, %b) ON CONFLICT (verifier) DO NOTHING", (one.verifier, one.since)
        )
        if one.until is not None:
            conn.execute(
                "INSERT INTO proof.key_end VALUES (%b, %b) ON CONFLICT (verifier) DO NOTHING", (one.verifier, one.until)
            )


def _one(conn: Connection[Any], clause: str, *params: Any) -> Made | None:
    found = _all(conn, clause, *params)
    return found[0] if found else None


def _all(conn: Connection[Any], clause: str, *params: Any) -> list[Made]:
    rows = conn.execute(f"{_CHECKPOINTS} {clause}", params or None, binary=True, prepare=True)
    return [
        Made(Head(size, root), position, Head(ledgers, ledgers_root), note, made_at)
        for size, position, root, ledgers, ledgers_root, note, made_at in rows
    ]
