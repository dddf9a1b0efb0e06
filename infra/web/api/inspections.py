"""Inspections: which supervisor inspected what, and with what result (2.8c)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.problems import responses
from adapters.postgres.log import Log
from domain.inspections import Category, InspectionResult, inspection_stream
from infra.licences import INSPECTION, with_case
from infra.web.filters import CaseAsked, DepartmentAsked, MatterAsked
from infra.web.folding import Row, sift
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from projections.inspections import inspection_then, inspections_slice
from projections.page import Slice

router = APIRouter(tags=["inspections"])
ReadingInspections = Annotated[Reading, Depends(reading("inspections"), scope="function")]


class InspectionRow(BaseModel):
    """One inspection as it stands after its corrections. `item`: 监管事项目录编码; `retracted_at`: there was no such
    inspection, or not of this case."""

    department: str
    number: str
    case: str
    case_stream: str
    matter: str
    item: str
    category: Category
    result: InspectionResult
    inspected_on: date
    corrections: int
    retracted_at: datetime | None
    recorded_at: datetime


INSPECTIONS = Listing("inspections", ("recorded_at",), INSPECTION, InspectionRow)


@router.get("/inspections", response_model=Listed[InspectionRow], responses=responses(401, 403, 422))
def inspections(
    reading: ReadingInspections,
    asked: AskedFor,
    response: Response,
    department: Annotated[DepartmentAsked, Query(description="检查的监管部门")] = None,
    matter: MatterAsked = None,
    case: CaseAsked = None,
    result: Annotated[InspectionResult | None, Query()] = None,
    since: Annotated[date | None, Query(description="何日起的检查")] = None,
) -> Any:
    """监管检查：最近上报的在前，撤回的也在内。"""
    fixed: Row = {"department": department, "case": case}
    changing: Row = {"matter": matter, "result": result, "since": since}

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        where = {**fixed, "party": reading.department}
        if asked.known_at is not None:
            return _then(reading, conn, after, limit, asked.known_at, where, changing)
        found = inspections_slice(conn, after, limit, **where, **changing)
        return Slice(with_case(found.rows), found.more)

    return answer(INSPECTIONS, reading, asked, response, find, {**fixed, **changing})


def inspections_then(log: Connection[Any], rows: list[Row], known_at: datetime) -> list[Row]:
    """These inspections as the record had them, from the log."""
    names = [inspection_stream(row["department"], row["number"]) for row in rows]
    histories = Log(log).histories(names, known_at)
    return [inspection_then(histories[name]) for name in names if name in histories]


def _then(
    reading: Reading, conn: Connection[Any], after: Any, limit: int, known_at: datetime, fixed: Row, changing: Row
) -> Slice:
    with reading.log() as log:
        found = sift(
            lambda after, block: inspections_slice(conn, after, block, known_at=known_at, **fixed),
            lambda rows: inspections_then(log, rows, known_at),
            lambda row: _fits(row, **changing),
            "recorded_at",
            after,
            limit,
        )
    return replace(found, rows=with_case(found.rows))


def _fits(row: Row, matter: str | None, result: str | None, since: date | None) -> bool:
    return (
        matter in (None, row["matter"])
        and result in (None, row["result"])
        and (since is None or row["inspected_on"] >= since)
    )
