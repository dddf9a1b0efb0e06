"""Licences on a date: where each stands, who answers for it, and of which nobody does (2.8).

Queries over `approvals`, `receipts` and `inspections`; the rules are those of `domain/licences.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.sql import Literal

from projections.page import Page, Slice, page, slice_after
from projections.two_way import SINCE_KNOWN, of_party

_STATUS = """CASE
    WHEN ended_on <= {day} THEN ended_by
    WHEN penalised_on <= {day} THEN 'penalised'
    WHEN suspensions IS NOT NULL AND EXISTS (SELECT FROM {spans} WHERE s.by = '' AND {covers}) THEN 'stopped'
    WHEN suspensions IS NOT NULL AND EXISTS (SELECT FROM {spans} WHERE {covers}) THEN 'suspended'
    WHEN valid_from > {day} THEN 'not_yet'
    WHEN CASE WHEN terms IS NULL THEN valid_to ELSE
        coalesce((SELECT coalesce(t.until, 'infinity') FROM jsonb_to_recordset(terms) AS t (since date, until date)
        WHERE t.since <= {day} ORDER BY t.since DESC LIMIT 1), valid_to) END < {day} THEN 'expired'
    ELSE 'in_force' END"""
_HOLDS = "r.case_stream = a.stream AND r.root = 'decision' AND r.moved_at IS NULL"
_KEY = ["decision_position"]
_NAMED = "stream, decision_position"
_STANDING = "standing IN ('in_force', 'suspended', 'stopped')"
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
    notice, or as it is `in_charge` of these matters where nobody was told as they were routed. `unsupervised`: only
    those standing of which nobody answers; its matters are those of which nobody is in charge. `never_inspected`: only
    those standing that a supervisor has received and never inspected; `never_inspected_by` names them.
    """

    source = _source(conn, on, ceased, lone=unsupervised is not None)
    conditions: dict[str, Any] = {
        "matter = %s": matter,
        "number = %s": number,
        "standing = %s": status,
        _STANDING: True if unsupervised is not None or never_inspected else None,
        "cardinality(never_inspected_by) > 0": never_inspected or None,
    }
    if supervisor is not None:
        own = f"NOT routed AND matter = ANY({_written(conn, in_charge)})"
        conditions[f"(%s = ANY(supervisors) OR ({own}))"] = supervisor
    if unsupervised is not None:
        conditions["(routed OR matter = ANY(%s))"] = sorted(unsupervised)
    return page(conn, source, conditions, "decided_on DESC, last_position DESC", limit)


def licences_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    on: date,
    ceased: Collection[str] = (),
    party: str | None = None,
    organ: str | None = None,
    matter: str | None = None,
    number: str | None = None,
    status: str | None = None,
    unsupervised: Collection[str] | None = None,
    standing: bool = False,
) -> Slice:
    """Permits decided by that day, from the last recorded decision on, by `decision_position`, each with its `stream`;
    `party`: of cases to which that department is one.

    Which notices there are goes by what the reader sees: with `unsupervised` (as in `find_licences`) none is left out
    of which nobody answers, but some may be among them that are supervised.
    """
    conditions: dict[str, Any] = {
        "party = %s": party,
        "organ = %s": organ,
        "matter = %s": matter,
        "number = %s": number,
        "standing = %s": status,
        _STANDING: True if unsupervised is not None or standing else None,
    }
    if unsupervised is not None:
        conditions["(routed OR matter = ANY(%s))"] = sorted(unsupervised)
    source = _source(conn, on, ceased, party, lone=unsupervised is not None)
    return slice_after(conn, source, conditions, _KEY, after, limit, columns=_NAMED)


def granted_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    known_at: datetime,
    party: str | None = None,
    organ: str | None = None,
    number: str | None = None,
) -> Slice:
    """As `licences_slice`, those whose decisions were recorded by a moment, whatever was to become of them."""
    conditions: dict[str, Any] = {
        "outcome = 'granted'": True,
        "decision_recorded_at <= %s": known_at,
        "department = %s": organ,
        "number = %s": number,
    }
    if party is None:
        return slice_after(conn, "read.approvals", conditions, _KEY, after, limit, columns=_NAMED)
    conditions |= {"party = %s": party, SINCE_KNOWN.format("stream"): known_at}
    return slice_after(conn, of_party("approvals", "stream"), conditions, _KEY, after, limit, columns=_NAMED)


def _source(
    conn: Connection[Any], on: date, ceased: Collection[str], party: str | None = None, lone: bool = False
) -> str:
    """Permits decided by a day, with their `standing`, `supervisors` and `never_inspected_by`; `lone`: those of which
    nobody answers by a notice, found by one pass over both tables instead of a look for each permit."""
    day = f"DATE '{on.isoformat()}'"
    status_sql = _STATUS.format(
        day=day,
        spans='jsonb_to_recordset(suspensions) AS s ("by" text, since date, until date)',
        covers=f"s.since <= {day} AND {day} <= coalesce(s.until, 'infinity')",
    )
    answers = _ANSWERS.format(ceased=_written(conn, ceased))
    lazy = (
        f"SELECT r.department FROM read.receipts AS r WHERE {answers} AND r.received_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM read.inspections AS i WHERE i.case_stream = a.stream"
        f" AND i.department = r.department AND i.retracted_at IS NULL AND i.inspected_on <= {day})"
    )
    cases = "read.approvals" if party is None else of_party("approvals", "stream")
    return (
        f"(SELECT a.*, a.licence_status AS standing, ARRAY(SELECT r.department FROM read.receipts AS r WHERE {answers}"
        f" ORDER BY r.department) AS supervisors, ARRAY({lazy} ORDER BY r.department) AS never_inspected_by"
        f" FROM (SELECT *, {status_sql} AS licence_status FROM {cases}"
        f" WHERE outcome = 'granted' AND decided_on <= {day}) AS a"
        f"{f' WHERE NOT EXISTS (SELECT FROM read.receipts AS r WHERE {answers})' if lone else ''}) AS l"
    )


def _written(conn: Connection[Any], codes: Collection[str]) -> str:
    return f"{Literal(sorted(codes)).as_string(conn)}::text[]"
