"""Rows of the log as leaves are made of them: nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from domain.leaves import Row
from domain.notices import ledger_stream

COLUMNS: Final = (
    "notification_id, (extract(epoch FROM recorded_at) * 1000000)::int8, convert_to(originator_id, 'UTF8'),"
    " originator_version, convert_to(topic, 'UTF8'), state"
)
"""In the order of `Row`."""
_ROWS = f"SELECT {COLUMNS} FROM shenguan.stored_events"


def leaf_rows_after(conn: Connection[Any], position: int, limit: int) -> list[Row]:
    """The next rows in log order."""
    return _rows(conn, "WHERE notification_id > %b ORDER BY notification_id LIMIT %b", position, limit)


def raw_rows_after(conn: Connection[Any], position: int, limit: int) -> list[Any]:
    """As `leaf_rows_after`, plain tuples in the order of `Row`: for whoever reads very many."""
    query = f"{_ROWS} WHERE notification_id > %b ORDER BY notification_id LIMIT %b"
    return conn.execute(query, (position, limit), binary=True, prepare=True).fetchall()


def leaf_row_before(conn: Connection[Any], position: int) -> Row | None:
    """The last row before a position."""
    found = _rows(conn, "WHERE notification_id < %b ORDER BY notification_id DESC LIMIT 1", position)
    return found[0] if found else None


def leaf_rows_at(conn: Connection[Any], positions: Iterable[int]) -> list[Row]:
    """Those of these positions that there are, in log order."""
    return _rows(conn, "WHERE notification_id = ANY(%b::int8[]) ORDER BY notification_id", list(positions))


def leaf_rows_of_ledger(conn: Connection[Any], addressee: str, after: int, up_to: int) -> list[Row]:
    """The entries with serials after one, up to another, in their order."""
    clause = (
        "WHERE originator_id = %b AND originator_version > %b AND originator_version <= %b ORDER BY originator_version"
    )
    return _rows(conn, clause, ledger_stream(addressee), after, up_to)


def count_later(conn: Connection[Any], addressee: str, after: int, at: datetime) -> int:
    """How many entries with serials after one were recorded by a moment."""
    row = conn.execute(
        "SELECT count(*) FROM shenguan.stored_events"
        " WHERE originator_id = %b AND originator_version > %b AND recorded_at <= %b",
        (ledger_stream(addressee), after, at),
    ).fetchone()
    return int(row[0]) if row else 0


def _rows(conn: Connection[Any], clause: str, *params: Any) -> list[Row]:
    found = conn.execute(f"{_ROWS} {clause}", params, binary=True, prepare=True)
    return [Row._make(row) for row in found]
