"""Witnesses' signatures over checkpoints, as they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.checkpoints import MADE


@dataclass(frozen=True, slots=True)
class Cosigned:
    """`line`: the signature line of the note of this size, without its newline; `at`: when it came."""

    size: int
    verifier: str
    line: str
    at: datetime


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
    """The first of a witness for a size stays. What was verified before, and nothing else, is put here."""
    with conn.transaction():
        conn.execute("INSERT INTO proof.witness VALUES (%b) ON CONFLICT (verifier) DO NOTHING", (verifier,))
        conn.execute(
            "INSERT INTO proof.cosignature VALUES (%b, %b, %b) ON CONFLICT (size, verifier) DO NOTHING",
            (size, verifier, line),
        )
        conn.execute(f"NOTIFY {MADE}")  # there is more to publish of the same checkpoint


def lines_at(conn: Connection[Any], size: int) -> list[str]:
    """The signature lines for a checkpoint, in the order in which they came."""
    rows = conn.execute(
        "SELECT line FROM proof.cosignature WHERE size = %b ORDER BY at, verifier", (size,), prepare=True
    )
    return [line for (line,) in rows]


def last_cosigned(conn: Connection[Any], verifier: str) -> int:
    """The largest size that a witness has cosigned; 0: none."""
    row = conn.execute(
        "SELECT coalesce(max(size), 0) FROM proof.cosignature WHERE verifier = %b", (verifier,)
    ).fetchone()
    return int(row[0]) if row is not None else 0


def size_with(conn: Connection[Any], witnesses: int) -> int | None:
    """The largest size that so many witnesses have cosigned; keys of one name are one witness's."""
    row = conn.execute(
        "SELECT size FROM proof.cosignature GROUP BY size HAVING count(DISTINCT split_part(verifier, '+', 1)) >= %b"
        " ORDER BY size DESC LIMIT 1",
        (witnesses,),
        prepare=True,
    ).fetchone()
    return row[0] if row is not None else None


def heard(conn: Connection[Any]) -> list[Heard]:
    """All witnesses that ever cosigned, by name."""
    rows = conn.execute(
        "SELECT verifier, since, size, at FROM proof.witness CROSS JOIN LATERAL (SELECT size, at FROM proof.cosignature"
        " WHERE cosignature.verifier = witness.verifier ORDER BY size DESC LIMIT 1) AS c ORDER BY verifier"
    )
    return [Heard(*row) for row in rows]


def cosignatures_after(conn: Connection[Any], size: int, limit: int) -> list[Cosigned]:
    """Those of the next sizes at which there are any, whole sizes only; about so many."""
    rows = conn.execute(
        "SELECT size, verifier, line, at FROM proof.cosignature WHERE size > %b AND size <= coalesce((SELECT size"
        " FROM proof.cosignature WHERE size > %b ORDER BY size OFFSET %b LIMIT 1), 9223372036854775807)"
        " ORDER BY size, verifier",
        (size, size, limit),
    )
    return [Cosigned(*row) for row in rows]
