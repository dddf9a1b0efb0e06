"""Feedback threads: what a supervisor found, and what the approving side made of it, to the end (2.2e, 2.2f)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel

from domain.clock_state import ClockEvent
from domain.clocks import Lamp, lamp
from domain.event import Recorded
from domain.submissions import local_date
from domain.supervision import FeedbackStatus, Outcome, Suggestion
from infra.presentation import columns
from projections.feedback import PREFIX, thread_then
from projections.working_days import CHINA

FEEDBACK = columns("""
    stream
    department | 监管部门 | supervisor
    number | 反馈号 | feedback
    case_stream
    case | 办件号 | case
    matter
    organ | 审批部门 | organ
    found_on | 发现日期 | found
    suggestion | 建议 | suggestion
    status | 状态 | status
    outcome | 处理结果 | outcome
    replies | 异议次数 | replies
    recorded_at | 反馈时间 | raised
    disposed_at | 处理时间 | disposed of
    closed_at | 办结时间 | closed
    due_on | 答复期限 | answer due
    lamp | 灯 | lamp
    overdue | 逾期 | overdue
    exchange | 往来 | exchange
""")
BeijingTime = Annotated[datetime, AfterValidator(lambda at: at.astimezone(CHINA))]


class SaidRow(BaseModel):
    """One turn of a thread, `kind` the event's topic: 反馈, 处理, 异议, 办结. `text`: the finding, or the reason."""

    kind: str
    recorded_at: BeijingTime
    occurred_at: BeijingTime
    department: str | None
    officer: str | None
    officer_name: str | None
    outcome: Outcome | None
    text: str | None


class FeedbackRow(BaseModel):
    """One thread. `department`: the supervisor; `organ`: who is to answer, until `due_on`; `outcome`: of the last
    disposition; `lamp`, `overdue`: null where nothing runs."""

    stream: str
    department: str
    number: str
    case_stream: str
    case: str
    matter: str
    organ: str
    found_on: date
    suggestion: Suggestion
    status: FeedbackStatus
    outcome: Outcome | None
    replies: int
    exchange: list[SaidRow]
    recorded_at: datetime
    disposed_at: datetime | None
    closed_at: datetime | None
    due_on: date | None
    due_limit: str | None
    due_document: str | None
    due_calendar: str | None
    lamp: Lamp | None
    overdue: bool | None
    rungs: int
    pressed_at: datetime | None


def with_lamp(rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Adds `case`, and, while an answer is awaited, the `lamp` and `overdue`: null where the calendar is unknown."""
    made = []
    for row in rows:
        shows, overdue = None, None
        if row["status"] == "open" and row["due_limit"] is not None:
            shows = lamp(row["due_on"], row["yellow_on"], None, local_date(now))
            overdue = None if row["due_on"] is None else shows == "red"
            shows = "paused" if row["suspended_on"] else shows
        made.append(row | {"case": row["case_stream"].rpartition("/")[2], "lamp": shows, "overdue": overdue})
    return made


def threads_in(events: Iterable[Recorded], known_at: datetime | None) -> list[dict[str, Any]]:
    """The threads among these events, in the order of their raising."""
    found: dict[str, list[Recorded]] = {}
    for one in events:
        event = one.event
        stream = event.clock if isinstance(event, ClockEvent) else event.originator_id
        if stream.startswith(PREFIX):
            found.setdefault(stream, []).append(one)
    return with_lamp([thread_then(lives) for lives in found.values()], known_at or datetime.now(UTC))
