"""The signatures of submissions that made facts, and the bytes that they are over, sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    return signatures_of(conn, [(source, id_)]).get((source, id_))


def signatures_of(conn: Connection[Any], submissions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Signature]:
    """Those of these submissions, each by source and id, that there are."""
    names = list(submissions)
    rows = conn.execute(
        f"SELECT source, id, {_COLUMNS} FROM shenguan.signature JOIN unnest(%s::text[], %s::text[]) AS n (s, i)"
        " ON source = s AND id = i",
        ([source for source, _ in names], [id_ for _, id_ in names]),
    )
    return {
        (source, id_): Signature(key=key, digest=digest, value=value, subjects=tuple(subjects), ciphertext=ciphertext)
        for source, id_, key, digest, value, subjects, ciphertext in rows
    }


def _fields(signature: Signature) -> tuple[Any, ...]:
    return (signature.key, signature.digest, signature.value, list(signature.subjects), signature.ciphertext)
