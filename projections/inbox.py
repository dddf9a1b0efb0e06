"""A department's inbox: what it has still to receive, and what it received and has still to take into supervision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row

from projections.page import Slice, slice_after

Tray = Literal["outstanding", "untaken"]
_TRAYS: dict[Tray, str] = {
    "outstanding": "status = 'outstanding'",
    "untaken": "status = 'received' AND taken_at IS NULL AND root = 'decision' AND about <> 'duty_dispute'",
}


def inbox_slice(
    conn: Connection[Any],
    department: str,
    tray: Tray,
    after: Sequence[Any] | None,
    limit: int,
    *,
    about: str | None = None,
    matter: str | None = None,
) -> Slice:
    """By serial, the longest owed first."""
    conditions = {"department = %s": department, _TRAYS[tray]: True, "about = %s": about, "matter = %s": matter}
    return slice_after(conn, "read.receipts", conditions, ["serial"], after, limit, descending=False)


def trays(conn: Connection[Any], department: str) -> dict[Tray, int]:
    """How many lie in each."""
    counts = ", ".join(f"count(*) FILTER (WHERE {where}) AS {tray}" for tray, where in _TRAYS.items())
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(f"SELECT {counts} FROM read.receipts WHERE department = %s", (department,)).fetchone()
    assert found is not None
    return {tray: found[tray] for tray in _TRAYS}


def find_notice(conn: Connection[Any], department: str, serial: int) -> dict[str, Any] | None:
    """By its serial in the department's ledger."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM read.receipts WHERE department = %s AND serial = %s", (department, serial)
        ).fetchone()
