"""The signatures of submissions that made facts, and the bytes that they are over, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from domain.arrivals import Result
from domain.signatures import Signature

_COLUMNS = "key, digest, value, subjects, ciphertext"


def put_signatures(conn: Connection[Any], results: Sequence[Result]) -> None:
    """Those of what is now on record, be it accepted or a refused attempt; within the transaction of the events."""
    rows = [
        (one.source, one.id, *_fields(one.signature))
        for arrival, outcome, _ in results
        if outcome.events and (one := arrival.submission) is not None and one.signature is not None
    ]
    if rows:
        with conn.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO shenguan.signature (source, id, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)", rows
            )


def signature_of(conn: Connection[Any], source: str, id_: str) -> Signature | None:
    """That of a submission; None where there is none, or nothing came of it."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM shenguan.signature WHERE source = %s AND id = %s", (source, id_)
    ).fetchone()
    if row is None:
        return None
    key, digest, value, subjects, ciphertext = row
    return Signature(key=key, digest=digest, value=value, subjects=tuple(subjects), ciphertext=ciphertext)


def signatures_of(conn: Connection[Any], facts: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Signature]:
    """Those of these submissions, each by source and id, that have one."""
    if not facts:
        return {}
    rows = conn.execute(
        f"SELECT source, id, {_COLUMNS} FROM shenguan.signature"
        " JOIN (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS u (source, id)) AS f USING (source, id)",
        ([source for source, _ in facts], [id_ for _, id_ in facts]),
    )
    return {
        (source, id_): Signature(key=key, digest=digest, value=value, subjects=tuple(whose), ciphertext=ciphertext)
        for source, id_, key, digest, value, whose, ciphertext in rows
    }


def unsigned_facts(conn: Connection[Any], limit: int) -> list[str]:
    """Submissions of which a signature was kept, but none that is named by the fact that they made."""
    rows = conn.execute(
        "SELECT g.source || '/' || g.id FROM shenguan.signature AS g"
        " LEFT JOIN shenguan.submission AS s ON (s.source, s.id) = (g.source, g.id)"
        " AND s.disposition IN ('accepted', 'refused')"
        " LEFT JOIN shenguan.stored_events AS e ON e.originator_id = s.stream AND e.originator_version = s.version"
        " WHERE coalesce(convert_from(e.state, 'UTF8')::jsonb -> 'meta' -> 'signed', 'null') = 'null'"
        " ORDER BY 1 LIMIT %s",
        (limit,),
    )
    return [row[0] for row in rows]


def _fields(signature: Signature) -> tuple[Any, ...]:
    return (signature.key, signature.digest, signature.value, list(signature.subjects), signature.ciphertext)
