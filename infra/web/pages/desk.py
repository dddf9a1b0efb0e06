"""The inspector's desk 监察台: finding a case as it was known, refused attempts, risk signals, who has read what (3.3e,
3.3f). Seeing it is a read like any other, and on record."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Request, Response

from adapters.postgres.log import Log
from domain.reads import read_stream
from domain.risks import Signal
from infra.answers import ATTEMPT
from infra.reads import READ, read_row
from infra.risks import RISK, shown_risk
from infra.web.api.reads import ReadRow
from infra.web.api.risks import RiskRow
from infra.web.listing import Asked, note, plain_of, row_of
from infra.web.pages.page import render
from infra.web.reading import Reading, reading
from projections.attempts import find_attempts
from projections.risks import find_risks

router = APIRouter()
FEW = 8
LAST = 2**62
_ASKED = Asked(None, FEW, None, False, None, "json")


@router.get("/desk")
def desk(request: Request, reading: Annotated[Reading, Depends(reading("reads"))]) -> Response:
    """监察台。"""
    attempts = find_attempts(reading.conn, limit=FEW)
    risks = find_risks(reading.conn, limit=FEW)
    reads = _reads(reading)
    note(reading, "desk", {}, len(attempts.rows) + len(risks.rows) + len(reads), _ASKED)
    plain = plain_of(reading, _ASKED)
    return render(
        request,
        "desk.html",
        attempts=attempts,
        attempt_columns=[one for one in ATTEMPT if one.zh],
        risks=risks,
        risk_rows=[row_of(RiskRow, plain(shown_risk(row))).model_dump() for row in risks.rows],
        risk_columns=[one for one in RISK if one.key in _RISK],
        reads=[row_of(ReadRow, plain(row)).model_dump() for row in reads],
        read_columns=[one for one in READ if one.key in _READ],
        signals=get_args(Signal),
        position=min(reading.positions.values()),
    )


_RISK = {"signal", "department", "officer", "case", "measured", "threshold", "unit", "occurred_at"}
_READ = {"recorded_at", "department", "officer", "officer_name", "command", "parameters", "revealed", "reason", "rows"}


def _reads(reading: Reading) -> list[dict[str, Any]]:
    registers = reading.request.app.state.registry.now()
    streams = [read_stream(code) for code, one in registers.departments.items() if "DISCIPLINE" in one.roles]
    with reading.log() as conn:
        found = Log(conn).latest_of(streams, LAST, FEW, None)
    return [row for one in found if (row := read_row(one, reading.request.app.state.persons.open)) is not None]
