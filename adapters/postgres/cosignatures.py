"""Witnesses' signatures under checkpoints, as they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.checkpoints import MADE


@dataclass(frozen=True, slots=True)
class Cosigned:
    """`verifier`: the witness's key, as C2SP signed-note writes it; `line`: the signature line of the note of this
    size, without its newline."""

    size: int
    verifier: str
    line: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A witness that was heard of, since when; the largest size that it cosigned, and when that came."""

    verifier: str
    since: datetime
    size: int
    at: datetime

    @property
    def name(self) -> str:
        return self.verifier.partition("+")[0]


def put_cosignature(conn: Connection[Any], size: int, verifier: str, line: str) -> None:
    """The first of a witness for a size stays. What was verified before, and nothing else, is put here. Raises
    ForeignKeyViolation where no such size was signed."""
    with conn.transaction():
        conn.execute(
            "INSERT INTO proof.cosignature (size, witness, line) VALUES (%b, %b, %b) ON CONFLICT DO NOTHING",
            (size, verifier, line),
        )
        conn.execute(f"NOTIFY {MADE}")  # there is more to publish of the same checkpoint


def lines_at(conn: Connection[Any], size: int) -> list[str]:
    """The signature lines for a checkpoint, in the order in which they came."""
    query = "SELECT line FROM proof.cosignature WHERE size = %b ORDER BY received_at, witness"
    return [line for (line,) in conn.execute(query, (size,), prepare=True)]


def last_cosigned(conn: Connection[Any], verifier: str) -> int:
    """The largest size that a witness has cosigned as far as is known here; 0: none."""
    row = conn.execute("SELECT max(size) FROM proof.cosignature WHERE witness = %b", (verifier,)).fetchone()
    return int(row[0] or 0) if row is not None else 0


def size_with(conn: Connection[Any], witnesses: int) -> int | None:
    """The largest size that so many witnesses have cosigned; keys of one name are one witness's."""
    row = conn.execute(
        "SELECT size FROM proof.cosignature GROUP BY size HAVING count(DISTINCT split_part(witness, '+', 1)) >= %b"
        " ORDER BY size DESC LIMIT 1",
        (witnesses,),
        prepare=True,
    ).fetchone()
    return row[0] if row is not None else None


def heard(conn: Connection[Any]) -> list[Heard]:
    """All witnesses that ever cosigned, by name: each is found by one step through the index."""
    rows = conn.execute(
        "WITH RECURSIVE w (name) AS ((SELECT min(witness) FROM proof.cosignature) UNION ALL"
        " SELECT (SELECT min(witness) FROM proof.cosignature WHERE witness > w.name) FROM w WHERE w.name IS NOT NULL)"
        " SELECT name, first.received_at, last.size, last.received_at FROM w"
        " CROSS JOIN LATERAL (SELECT received_at FROM proof.cosignature WHERE witness = name ORDER BY size LIMIT 1)"
        " AS first CROSS JOIN LATERAL (SELECT size, received_at FROM proof.cosignature WHERE witness = name"
        " ORDER BY size DESC LIMIT 1) AS last ORDER BY 1"
    )
    return [Heard(*row) for row in rows]


def cosignatures_after(conn: Connection[Any], size: int, limit: int) -> list[Cosigned]:
    """Those of the next sizes at which there are any, whole sizes only; about so many."""
    rows = conn.execute(
        "SELECT size, witness, line FROM proof.cosignature WHERE size > %b AND size <= coalesce((SELECT size"
        " FROM proof.cosignature WHERE size > %b ORDER BY size OFFSET %b LIMIT 1), 9223372036854775807)"
        " ORDER BY size, witness",
        (size, size, limit),
    )
    return [Cosigned(*row) for row in rows]
