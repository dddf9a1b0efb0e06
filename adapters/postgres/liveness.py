"""Who does the work, and whether it lives: leases, and the figures that `shenguan status` shows."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Mapping
from typing import Any

from psycopg import Connection

LEASE_CLASS = 0x464F_4C4C  # apart from the writer's and the migrations' advisory locks


def take_lease(conn: Connection[Any], name: str) -> bool:
    """Whether this connection now leads under the name: until it ends, nobody else does."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (LEASE_CLASS, name), prepare=True).fetchone()
    return bool(row and row[0])


def show_alive(conn: Connection[Any], errors: Mapping[str, str | None]) -> None:
    """By name, why it has stopped. Whoever has not is alive, at rest or not."""
    conn.execute(
        "INSERT INTO shenguan.follower AS f (name, host, pid, alive_at, error)"
        " SELECT n, %s, %s, clock_timestamp(), e FROM unnest(%b::text[], %b::text[]) AS new (n, e)"
        " ON CONFLICT (name) DO UPDATE SET host = excluded.host, pid = excluded.pid, error = excluded.error,"
        " alive_at = CASE WHEN excluded.error IS NULL THEN excluded.alive_at ELSE f.alive_at END",
        (socket.gethostname(), os.getpid(), list(errors), list(errors.values())),
    )


def forget(conn: Connection[Any], beginning: str, but: Collection[str]) -> None:
    """Shows nobody any more whose name begins so, but these."""
    conn.execute(
        "DELETE FROM shenguan.follower WHERE starts_with(name, %b) AND name <> ALL(%b::text[])", (beginning, list(but))
    )
