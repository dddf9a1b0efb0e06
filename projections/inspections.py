"""Which supervisor inspected what, and with what result (2.8c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from domain.event import Recorded
from domain.inspections import InspectionCorrected, InspectionRecord, InspectionReported, InspectionRetracted
from domain.submissions import local_date
from projections.page import Page, page
from projections.projection import Projection, topics_of
from projections.table import Fold, Table


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
            match event:
                case InspectionReported() | InspectionCorrected():
                    known = rows.rows.get((event.department, event.number))
                    rows.rows[event.department, event.number] = _row(one, event, known)
                case InspectionRetracted():
                    rows.rows[event.department, event.number].retracted_at = one.recorded_at
        rows.save(bulk)


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
