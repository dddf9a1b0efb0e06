"""Figures over the read models. Real receipts, deemed ones and moved notices are counted apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row

from projections.daily import COUNTERS
from projections.page import Page, Slice, page, slice_after

EVERYBODY = "*"


class Asked(NamedTuple):
    """Of which notices and feedback counters are asked: those owed, or raised, from a day `since` to a day `until`."""

    department: str | None = None
    matter: str | None = None
    root: str | None = None
    since: date | None = None
    until: date | None = None

    def conditions(self, cohort: str) -> dict[str, Any]:
        return {
            "department = %s": self.department,
            "matter = %s": self.matter,
            "root = %s": self.root,
            f"{cohort} >= %s": self.since,
            f"{cohort} <= %s": self.until,
        }


class Known(NamedTuple):
    """As of when: what was recorded as far as the day `on`, and the time limits that had ended with the day `ended`,
    which is the same day, or the one before where that is not over yet."""

    on: date
    ended: date


def counters(
    conn: Connection[Any],
    by: Literal["department", "matter", "cohort"],
    asked: Asked,
    known: Known,
    but: Collection[str] = (),
) -> dict[Any, Mapping[str, int]]:
    """The daily counters summed up, by department, by matter or by the day of owing; without the matters `but`."""
    seen = _seen(conn)
    if seen not in (None, EVERYBODY) and asked.department is None:
        asked = asked._replace(department=seen)  # as row-level security does, but by the index
    used = {text: value for text, value in asked.conditions("cohort").items() if value is not None}
    sums = ", ".join(f"sum({name})::int8 AS {name}" for name in COUNTERS)
    where = " AND ".join([*used, "matter <> ALL(%s)", "day <= CASE WHEN falls THEN %s::date ELSE %s END"])
    source = _summed_up(by, known) if not used and not but and by != "cohort" and seen == EVERYBODY else "read.daily"
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT {by} AS part, {sums} FROM {source} WHERE {where} GROUP BY {by} ORDER BY {by}",
            [*used.values(), list(but), known.ended, known.on],
        ).fetchall()
    return {row.pop("part"): row for row in rows}


def _summed_up(by: Literal["department", "matter"], known: Known) -> str:
    """The counters of everybody with months that were over by then put together: all that counts in them had come."""
    month = f"DATE '{known.on.replace(day=1).isoformat()}'"
    rows = "department <> ''" if by == "department" else "department = ''"
    return (
        f"(SELECT * FROM read.daily_months WHERE {rows} AND day < {month}"
        f" UNION ALL SELECT * FROM read.daily_days WHERE {rows} AND day >= {month}) AS d"
    )


def _seen(conn: Connection[Any]) -> str | None:
    """Whose rows a reader sees; None for one who is no reader."""
    row = conn.execute("SELECT nullif(current_setting('shenguan.department', true), '')").fetchone()
    return None if row is None else row[0]


def find_overdue(conn: Connection[Any], asked: Asked, known: Known, limit: int = 50) -> Page:
    """Notices that had fallen due unreceived and still lay so at the end of a day, the longest overdue first."""
    source, conditions = _overdue(asked, known)
    return page(conn, source, conditions, ", ".join(OVERDUE_KEY), limit, _OVERDUE)


def overdue_slice(conn: Connection[Any], after: Sequence[Any] | None, limit: int, asked: Asked, known: Known) -> Slice:
    """As `find_overdue`, from after a key."""
    source, conditions = _overdue(asked, known)
    return slice_after(conn, source, conditions, OVERDUE_KEY, after, limit, descending=False, columns=_OVERDUE)


OVERDUE_KEY = ("due_on", "department", "serial")
_OVERDUE = "notice, department, serial, case_stream, matter, about, owed_on, due_on"


def _overdue(asked: Asked, known: Known) -> tuple[str, dict[str, Any]]:
    then = f"DATE '{known.on.isoformat()}'"
    source = (
        "(SELECT n.notice, n.department, serial, case_stream, matter, root, about, owed_on, held_until,"
        " CASE WHEN d.day IS NULL THEN first_due_on ELSE d.due_on END AS due_on FROM read.daily_notices AS n"
        f" LEFT JOIN LATERAL (SELECT day, due_on FROM read.daily_dues AS d WHERE d.notice = n.notice AND day <= {then}"
        " ORDER BY day DESC LIMIT 1) AS d ON true) AS notices"
    )
    conditions = asked.conditions("owed_on") | {
        "held_until > %s": known.on,
        "due_on <= %s": known.ended,
        "owed_on <= %s": known.on,
    }
    return source, conditions


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
