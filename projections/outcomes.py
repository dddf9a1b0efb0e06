"""What became of submissions. The answers lie in intake's own tables, of which there is no second copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from projections.page import Page, Slice, page, slice_after

DISPOSITIONS = ("accepted", "refused", "duplicate", "conflict", "parked", "dead")
PLACE = "topic_id || '/' || partition || '/' || \"offset\" AS place"
_JOIN = 'shenguan.submission AS s JOIN shenguan.{} AS d USING (topic_id, partition, "offset")'


def counts(conn: Connection[Any], since: datetime | None = None) -> dict[str, int]:
    """By disposition, and `in`, their sum. A record that was read again counts as one more duplicate."""
    rows = conn.execute(
        "SELECT disposition, count(*), sum(redelivered)::int8 FROM shenguan.submission"
        " WHERE arrived_at >= coalesce(%s, '-infinity'::timestamptz) GROUP BY disposition",
        (since,),
    ).fetchall()
    found = dict.fromkeys(DISPOSITIONS, 0)
    for disposition, count, redelivered in rows:
        found[disposition] += count
        found["duplicate"] += redelivered
    return {"in": sum(found.values()), **found}


def came(conn: Connection[Any], wanted: Sequence[tuple[str, date]]) -> dict[tuple[str, date], dict[str, int]]:
    """Of these sources and days (of the submissions' times, in Beijing; of arrival where a time could not be read) how
    many different ones came, by disposition.

    What came again is no other one, be it a duplicate or a dead letter sent again as it was; a conflict is one more
    than what it conflicts with. Declarations of counts are not counted.
    """
    if not wanted:
        return {}
    rows = conn.execute(
        "SELECT source, day, disposition, count(*) FROM (SELECT DISTINCT ON (source, day, id, content)"
        " source, (coalesce(occurred_at, arrived_at) AT TIME ZONE 'Asia/Shanghai')::date AS day, disposition"
        " FROM shenguan.submission WHERE source = ANY(%s) AND disposition <> 'duplicate' AND type <> 'count.declare'"
        " AND coalesce(occurred_at, arrived_at) >= %s::date::timestamp AT TIME ZONE 'Asia/Shanghai'"
        " AND coalesce(occurred_at, arrived_at) < (%s::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'"
        " ORDER BY source, day, id, content, disposition = 'dead') AS one GROUP BY 1, 2, 3",
        (sorted({source for source, _ in wanted}), min(day for _, day in wanted), max(day for _, day in wanted)),
    ).fetchall()
    found: dict[tuple[str, date], dict[str, int]] = {}
    for source, day, disposition, count in rows:
        found.setdefault((source, day), {})[disposition] = count
    return found


def find_one(conn: Connection[Any], topic_id: str, partition: int, offset: int) -> dict[str, Any] | None:
    """What became of the record at a place; None before intake has read it. Where its identity was taken, `holder` is
    what became of the one that has it."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {PLACE}, s.source, s.id, s.type, s.disposition, s.rule, s.stream, s.version, d.errors,"
            " p.stream AS waits_for, p.expires_at,"
            " (SELECT h.disposition FROM shenguan.submission AS h WHERE s.disposition IN ('duplicate', 'conflict')"
            " AND h.source = s.source AND h.id = s.id AND h.disposition IN ('accepted', 'refused', 'parked')) AS holder"
            " FROM shenguan.submission AS s"
            ' LEFT JOIN shenguan.dead_letter AS d USING (topic_id, partition, "offset")'
            ' LEFT JOIN shenguan.parked AS p USING (topic_id, partition, "offset")'
            ' WHERE topic_id = %s AND partition = %s AND "offset" = %s',
            (topic_id, partition, offset),
        ).fetchone()


