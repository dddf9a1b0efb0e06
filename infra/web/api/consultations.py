"""Consultations between levels 商询: who asked whom, about what, and whose turn it is (4.3a)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.consultations import ConsultationStatus
from infra.consultations import CONSULTATION, PREFIXES, consultation_rows
from infra.web.book import listed, registers_of, streams_of
from infra.web.filters import DepartmentAsked
from infra.web.listing import AskedFor, Listed, Listing
from infra.web.reading import Reading, reading

router = APIRouter(tags=["consultations"])


class ConsultationRow(BaseModel):
    """A consultation. `case`: as organ/number, where it is about one; `reply_by`: until when an answer is due;
    `steps`: how often something was said."""

    asker: str
    number: str
    to: str
    case: str | None
    matter: str | None
    asked_on: date
    reply_by: date | None
    status: ConsultationStatus
    overdue: bool
    steps: int


CONSULTATIONS = Listing("consultations", ("asker", "number"), CONSULTATION, ConsultationRow)


@router.get("/consultations", response_model=Listed[ConsultationRow], responses={**FILES, **responses(401, 403, 422)})
def consultations(
    reading: Annotated[Reading, Depends(reading("consultations"))],
    asked: AskedFor,
    response: Response,
    department: Annotated[DepartmentAsked, Query(description="提出或答复的部门")] = None,
    status: Annotated[ConsultationStatus | None, Query(description="状态")] = None,
) -> Any:
    """商询：上下级之间谁问了谁、关于什么、待谁何时前答复；除监察外，各部门所见为其提出或答复的。"""
    streams, position = streams_of(reading, asked, *PREFIXES)
    registers = registers_of(reading, asked)
    reading.positions = {"log": position}
    rows = [
        row
        for row in consultation_rows(registers, streams, asked.known_at or datetime.now(UTC))
        if reading.department in (None, row["asker"], row["to"])
        and department in (None, row["asker"], row["to"])
        and status in (None, row["status"])
    ]
    return listed(CONSULTATIONS, reading, asked, response, rows, {"department": department, "status": status})
