"""Figures over the read models. Real receipts, deemed ones and moved notices are counted apart."""

from __future__ import annotations

from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row


def notices_of_decisions(conn: Connection[Any]) -> dict[str, int]:
    """`first`: not born of a move; owed = received + deemed + moved + outstanding at any moment."""
    return _one(
        conn,
        "SELECT count(*) FILTER (WHERE origin IS NULL) AS first, count(*) AS owed, count(dispatched_at) AS dispatched,"
        " count(delivered_at) AS delivered, count(*) FILTER (WHERE status = 'received') AS received,"
        " count(*) FILTER (WHERE status = 'deemed') AS deemed, count(*) FILTER (WHERE status = 'moved') AS moved,"
        " count(*) FILTER (WHERE status = 'outstanding') AS outstanding"
        " FROM read.receipts WHERE root = 'decision'",
    )


def decisions(conn: Connection[Any]) -> int:
    """Cases that were decided, granted or not, legacy stock included."""
    return _one(conn, "SELECT count(decision_position) AS n FROM read.approvals")["n"]


def seals(conn: Connection[Any]) -> dict[str, int]:
    """Seal actions applied, and attempts at a second seal or a demand for one refused (2.7)."""
    return _one(
        conn,
        "SELECT (SELECT coalesce(sum(seals), 0)::int8 FROM read.approvals) AS applied,"
        " (SELECT count(*) FROM read.attempts WHERE rule LIKE 'seal.%') AS refused",
    )


def overdue(conn: Connection[Any], today: date) -> int:
    """Outstanding notices past their due date, of any kind; those whose date nobody can say are none of them."""
    query = "SELECT count(*) AS n FROM read.receipts WHERE status = 'outstanding' AND due_on < %s"
    return _one(conn, query, today)["n"]


def _one(conn: Connection[Any], query: str, *params: Any) -> dict[str, int]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, params or None).fetchone()
    assert found is not None
    return found
