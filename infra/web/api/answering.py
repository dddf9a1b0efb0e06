"""Who answers for what in a case, and its tasks 关联业务 (1.1d, 2.3)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from adapters.postgres.log import Log
from domain.cases import CaseAccepted
from domain.submissions import local_date
from domain.tasks import TasksState, Work, tasks_stream
from infra.liability import LIABILITY, liability_rows
from infra.tasks import TASK, task_row
from infra.web.api.cases import record_of, require_case
from infra.web.book import listed, registers_of
from infra.web.filters import NumberPath, OrganPath
from infra.web.listing import AskedFor, Listed, Listing
from infra.web.reading import ReadingCases

router = APIRouter(tags=["cases"])


class LiabilityRow(BaseModel):
    """Who answers. `answers_for`: the duties of its item in the list of that side; `status`: of the decision, or of the
    `notice` by which a supervisor has answered for it since."""

    side: Literal["approval", "supervision"]
    department: str | None
    officer: str | None
    answers_for: list[str]
    since: date
    basis: str | None
    status: str
    notice: str | None


class TaskRow(BaseModel):
    """A task. `parties`: who carries it out; `owing`: who of them has not yet."""

    task: str
    work: Work
    status: Literal["pending", "passed", "failed", "dropped"]
    parties: list[str]
    owing: list[str]
    opened_on: date
    due_on: date | None
    ended_on: date | None
    overdue: bool | None


LIABILITIES = Listing("case-liability", ("side", "place"), LIABILITY, LiabilityRow)
TASKS = Listing("case-tasks", ("place",), TASK, TaskRow)
_ANSWERS = {**FILES, **responses(401, 403, 404, 422)}


@router.get("/cases/{organ}/{number}/liability", response_model=Listed[LiabilityRow], responses=_ANSWERS)
def liability(reading: ReadingCases, asked: AskedFor, response: Response, organ: OrganPath, number: NumberPath) -> Any:
    """一件办件的责任：由谁审批、依据什么权力，由谁监管、自何时起。"""
    chosen = {"organ": organ, "number": number}
    stream = require_case(reading, LIABILITIES.name, chosen, asked)
    events, models = record_of(reading, stream, asked.known_at), reading.positions
    registers = registers_of(reading, asked)
    reading.edition, reading.positions = f"registers {reading.positions['registers']}", models
    found = liability_rows(registers, events, stream) if any(isinstance(e.event, CaseAccepted) for e in events) else []
    rows = [row | {"place": place, "since": _day(row["since"])} for place, row in enumerate(found)]
    return listed(LIABILITIES, reading, asked, response, rows, chosen)


@router.get("/cases/{organ}/{number}/tasks", response_model=Listed[TaskRow], responses=_ANSWERS)
def tasks(reading: ReadingCases, asked: AskedFor, response: Response, organ: OrganPath, number: NumberPath) -> Any:
    """一件办件的关联业务：责任方、期限与结果。"""
    chosen = {"organ": organ, "number": number}
    require_case(reading, TASKS.name, chosen, asked)
    name = tasks_stream(organ, number)
    with reading.log() as conn:
        events = Log(conn).stream(name, asked.known_at)
        reading.positions = {"log": Log(conn).head()}
    on = local_date(asked.known_at or datetime.now(UTC))
    known = TasksState(name).folded(one.event for one in events).tasks.values()
    rows = [task_row(one, on) | {"place": place} for place, one in enumerate(known)]
    return listed(TASKS, reading, asked, response, rows, chosen)


def _day(since: date | datetime) -> date:
    return local_date(since) if isinstance(since, datetime) else since
