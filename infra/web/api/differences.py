"""What changed about a case between two moments of the record (3.3e)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from adapters.http import cursors
from adapters.http.problems import Fault, Problem, responses
from adapters.postgres.log import Log
from domain.clock_state import ClockEvent
from domain.event import Recorded
from infra.answers import with_due
from infra.web.api.case_rows import CaseRow, Changed, Difference, NoticeChanged, StepRow
from infra.web.api.cases import STEPS, names_of, record_of, require_case
from infra.web.api.notices import NoticeRow
from infra.web.filters import NumberPath, OrganPath
from infra.web.listing import MOST, Asked, note, plain_of, row_of, tagged
from infra.web.reading import ReadingCases
from infra.web.times import MomentText, known_at_of
from projections.approvals import approval_then
from projections.receipts import receipt_then
from projections.two_way import PREFIX, notices_of, steps_of, steps_slice

router = APIRouter(tags=["cases"])
Row = Mapping[str, Any]
_FOLLOWS = {"last_position"}
"""Of a case: that it changes says no more than that something was recorded."""
_NAMES = {"notice", "department", "serial", "case_stream", "case", "root", "owed_position"}
"""Of a notice: what it is, not what became of it."""


@router.get("/cases/{organ}/{number}/difference", responses=responses(401, 403, 404, 422))
def difference(
    reading: ReadingCases,
    response: Response,
    organ: OrganPath,
    number: NumberPath,
    since: Annotated[MomentText, Query(alias="from", description="此时之后；只给日期则自当日结束")],
    until: Annotated[MomentText, Query(alias="to", description="到此时为止；只给日期则到当日结束")],
    limit: Annotated[int, Query(ge=1, le=MOST, description="最多几步")] = 50,
    reveal: Annotated[bool, Query(description="显示完整的个人信息，限职责所需")] = False,
    reason: Annotated[str | None, Query(max_length=4000, description="监察查阅个人信息的事由")] = None,
) -> Difference:
    """两个时刻之间记录了什么，审批与告知的哪些字段由何值变为何值。"""
    first, last = known_at_of(since), known_at_of(until)
    if first is None or last is None or first > last:
        fault = Fault(field="query.to", rule="time.order", message="must not be before `from`")
        raise Problem(422, "起止时间有误", "`from` and `to` are out of order", faults=[fault])
    asked = Asked(None, limit, last, reveal, reason, "json")
    plain = plain_of(reading, asked)
    tag = tagged(reading, "case-difference")
    chosen = {"organ": organ, "number": number, "from": since, "to": until}
    stream = require_case(reading, "case-difference", chosen, asked)
    span = {"known_after": first, "known_at": last}
    recorded = steps_of(reading.conn, stream, **span)
    note(reading, "case-difference", chosen, recorded, asked)
    names = notices_of(reading.conn, stream, **span)
    after = record_of(reading, stream, last, ())
    before = [one for one in after if one.recorded_at <= first]
    names = list(dict.fromkeys((*names, *pressed_in(after, first))))
    with reading.log() as log:
        lives = Log(log).lives(names[-limit:], last)
    steps = steps_slice(reading.conn, stream, None, limit, **span)
    response.headers["ETag"] = tag
    name = names_of(reading)
    old, new = (approval_then(events, name) or {} for events in (before, after))
    # At one moment, so that a lamp is seen to change because of what was recorded, not because of time.
    now = with_due([receipt_then(lives[one]) for one in names[-limit:]], last)
    known = ([one for one in life if one.recorded_at <= first] for life in lives.values())
    was = {row["notice"]: row for row in with_due([receipt_then(life) for life in known if life], last)}
    return Difference(
        organ=organ,
        number=number,
        since=plain(first),
        until=plain(last),
        new=not old and bool(new),
        recorded=recorded,
        steps=[row_of(StepRow, plain(step)) for step in steps.rows],
        next=cursors.write(STEPS.name, [steps.rows[-1]["position"]]) if steps.more else None,
        complete=not steps.more,
        case=[] if not old else changed(old, new, CaseRow, _FOLLOWS, plain),
        notices=[
            NoticeChanged(
                notice=row["notice"],
                department=row["department"],
                serial=row["serial"],
                new=row["notice"] not in was,
                changes=changes,
            )
            for row in now
            if (changes := changed(was.get(row["notice"], {}), row, NoticeRow, _NAMES, plain))
        ],
        notices_total=len(names),
        position=min(reading.positions.values()),
    )


def pressed_in(events: Iterable[Recorded], since: datetime) -> list[str]:
    """The notices to whose clocks something was done after a moment."""
    clocks = (one.event.clock for one in events if isinstance(one.event, ClockEvent) and one.recorded_at > since)
    return list(dict.fromkeys(clock.removeprefix(PREFIX) for clock in clocks if clock.startswith(PREFIX)))


def changed(old: Row, new: Row, shape: type[BaseModel], without: Collection[str], plain: Any) -> list[Changed]:
    """The fields of a shape whose values differ, told by what is stored and not by what is shown of it."""
    return [
        Changed(field=name, before=plain(old.get(name)), after=plain(new.get(name)))
        for name in shape.model_fields
        if name not in without and old.get(name) != new.get(name)
    ]
