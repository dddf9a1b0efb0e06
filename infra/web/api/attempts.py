"""Refused attempts: who tried what the notice forbids."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.problems import responses
from infra.answers import ATTEMPT
from infra.web.filters import ClauseAsked, DepartmentAsked, OfficerAsked, RuleAsked
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of
from projections.attempts import attempts_slice
from projections.page import Slice

router = APIRouter(tags=["attempts"])
ReadingAttempts = Annotated[Reading, Depends(reading("attempts"), scope="function")]


class AttemptRow(BaseModel):
    """One attempt. `department`: who tried, empty for classified matters; `rule`, `clause`: what forbids it; `type`: of
    the submission; `about`: the stream of what it was about; `fact`: the submission's source and id."""

    position: int
    recorded_at: datetime
    occurred_at: datetime
    department: str
    officer: str | None
    principal: str
    type: str
    rule: str
    clause: str | None
    about: str | None
    fact: str


ATTEMPTS = Listing("attempts", ("position",), ATTEMPT, AttemptRow)


@router.get("/attempts", response_model=Listed[AttemptRow], responses=responses(401, 403, 422))
def attempts(
    reading: ReadingAttempts,
    asked: AskedFor,
    response: Response,
    department: DepartmentAsked = None,
    officer: OfficerAsked = None,
    rule: RuleAsked = None,
    clause: ClauseAsked = None,
    since: Annotated[MomentText | None, Query(description="何时起的尝试")] = None,
) -> Any:
    """被拒绝的尝试：谁做了规定不许做的事；最近的在前。除监察外，各部门所见为其自己的。"""
    chosen: dict[str, Any] = {"department": department, "officer": officer, "rule": rule, "clause": clause}
    conditions = {**chosen, "department": department or reading.department, "since": since_of(since)}

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        return attempts_slice(conn, after, limit, known_at=asked.known_at, **conditions)

    return answer(ATTEMPTS, reading, asked, response, find, {**chosen, "since": since})
