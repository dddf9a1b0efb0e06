"""Witnesses' signatures under checkpoints."""

from __future__ import annotations

from typing import Any

from psycopg import Connection


def put_cosignature(conn: Connection[Any], size: int, witness: str, line: str) -> None:
    """The first one that a witness gave for a size stays. Raises ForeignKeyViolation where no such size was signed."""
    conn.execute(
        "INSERT INTO proof.cosignature (size, witness, line) VALUES (%b, %b, %b) ON CONFLICT DO NOTHING",
        (size, witness, line),
    )


def cosignatures_of(conn: Connection[Any], size: int) -> list[str]:
    """The lines, in the order in which they came."""
    rows = conn.execute(
        "SELECT line FROM proof.cosignature WHERE size = %b ORDER BY received_at, witness", (size,), prepare=True
    )
    return [line for (line,) in rows]


def last_cosigned(conn: Connection[Any], witness: str) -> int:
    """The largest size that the witness has cosigned as far as is known here; 0: none."""
    row = conn.execute("SELECT coalesce(max(size), 0) FROM proof.cosignature WHERE witness = %b", (witness,)).fetchone()
    return int(row[0]) if row else 0
