"""Which supervisor inspected what, and with what result (2.8c)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from domain.event import Recorded
from domain.inspections import InspectionRecord, InspectionRetracted
from domain.submissions import local_date
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Fold, Table
from projections.two_way import SINCE_KNOWN, of_party


@dataclass(slots=True)
class Inspection:
    """A row; the columns are explained in inspections.sql."""

    department: str
    number: str
    case_stream: str
    matter: str
    item: str
    category: str
    result: str
    inspected_on: date
    corrections: int
    retracted_at: datetime | None
    recorded_at: datetime


INSPECTIONS = Table("inspections", Inspection, key_size=2)


class Inspections(Projection):
    name = "inspections"
    tables = ("inspections",)
    topics = topics_of("inspection.")

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        told = [one.event for one in events]
        rows = Fold(
            conn,
            INSPECTIONS,
            [(e.department, e.number) for e in told if isinstance(e, (InspectionRecord, InspectionRetracted))],
        )
        for one in events:
            event = one.event
            if isinstance(event, (InspectionRecord, InspectionRetracted)):
                key = (event.department, event.number)
                rows.rows[key] = _folded(rows.rows.get(key), one, event)
        rows.save(bulk)


def _folded(row: Inspection | None, one: Recorded, event: InspectionRecord | InspectionRetracted) -> Inspection:
    if isinstance(event, InspectionRecord):
        return _row(one, event, row)
    if row is None:
        raise KeyError(event.originator_id)
    row.retracted_at = one.recorded_at
    return row


def inspection_then(events: Iterable[Recorded]) -> dict[str, Any]:
    """The row of an inspection as some of its events make it, in their order."""
    row: Inspection | None = None
    for one in events:
        assert isinstance(one.event, (InspectionRecord, InspectionRetracted))
        row = _folded(row, one, one.event)
    assert row is not None
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _row(one: Recorded, event: InspectionRecord, known: Inspection | None) -> Inspection:
    return Inspection(
        department=event.department,
        number=event.number,
        case_stream=event.case,
        matter=event.matter,
        item=event.item,
        category=event.category,
        result=event.result,
        inspected_on=local_date(event.inspected_at),
        corrections=known.corrections + 1 if known else 0,
        retracted_at=None,
        recorded_at=known.recorded_at if known else one.recorded_at,
    )


def find_inspections(
    conn: Connection[Any],
    *,
    department: str | None = None,
    case: str | None = None,
    since: date | None = None,
    limit: int = 50,
) -> Page:
    """The latest first, retracted ones included."""
    conditions = {"department = %s": department, "case_stream = %s": case, "inspected_on >= %s": since}
    return page(conn, "read.inspections", conditions, "inspected_on DESC, department, number", limit)


def inspections_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    party: str | None = None,
    department: str | None = None,
    matter: str | None = None,
    case: str | None = None,
    result: str | None = None,
    since: date | None = None,
    known_at: datetime | None = None,
) -> Slice:
    """Inspections from the last reported on, by `recorded_at`; `party`: on cases to which that department is one.

    `known_at`: those that there were by a moment, on cases of which the party had heard by then.
    """
    conditions = {
        "department = %s": department,
        "matter = %s": matter,
        "case_stream = %s": case,
        "result = %s": result,
        "inspected_on >= %s": since,
        "recorded_at <= %s": known_at,
    }
    if party is None:
        return slice_after(conn, "read.inspections", conditions, ["recorded_at"], after, limit)
    conditions |= {"party = %s": party, SINCE_KNOWN.format("case_stream"): known_at}
    return slice_after(conn, of_party("inspections", "case_stream"), conditions, ["recorded_at"], after, limit)


def inspections_of(conn: Connection[Any], cases: Sequence[str]) -> list[dict[str, Any]]:
    """Every inspection on these cases."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM read.inspections WHERE case_stream = ANY(%s)", (list(cases),)).fetchall()
