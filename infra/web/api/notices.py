"""Notices: which supervisor was owed what, and what became of it (2.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.problems import of_status, responses
from adapters.postgres.log import Log
from infra.answers import RECEIPT, with_due
from infra.web.folding import sift
from infra.web.listing import AskedFor, Listed, Listing, answer, note, plain_of, row_of, tagged
from infra.web.reading import Reading, ReadingNotices
from infra.web.times import MomentText, since_of
from projections.page import Slice
from projections.receipts import receipt_then, receipts_slice

router = APIRouter(tags=["notices"])
Status = Literal["outstanding", "received", "deemed", "moved"]
Lamp = Literal["green", "yellow", "red", "paused", "unknown"]
DepartmentCode = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="部门代码")]
Serial = Annotated[int, Path(ge=1, lt=2**63, description="编号，每个部门自 1 起不间断")]


class NoticeRow(BaseModel):
    """One notice. Dispatched, delivered, received and deemed received are four answers, never merged."""

    notice: str
    department: str
    serial: int
    case_stream: str
    case: str
    matter: str
    about: str
    root: str
    origin: str | None
    returns: int
    status: Status
    owed_at: datetime
    due_on: date | None
    overdue: bool | None
    lamp: Lamp | None
    due_limit: str | None
    due_document: str | None
    due_calendar: str | None
    waited: int | None
    rungs: int
    pressed_at: datetime | None
    channel: str | None
    dispatched_at: datetime | None
    topic_id: str | None
    partition: int | None
    offset: int | None
    delivered_at: datetime | None
    delivered_group: str | None
    given_up_channel: str | None
    given_up_why: str | None
    received_at: datetime | None
    receipt_recorded_at: datetime | None
    received_by: str | None
    received_by_name: str | None
    taken_at: datetime | None
    returned_at: datetime | None
    returned_to: str | None
    moved_at: datetime | None
    moved_to: str | None
    deemed_at: datetime | None
    owed_position: int


NOTICES = Listing("notices", ("owed_position",), RECEIPT, NoticeRow)


@router.get("/notices", response_model=Listed[NoticeRow], responses=responses(401, 403, 422))
def notices(
    reading: ReadingNotices,
    asked: AskedFor,
    response: Response,
    department: Annotated[str | None, Query(description="应接收的部门")] = None,
    organ: Annotated[str | None, Query(description="办件的审批部门")] = None,
    matter: Annotated[str | None, Query(description="事项编码")] = None,
    case: Annotated[str | None, Query(description="办件：case/部门/办件号")] = None,
    about: Annotated[str | None, Query(description="告知内容，如 decision")] = None,
    status: Annotated[Status | None, Query()] = None,
    since: Annotated[MomentText | None, Query(description="何时起应告知")] = None,
) -> Any:
    """签收台账：应告知谁、何时推送、送达、签收、纳入监管；最近应告知的在前。"""
    chosen: dict[str, Any] = {"department": department, "organ": organ, "matter": matter, "case": case, "about": about}
    from_when = since_of(since)

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        if asked.known_at is not None:
            return _then(reading, conn, after, limit, asked.known_at, status, {**chosen, "since": from_when})
        found = receipts_slice(conn, after, limit, status=status, since=from_when, party=reading.department, **chosen)
        return Slice(with_due(found.rows, datetime.now(UTC)), found.more)

    return answer(NOTICES, reading, asked, response, find, {**chosen, "status": status, "since": since})


@router.get("/departments/{department}/notices/{serial}", responses=responses(401, 403, 404, 422))
def notice(
    reading: ReadingNotices, asked: AskedFor, response: Response, department: DepartmentCode, serial: Serial
) -> NoticeRow:
    """一件告知，按部门与编号。"""
    plain = plain_of(reading, asked)
    response.headers["ETag"] = tagged(reading, "notice")
    found = receipts_slice(reading.conn, None, 1, department=department, serial=serial).rows
    if found and asked.known_at is not None:
        with reading.log() as log:
            found = _lives(log, found, asked.known_at)
    note(reading, "notice", {"department": department, "serial": serial}, len(found), asked)
    if not found:
        raise of_status(404)
    [row] = with_due(found, asked.known_at or datetime.now(UTC))
    return row_of(NoticeRow, plain(row))


def _then(
    reading: Reading,
    conn: Connection[Any],
    after: Any,
    limit: int,
    known_at: datetime,
    status: Status | None,
    chosen: dict[str, Any],
) -> Slice:
    """As the record had them: who was owed what does not change, what became of it is folded from the log anew."""
    with reading.log() as log:
        found = sift(
            lambda after, block: receipts_slice(conn, after, block, until=known_at, party=reading.department, **chosen),
            lambda rows: _lives(log, rows, known_at),
            lambda row: status in (None, row["status"]),
            "owed_position",
            after,
            limit,
        )
    return replace(found, rows=with_due(found.rows, known_at))


def _lives(log: Connection[Any], rows: list[dict[str, Any]], known_at: datetime) -> list[dict[str, Any]]:
    lives = Log(log).lives((row["notice"] for row in rows), known_at)
    return [receipt_then(lives[row["notice"]]) for row in rows if row["notice"] in lives]
