"""Licences on a date: where each stands, who answers for it, and of which nobody does (2.8).

Queries over `approvals`, `receipts` and `inspections`; the rules are those of `domain/licences.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.sql import Literal

from projections.page import Page, page

_STATUS = """CASE
    WHEN ended_on <= {day} THEN ended_by
    WHEN penalised_on <= {day} THEN 'penalised'
    WHEN suspensions IS NOT NULL AND EXISTS (SELECT FROM {spans} WHERE s.by = '' AND {covers}) THEN 'stopped'
    WHEN suspensions IS NOT NULL AND EXISTS (SELECT FROM {spans} WHERE {covers}) THEN 'suspended'
    WHEN valid_from > {day} THEN 'not_yet'
    WHEN valid_to < {day} THEN 'expired'
    ELSE 'in_force' END"""
_HOLDS = "r.case_stream = a.stream AND r.root = 'decision' AND r.moved_at IS NULL"
_ANSWERS = f"{_HOLDS} AND r.about <> 'duty_dispute' AND r.department <> ALL({{ceased}})"


def find_licences(
    conn: Connection[Any],
    on: date,
    *,
    ceased: Collection[str] = (),
    supervisor: str | None = None,
    in_charge: Collection[str] = (),
    matter: str | None = None,
    number: str | None = None,
    status: str | None = None,
    unsupervised: Collection[str] | None = None,
    never_inspected: bool = False,
    limit: int = 50,
) -> Page:
    """Permits decided by that day, the latest first, each with its `status` and its `supervisors` by their notices.

    `ceased`: departments that are no more, and answer for nothing. `supervisor`: only those for which it answers, by a
    notice, or as it is `in_charge` of these matters where nobody was told. `unsupervised`: only those standing of which
    nobody answers; its matters are those of which nobody is in charge. `never_inspected`: only those standing that a
    supervisor has received and never inspected; `never_inspected_by` names them.
    """

    def written(codes: Collection[str]) -> str:
        return f"{Literal(sorted(codes)).as_string(conn)}::text[]"

    day = f"DATE '{on.isoformat()}'"
    status_sql = _STATUS.format(
        day=day,
        spans='jsonb_to_recordset(suspensions) AS s ("by" text, since date, until date)',
        covers=f"s.since <= {day} AND {day} <= coalesce(s.until, 'infinity')",
    )
    answers = _ANSWERS.format(ceased=written(ceased))
    lazy = (
        f"SELECT r.department FROM read.receipts AS r WHERE {answers} AND r.received_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM read.inspections AS i WHERE i.case_stream = a.stream"
        f" AND i.department = r.department AND i.retracted_at IS NULL AND i.inspected_on <= {day})"
    )
    source = (
        f"(SELECT a.*, a.licence_status AS standing, ARRAY(SELECT r.department FROM read.receipts AS r WHERE {answers}"
        f" ORDER BY r.department) AS supervisors, ARRAY({lazy} ORDER BY r.department) AS never_inspected_by,"
        f" EXISTS (SELECT FROM read.receipts AS r WHERE {_HOLDS}) AS told"
        f" FROM (SELECT *, {status_sql} AS licence_status FROM read.approvals"
        f" WHERE outcome = 'granted' AND decided_on <= {day}) AS a) AS l"
    )
    standing = "standing IN ('in_force', 'suspended', 'stopped')"
    conditions: dict[str, Any] = {
        "matter = %s": matter,
        "number = %s": number,
        "standing = %s": status,
        standing: True if unsupervised is not None or never_inspected else None,
        "cardinality(never_inspected_by) > 0": never_inspected or None,
    }
    if supervisor is not None:
        own = f"NOT told AND matter = ANY({written(in_charge)})"
        conditions[f"(%s = ANY(supervisors) OR ({own}))"] = supervisor
    if unsupervised is not None:
        conditions["cardinality(supervisors) = 0 AND (told OR matter = ANY(%s))"] = sorted(unsupervised)
    return page(conn, source, conditions, "decided_on DESC, last_position DESC", limit)
