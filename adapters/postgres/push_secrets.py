"""The vault's table of the secrets with which pushes are signed, wrapped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import Connection


def valid_secrets(conn: Connection[Any], department: str) -> list[bytes]:
    """The present one first, and its predecessor while that is still signed with."""
    rows = conn.execute(
        "SELECT wrapped FROM vault.push_secret WHERE department = %b AND (until IS NULL OR until > clock_timestamp())"
        " ORDER BY number DESC",
        (department,),
        prepare=True,
    )
    return [row[0] for row in rows]


def add_secret(conn: Connection[Any], department: str, wrapped: bytes, keep: timedelta) -> int:
    """Its number. The present one stays valid for a while; any before that ends now, so that there are two at most."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('push_secret'), hashtext(%b))", (department,))
        conn.execute(
            "UPDATE vault.push_secret SET until = CASE WHEN until IS NULL THEN clock_timestamp() + %b"
            " ELSE least(until, clock_timestamp()) END WHERE department = %b",
            (keep, department),
        )
        row = conn.execute(
            "INSERT INTO vault.push_secret (department, number, wrapped)"
            " SELECT %b, coalesce(max(number), 0) + 1, %b FROM vault.push_secret WHERE department = %b"
            " RETURNING number",
            (department, wrapped, department),
        ).fetchone()
    assert row is not None
    return int(row[0])


def with_secrets(conn: Connection[Any]) -> set[str]:
    """The departments that have one."""
    return {row[0] for row in conn.execute("SELECT department FROM vault.push_secret WHERE until IS NULL")}
