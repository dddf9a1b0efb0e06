"""Supervision feedback: what was found, how it was answered, what still waits for an answer (2.2e, 2.2f)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection

from adapters.http.problems import responses
from adapters.postgres.log import Log
from domain.clock_state import clock_stream
from domain.supervision import FeedbackStatus, Suggestion
from infra.web.api.threads import FEEDBACK, FeedbackRow, with_lamp
from infra.web.filters import CaseAsked, DepartmentAsked, MatterAsked, OrganAsked
from infra.web.folding import Row, sift, together
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of
from projections.feedback import feedback_slice, thread_then
from projections.page import Slice

router = APIRouter(tags=["feedback"])
THREADS = Listing("feedback", ("recorded_at",), FEEDBACK, FeedbackRow)
ReadingFeedback = Annotated[Reading, Depends(reading("feedback"), scope="function")]


@router.get("/feedback", response_model=Listed[FeedbackRow], responses=responses(401, 403, 422))
def feedback(
    reading: ReadingFeedback,
    asked: AskedFor,
    response: Response,
    department: Annotated[DepartmentAsked, Query(description="反馈的监管部门")] = None,
    organ: Annotated[OrganAsked, Query(description="应答复的审批部门")] = None,
    matter: MatterAsked = None,
    case: CaseAsked = None,
    suggestion: Annotated[Suggestion | None, Query()] = None,
    status: Annotated[FeedbackStatus | None, Query()] = None,
    since: Annotated[MomentText | None, Query(description="何时起的反馈")] = None,
) -> Any:
    """监管反馈：最近的在前，各附往来的全文、答复期限。"""
    from_when = since_of(since)
    fixed: Row = {"matter": matter, "case": case, "suggestion": suggestion}
    changing: Row = {"department": department, "organ": organ, "status": status}

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        where = {**fixed, "party": reading.department, "since": from_when}
        if asked.known_at is not None:
            return _then(reading, conn, after, limit, asked.known_at, where, changing)
        found = feedback_slice(conn, after, limit, **where, **changing)
        return Slice(with_lamp(found.rows, datetime.now(UTC)), found.more)

    return answer(THREADS, reading, asked, response, find, {**fixed, **changing, "since": since})


def _then(
    reading: Reading, conn: Connection[Any], after: Any, limit: int, known_at: datetime, fixed: Row, changing: Row
) -> Slice:
    with reading.log() as log:

        def fold(rows: list[Row]) -> Iterator[Row]:
            names = [row["stream"] for row in rows]
            histories = Log(log).histories([*names, *map(clock_stream, names)], known_at)
            return (thread_then(together(histories, name, clock_stream(name))) for name in names)

        found = sift(
            lambda after, block: feedback_slice(conn, after, block, known_at=known_at, **fixed),
            fold,
            lambda row: all(value in (None, row[key]) for key, value in changing.items()),
            "recorded_at",
            after,
            limit,
        )
    return replace(found, rows=with_lamp(found.rows, known_at))