def find_places(
    conn: Connection[Any], source: str, ids: Sequence[str], since: datetime
) -> dict[str, tuple[str, int, int]]:
    """Where those of the source's submissions lie that intake has read, of which none came before `since`; of one that
    came several times where it took effect."""
    columns = 'SELECT id, topic_id, partition, "offset" FROM shenguan.submission WHERE'
    rows = conn.execute(
        f"{columns} disposition = 'dead' AND arrived_at >= %s AND source = %s AND id = ANY(%s)"
        f" UNION ALL {columns} disposition IN ('accepted', 'refused', 'parked') AND source = %s AND id = ANY(%s)",
        (since, source, list(ids), source, list(ids)),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


_ARRIVED = "s.topic, s.principal, s.source, s.id, s.type, s.department, s.arrived_at"
_DEAD = f"{PLACE}, d.number, {_ARRIVED}, s.retry_of, d.errors, d.dead_at, d.retried_at"
_CONFLICT = (
    f"{PLACE}, {_ARRIVED}, (SELECT h.topic_id || '/' || h.partition || '/' || h.\"offset\""
    " FROM shenguan.submission AS h WHERE h.source = s.source AND h.id = s.id"
    " AND h.disposition IN ('accepted', 'refused', 'parked')) AS holder"
)
_PARKED = f"{PLACE}, {_ARRIVED}, d.stream AS waits_for, d.parked_at, d.expires_at, d.ready"


def find_dead(conn: Connection[Any], *, department: str | None = None, limit: int = 50) -> Page:
    """Dead letters, the latest first: where they lay, and per field the rule and what was found."""
    conditions = {"s.disposition = 'dead'": True, "s.department = %s": department}
    return page(conn, _JOIN.format("dead_letter"), conditions, "d.number DESC", limit, _DEAD)


def find_conflicts(conn: Connection[Any], *, department: str | None = None, limit: int = 50) -> Page:
    """Submissions whose identity was taken by other content, the latest first, with where that one lies."""
    conditions = {"s.disposition = 'conflict'": True, "s.department = %s": department}
    return page(conn, "shenguan.submission AS s", conditions, "s.arrived_at DESC", limit, _CONFLICT)


def find_parked(conn: Connection[Any], *, department: str | None = None, limit: int = 50) -> Page:
    """Submissions that wait: for which stream, since when, until when. Those that expire first come first."""
    conditions = {"s.department = %s": department}
    return page(conn, _JOIN.format("parked"), conditions, "d.expires_at, d.parked_at", limit, _PARKED)


DEAD_KEY = ("number",)
CONFLICT_KEY = ("arrived_at", "place")
PARKED_KEY = ("expires_at", "place")


def dead_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    own: str | None = None,
    known_at: datetime | None = None,
    retried: bool | None = None,
    **equal: Any,
) -> Slice:
    """As `find_dead`, after a key; `own`: of this department only. What was retried since `known_at` was not then."""
    seen = None if known_at is None else known_at.isoformat()
    retried_at = "d.retried_at" if seen is None else f"CASE WHEN d.retried_at <= '{seen}' THEN d.retried_at END"
    rows = f"(SELECT {_DEAD.replace('d.retried_at', f'{retried_at} AS retried_at')} FROM {_JOIN.format('dead_letter')}"
    conditions = {"dead_at <= %s": known_at, "(retried_at IS NOT NULL) = %s": retried, **_of(own, equal)}
    return slice_after(conn, f"{rows} WHERE s.disposition = 'dead') AS d", conditions, DEAD_KEY, after, limit)


def conflicts_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    own: str | None = None,
    known_at: datetime | None = None,
    **equal: Any,
) -> Slice:
    """As `find_conflicts`, after a key."""
    rows = f"(SELECT {_CONFLICT} FROM shenguan.submission AS s WHERE s.disposition = 'conflict') AS c"
    return slice_after(conn, rows, {"arrived_at <= %s": known_at, **_of(own, equal)}, CONFLICT_KEY, after, limit)


def parked_slice(
    conn: Connection[Any], after: Sequence[Any] | None, limit: int, *, own: str | None = None, **equal: Any
) -> Slice:
    """As `find_parked`, after a key."""
    rows = f"(SELECT {_PARKED} FROM {_JOIN.format('parked')}) AS p"
    return slice_after(conn, rows, _of(own, equal), PARKED_KEY, after, limit, descending=False)


def edition(conn: Connection[Any]) -> str:
    """Differs where any of these lists does."""
    row = conn.execute(
        "SELECT (SELECT count(*) || ' ' || max(number) || ' ' || coalesce(max(retried_at)::text, '')"
        " FROM shenguan.dead_letter),"
        " (SELECT count(*) || ' ' || coalesce(max(arrived_at)::text, '') FROM shenguan.submission"
        " WHERE disposition = 'conflict'),"
        " (SELECT count(*) || ' ' || count(*) FILTER (WHERE ready) || ' ' || max(parked_at) FROM shenguan.parked)"
    ).fetchone()
    return str(row)


def _of(own: str | None, equal: Mapping[str, Any]) -> dict[str, Any]:
    return {"%s = department": own, **{f"{column} = %s": value for column, value in equal.items()}}
