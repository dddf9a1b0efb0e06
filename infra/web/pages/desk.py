"""The inspector's desk 监察台: finding a case as it was known, refused attempts, risk signals, who has read what (3.3e,
3.3f), or all that one officer did. Seeing it is a read like any other, and on record."""

from __future__ import annotations

from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from adapters.postgres.log import Log
from domain.reads import read_stream
from domain.risks import Signal
from infra.answers import APPROVAL, ATTEMPT
from infra.reads import READ, read_row
from infra.risks import RISK, shown_risk
from infra.web.api.case_rows import CaseRow
from infra.web.api.reads import ReadingReads, ReadRow
from infra.web.api.risks import RiskRow
from infra.web.filters import DepartmentAsked, OfficerAsked
from infra.web.listing import Asked, note, plain_of, row_of
from infra.web.pages.cases import COLUMNS
from infra.web.pages.lists import shown
from infra.web.pages.page import address, render
from infra.web.reading import Reading
from projections.approvals import approvals_slice
from projections.attempts import find_attempts
from projections.risks import find_risks

router = APIRouter()
FEW = 8
LAST = 2**62
_ASKED = Asked(None, FEW, None, False, None, "json")


@router.get("/desk")
def desk(
    request: Request,
    reading: ReadingReads,
    officer: OfficerAsked = None,
    department: DepartmentAsked = None,
) -> Response:
    """监察台：全部，或一名经办人的；工号是部门自己的，故可与部门一并给出。"""
    chosen: dict[str, Any] = {"officer": officer, "department": department}
    attempts = find_attempts(reading.conn, limit=FEW, **chosen)
    risks = find_risks(reading.conn, limit=FEW, **chosen)
    decided = officer is not None
    cases = approvals_slice(reading.conn, None, FEW, organ=department, officer=officer).rows if decided else []
    reads = [] if decided else _reads(reading)
    note(reading, "desk", chosen, len(attempts.rows) + len(risks.rows) + len(cases) + len(reads), _ASKED)
    plain = plain_of(reading, _ASKED)
    case_rows = [row_of(CaseRow, plain(row)).model_dump() for row in cases]
    return render(
        request,
        "desk.html",
        chosen=chosen,
        to=lambda path: address(path, chosen),
        cases=case_rows,
        to_cases=address("/cases", {"officer": officer, "organ": department}),
        case_columns=shown([one for one in APPROVAL if one.key in COLUMNS], CaseRow, case_rows),
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
