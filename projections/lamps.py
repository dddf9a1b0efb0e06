"""Lamps 电子监察 over all that runs: notices to be received, findings to be answered, tasks, cases (3.3d)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from projections.page import Page

_LAMP = """CASE WHEN suspended_on IS NOT NULL THEN 'paused' WHEN due_on IS NULL THEN 'unknown'
    WHEN due_on < %(today)s THEN 'red' WHEN yellow_on <= %(today)s THEN 'yellow' ELSE 'green' END"""
_COUNTED = "department, due_on, yellow_on, suspended_on"
_SHOWN = f"{_COUNTED}, case_stream, matter, due_limit, due_document, due_calendar, rungs, pressed_at"


def _running(department: str | None, kind: str | None, shown: bool) -> str:
    """Conditions only for what is given, and only the columns that are wanted: the rest would keep the planner from an
    index that has all it needs."""
    wheres = [
        f"{name} = %({name})s" for name, value in (("department", department), ("kind", kind)) if value is not None
    ]
    columns, notice, subject = (
        (_SHOWN, "'notice/' || notice AS subject, ", "subject, ") if shown else (_COUNTED, "", "")
    )
    return f"""
SELECT *, {_LAMP} AS lamp FROM (
    SELECT {notice}CASE about WHEN 'stop_execution' THEN 'receive_urgent' ELSE 'receive' END AS kind, {columns}
    FROM read.receipts WHERE status = 'outstanding' AND about NOT IN ('reminder', 'escalation')
    UNION ALL SELECT {subject}kind, {columns} FROM read.clocks WHERE ended_on IS NULL) AS one
WHERE {" AND ".join(wheres) or "true"}"""


def lamps(
    conn: Connection[Any], today: date, department: str | None = None, kind: str | None = None
) -> list[dict[str, Any]]:
    """How many of each department's clocks show which lamp, cases left out: department, kind, lamp, count."""
    given = {"today": today, "department": department, "kind": kind}
    query = (
        f"SELECT department, kind, lamp, count(*) AS count FROM ({_running(department, kind, shown=False)}) AS r"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, given).fetchall()


def running(
    conn: Connection[Any], today: date, lamp: str, department: str | None, kind: str | None, limit: int
) -> Page:
    """Those that show a lamp, cases left out, what is due first coming first."""
    given = {"today": today, "department": department, "kind": kind, "lamp": lamp, "limit": limit}
    shown = f"FROM ({_running(department, kind, shown=True)}) AS r WHERE lamp = %(lamp)s"
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"SELECT * {shown} ORDER BY due_on, subject LIMIT %(limit)s", given).fetchall()
        counted = cursor.execute(f"SELECT count(*) AS n {shown}", given).fetchone()
    assert counted is not None
    return Page(counted["n"], rows)


def undecided(conn: Connection[Any], promised: Sequence[str], department: str | None = None) -> list[dict[str, Any]]:
    """Cases that are to be decided by a day: stream, department, matter, decide_by; and of the matters of which
    something is promised also those without that day."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT stream, department, matter, decide_by FROM read.approvals WHERE outcome IS NULL"
            " AND (decide_by IS NOT NULL OR matter = ANY(%s)) AND department = coalesce(%s, department)"
            " ORDER BY decide_by, stream",
            (list(promised), department),
        ).fetchall()
