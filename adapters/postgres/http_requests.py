"""What callers have handed in over HTTP, by the keys that they gave it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

_COLUMNS = "digest, id, type, department, occurred_at, created_at"


class HttpRequest(NamedTuple):
    """`digest`: of what was asked; `id`, `type`, `occurred_at`: of the submission that it became."""

    digest: bytes
    id: str
    type: str
    department: str
    occurred_at: datetime
    created_at: datetime


def begin(conn: Connection[Any], caller: str, key: str, request: HttpRequest) -> HttpRequest:
    """The caller's request under that key: this one, or what it was before."""
    conn.execute(
        f"INSERT INTO shenguan.http_request (caller, key, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (caller, key) DO NOTHING",
        (caller, key, *request),
    )
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM shenguan.http_request WHERE caller = %s AND key = %s", (caller, key)
    ).fetchone()
    assert row is not None
    return HttpRequest(*row)


def find(conn: Connection[Any], id_: str) -> HttpRequest | None:
    """The request that became the submission of that id."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM shenguan.http_request WHERE id = %s", (id_,)).fetchone()
    return HttpRequest(*row) if row is not None else None


def forget(conn: Connection[Any], before: datetime, limit: int) -> int:
    """Those that were begun before a moment, at most so many; how many."""
    return conn.execute(
        "DELETE FROM shenguan.http_request WHERE (caller, key) IN (SELECT caller, key FROM shenguan.http_request"
        " WHERE created_at < %s ORDER BY created_at LIMIT %s)",
        (before, limit),
    ).rowcount
