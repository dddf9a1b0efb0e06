"""Integrity-risk signals 廉政风险 (3.3f): to be looked into, no findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.risks import Signal, Unit
from infra.risks import RISK, shown_risk
from infra.web.filters import OfficerAsked
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of
from projections.page import Slice
from projections.risks import RISKS_KEY, risks_slice

router = APIRouter(tags=["risks"])
ReadingRisks = Annotated[Reading, Depends(reading("risks"), scope="function")]


class RiskRow(BaseModel):
    """What was measured, by which threshold, and the facts behind it (`positions` in the log). `party`: by what it is
    known again."""

    signal: Signal
    department: str
    officer: str | None
    officer_name: str | None
    about: str
    case: str | None
    matter: str | None
    party: str | None
    rule: str | None
    measured: int
    threshold: int
    unit: Unit
    period: int | None
    occurred_at: datetime
    recorded_at: datetime
    position: int
    positions: list[int]


RISKS = Listing("risks", RISKS_KEY, RISK, RiskRow)


@router.get("/risks", response_model=Listed[RiskRow], responses={**FILES, **responses(401, 403, 422)})
def risks(
    reading: ReadingRisks,
    asked: AskedFor,
    response: Response,
    signal: Annotated[Signal | None, Query(description="哪种信号")] = None,
    department: Annotated[str | None, Query(description="谁的行为")] = None,
    officer: OfficerAsked = None,
    since: Annotated[MomentText | None, Query(description="何时起发生的")] = None,
) -> Any:
    """廉政风险信号，供核查，不是结论：倒填日期、秒批、同一经办人与相对人、被拒绝的尝试等；最近记录的在前。"""
    from_when = since_of(since)
    chosen = {"signal": signal, "department": department, "officer": officer}

    def find(conn: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        found = risks_slice(conn, after, limit, since=from_when, known_at=asked.known_at, **chosen)
        return Slice([shown_risk(row) for row in found.rows], found.more)

    return answer(RISKS, reading, asked, response, find, {**chosen, "since": since})
