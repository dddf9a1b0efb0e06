"""Statistics of two-way notification (2.2k): rates with what they were divided by, as known at the end of any day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import typer
from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.exports import FILES, Form, export
from adapters.http.problems import Fault, Problem, responses
from domain.notices import About
from infra import statistics as told
from infra.presentation import Column, known_at
from infra.web.book import secret
from infra.web.listing import Asked as AskedList
from infra.web.listing import Listed, Listing, answer, note, tagged
from infra.web.pages.page import language
from infra.web.published import end_of, known_by
from infra.web.reading import Reading, reading
from infra.web.registry import Registry
from infra.web.times import MomentText, true_on
from projections.page import Slice
from projections.rates import IN_TIME
from projections.statistics import OVERDUE_KEY, Asked, Known, overdue_slice

router = APIRouter(prefix="/statistics", tags=["statistics"])
By = Literal["department", "matter", "region", "day", "month", "quarter", "year"]
Ranked = Literal["department", "matter", "region"]
RateKey = Literal[
    "dispatch_rate",
    "receipt_rate",
    "timely_receipt_rate",
    "return_rate",
    "feedback_rate",
    "timely_feedback_rate",
    "disposition_rate",
]


class Fraction(BaseModel):
    """A rate, and what was divided by what; of nothing there is no rate."""

    rate: float | None
    part: int
    whole: int


class Mean(BaseModel):
    days: float | None
    receipts: int


class Figures(BaseModel):
    """Counters and rates, as docs/reference/statistics.md says: owed = received + deemed + moved + outstanding."""

    owed: int
    received: int
    deemed: int
    moved: int
    outstanding: int
    returned: int
    dispatched: int
    dispatch_due: int
    dispatched_in_time: int
    due: int
    received_in_time: int
    overdue: int
    overdue_outstanding: int
    undated: int
    receipts_dated: int
    receipt_days: int
    late_ended: int
    cases_told: int
    cases_with_feedback: int
    feedback_raised: int
    feedback_disposed: int
    answer_due: int
    answered_in_time: int
    dispatch_rate: Fraction
    receipt_rate: Fraction
    timely_receipt_rate: Fraction
    return_rate: Fraction
    feedback_rate: Fraction
    timely_feedback_rate: Fraction
    disposition_rate: Fraction
    mean_receipt_days: Mean


class Line(Figures):
    """Of what, by code and name. `rank`: by the rate that was asked for, where ranks were; none without a rate, nor
    among others whom the caller is not shown."""

    rank: int | None
    key: str
    name: str


class Statistics(BaseModel):
    """`as_known_at`: as the log knew it at the end of that day; `limits_ended`: time limits are counted as far as that
    day; `position`: events up to here are counted, `complete`: which are all that were recorded by then."""

    as_known_at: date
    limits_ended: date
    since: date | None
    until: date | None
    by: By | None
    rank: RateKey | None
    items: list[Line]
    total: Figures
    position: int
    complete: bool


class OverdueRow(BaseModel):
    """A notice that fell due unreceived and still lay so; `days_over` in working days, null where the calendar is not
    known."""

    department: str
    serial: int
    case: str
    case_stream: str
    matter: str
    about: str
    owed_on: date
    due_on: date
    days_over: int | None
    notice: str


OVERDUE = Listing("overdue", OVERDUE_KEY, told.OVERDUE, OverdueRow)


class Chosen:
    """What statistics are asked for, and how."""

    def __init__(
        self,
        department: Annotated[str | None, Query(description="哪个部门的")] = None,
        matter: Annotated[str | None, Query(description="哪个事项的")] = None,
        about: Annotated[About | None, Query(description="由何而起的告知，如 decision")] = None,
        since: Annotated[MomentText | None, Query(description="何日起应告知、提出的")] = None,
        until: Annotated[MomentText | None, Query(description="至何日")] = None,
        as_known_at: Annotated[MomentText | None, Query(description="何日结束时所知，只给日期")] = None,
    ) -> None:
        first, last = (
            true_on(text, f"query.{name}") if text else None for name, text in (("since", since), ("until", until))
        )
        if first is not None and last is not None and first > last:
            raise _wrong("query.until", "date.order", "must not be before since")
        self.asked = Asked(department, matter, about, first, last)
        self.known = _known(as_known_at)
        self.known_at: datetime | None = known_at(as_known_at)
        given = {"department": department, "matter": matter, "about": about, "since": since, "until": until}
        self.filters = given | {"as_known_at": as_known_at}


Wanted = Annotated[Chosen, Depends()]
ReadingStatistics = Annotated[Reading, Depends(reading("statistics"), scope="function")]
ReadingNotices = Annotated[Reading, Depends(reading("notices"), scope="function")]
FormWanted = Annotated[Literal["json"] | Form, Query(alias="format", description="json，或整份文件")]


@router.get("", response_model=Statistics, responses={**FILES, **responses(401, 403, 422)})
def statistics(
    reading: ReadingStatistics,
    chosen: Wanted,
    response: Response,
    by: Annotated[By | None, Query(description="按部门、事项、盟市，或按日、月、季度、年；不给则只有合计")] = None,
    form: FormWanted = "json",
) -> Any:
    """统计：推送、签收、退回、反馈、处理各率及其分子分母，截至任一日结束时所知；以后登记的不改变以前的答案。"""
    return _answer(reading, chosen, response, "statistics", by, None, 10**6, form)


@router.get("/ranking", response_model=Statistics, responses={**FILES, **responses(401, 403, 422)})
def ranking(
    reading: ReadingStatistics,
    chosen: Wanted,
    response: Response,
    by: Annotated[Ranked, Query(description="部门、事项或盟市")] = "department",
    rank: Annotated[RateKey, Query(description="按哪个率")] = IN_TIME.key,  # type: ignore[assignment]
    limit: Annotated[int, Query(ge=1, le=500, description="前几名")] = 50,
    form: FormWanted = "json",
) -> Any:
    """排名：部门、事项或盟市按一个率由高到低，同率同名次，无率的在后；只能看本部门的，不知名次。"""
    return _answer(reading, chosen, response, "ranking", by, rank, limit, form)


@router.get("/overdue", response_model=Listed[OverdueRow], responses={**FILES, **responses(401, 403, 422)})
def overdue(
    reading: ReadingNotices,
    chosen: Wanted,
    response: Response,
    cursor: Annotated[str | None, Query(description="接着上一页", max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    reason: Annotated[str | None, Query(max_length=4000)] = None,
    form: FormWanted = "json",
) -> Any:
    """逾期未签收的告知，截至任一日结束时所知；逾期最久的在前。"""
    registers = _registers(reading, chosen)

    def find(conn: Connection[Any], after: Sequence[Any] | None, most: int) -> Slice:
        found = overdue_slice(conn, after, most, chosen.asked, chosen.known)
        return Slice([told.overdue_row(row, registers, chosen.known) for row in found.rows], found.more)

    asked = AskedList(cursor, limit, chosen.known_at, False, reason, form)
    return answer(OVERDUE, reading, asked, response, find, chosen.filters)


def _answer(
    reading: Reading,
    chosen: Chosen,
    response: Response,
    name: str,
    by: By | None,
    rank: RateKey | None,
    most: int,
    form: Literal["json"] | Form,
) -> Any:
    zh = language(reading.request) == "zh"
    registers = _registers(reading, chosen)
    tag = tagged(reading, name)
    hidden = secret(reading, registers)
    but = hidden & {chosen.asked.matter}  # of all matters together they are a part
    parts, total = told.parts_of(reading.conn, registers, by, chosen.asked, chosen.known, zh, but)
    rows = [_line(one) for one in parts if by != "matter" or one.key not in hidden]
    if rank is not None and reading.department is None:
        rows = told.ranked(rows, rank)
    rows = [{"rank": None, **row} for row in rows[:most]]
    filters = {**chosen.filters, "by": by, "rank": rank, "format": None if form == "json" else form}
    note(reading, name, filters, len(rows), AskedList(None, most, chosen.known_at, False, None, form))
    if form != "json":
        return _file(form, name, by, rows or [told.figures(total)], zh)
    response.headers["ETag"] = tag
    position = reading.positions["daily"]
    with reading.log() as log:
        complete = known_by(log, position, end_of(chosen.known.on))
    return Statistics(
        as_known_at=chosen.known.on,
        limits_ended=chosen.known.ended,
        since=chosen.asked.since,
        until=chosen.asked.until,
        by=by,
        rank=rank,
        items=[Line.model_validate(row) for row in rows],
        total=Figures.model_validate(told.figures(total)),
        position=position,
        complete=complete,
    )


def _registers(reading: Reading, chosen: Chosen) -> Any:
    """As they were known then; the answer rests on them too."""
    registry: Registry = reading.request.app.state.registry
    registers, position = registry.present()
    reading.edition = f"registers {position}"
    return registers if chosen.known_at is None else registry.then(chosen.known_at)


def _line(part: told.Part) -> dict[str, Any]:
    return {"key": part.key, "name": part.name, **told.figures(part.counts)}


def _file(form: Form, name: str, by: By | None, rows: Sequence[Mapping[str, Any]], zh: bool) -> Response:
    shape: list[Column] = told.exported(by)
    shown = [told.flat(row) for row in rows]
    headings = [(column.zh if zh else column.en) or column.key for column in shape]
    return export(form, name, [one.key for one in shape], headings, ([row.get(c.key) for c in shape] for row in shown))


def _known(text: str | None) -> Known:
    try:
        return told.known_on(text)
    except typer.BadParameter:
        raise _wrong("query.as_known_at", "statistics.day", "must be a day that has come, without a time") from None


def _wrong(field: str, rule: str, message: str) -> Problem:
    fault = Fault(field=field, rule=rule, message=message)
    return Problem(422, "所填内容有误", "fields are wrong", faults=[fault])
