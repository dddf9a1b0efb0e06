"""A case: its facts, the two-way record as a timeline, and travelling through it in time (1.1, 2.2, 3.3e)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from adapters.http import cursors
from domain.cases import case_stream
from infra.answers import APPROVAL, ATTEMPT, RECEIPT
from infra.web.api import cases as api
from infra.web.api.case_rows import CaseAnswer, Difference, StepRow
from infra.web.api.cases import require_case
from infra.web.api.differences import difference
from infra.web.filters import NumberPath, OrganPath
from infra.web.listing import Asked, AskedFor, note, plain_of, row_of
from infra.web.pages.cells import case_path
from infra.web.pages.page import address, render
from infra.web.reading import Reading, ReadingCases
from infra.web.times import MomentText, known_at_of
from projections.attempts import attempts_slice
from projections.moments import days_of, moment_of, number_at
from projections.two_way import steps_slice

router = APIRouter(prefix="/cases")
STEPS = 200
"""On one page of the record."""


class Travel(NamedTuple):
    """Where in the record one stands: at step `at` of `whole`; `days` are [first step, day] for the slider's mark."""

    at: int
    whole: int
    days: list[tuple[int, str]]


@router.get("/{organ}/{number}")
def case(
    request: Request,
    reading: ReadingCases,
    asked: AskedFor,
    organ: OrganPath,
    number: NumberPath,
    at_step: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    compare: Annotated[MomentText | None, Query()] = None,
) -> Response:
    """一件办件：当时所知的事实、告知与签收、双向记录；两个时刻之间的差异。"""
    stream = case_stream(organ, number)
    if at_step is not None:
        chosen = {"organ": organ, "number": number, "at_step": at_step}
        unmasked = replace(asked, reveal=False)
        require_case(reading, "case", chosen, unmasked)
        moment = moment_of(reading.conn, stream, at_step)
        note(reading, "case", chosen, int(moment is not None), unmasked)
        given = {"as_known_at": moment.astimezone(UTC).isoformat() if moment else None, "compare": compare}
        return RedirectResponse(address(case_path(stream), given), 303)
    found = api.case(reading, replace(asked, cursor=None), Response(), organ, number)
    after = cursors.read("steps", asked.cursor, (int,))
    steps = steps_slice(reading.conn, stream, after, STEPS, known_at=asked.known_at)
    plain = plain_of(reading, asked)
    changed = _changed(reading, asked, organ, number, compare) if compare is not None else None
    whole, known = _whole(reading, stream, asked.known_at)
    may_act = not reading.caller.inspector
    return render(
        request,
        "case.html",
        organ=organ,
        number=number,
        facts=_facts(found),
        state=found.state,
        case=found.case,
        notices=found.notices,
        notices_total=found.notices_total,
        notice_columns=[one for one in RECEIPT if one.zh and one.key in _NOTICE],
        feedback=found.feedback,
        steps=[(step, side(step, organ)) for step in (row_of(StepRow, plain(row)) for row in steps.rows)],
        following=cursors.write("steps", [steps.rows[-1]["position"]]) if steps.more else None,
        travel=known,
        whole=whole,
        known_at=asked.known_at,
        compare=compare,
        compared=known_at_of(compare),
        changed=changed,
        field_words={one.key: (one.zh, one.en) for one in (*RECEIPT, *APPROVAL) if one.zh} | _FIELDS,
        attempts=_attempts(reading, asked, stream, found),
        attempt_columns=[one for one in ATTEMPT if one.zh],
        may_reveal=reading.caller.may_see_persons,
        revealed=asked.reveal,
        may_dispose=may_act and reading.caller.department == organ,
        key=str(uuid.uuid4()),
        position=found.position,
        now_at=datetime.now(UTC).replace(microsecond=0).isoformat(),
    )


_NOTICE = {
    *("department", "serial", "about", "status", "owed_at", "due_on", "lamp", "channel", "dispatched_at"),
    *("delivered_at", "received_at", "received_by", "received_by_name", "taken_at", "moved_at", "deemed_at"),
}
_FIELDS = {
    "licence": ("证照状态", "licence"),
    "outcome": ("决定", "outcome"),
    "accepted_on": ("受理日期", "accepted on"),
    "valid_from": ("有效期自", "valid from"),
    "decided_by": ("决定部门", "decided by"),
    "certificate": ("证照", "certificate"),
    "electronic_id": ("电子证照标识", "electronic licence"),
    "due_on": ("签收期限", "due"),
    "returned_at": ("退回", "returned"),
    "returned_to": ("退回至", "returned to"),
    "moved_to": ("移交至", "moved to"),
    "ended_on": ("终止日期", "ended on"),
    "suspensions": ("暂扣、停止执行", "suspensions"),
    "terms": ("有效期各段", "terms"),
    "decision_recorded_at": ("决定记录时间", "decision recorded"),
    "decision_position": ("决定的日志位置", "decision's log position"),
    "power_since": ("权力自", "power since"),
    "last_change_on": ("变动日期", "changed on"),
    "matter": ("事项", "matter"),
    "waited": ("签收用工作日", "working days to receipt"),
    "pressed_at": ("最近催办", "last pressed"),
}


def side(step: StepRow, organ: str) -> str:
    """Whose doing it is: the approving side's, the supervising side's, or the system's own."""
    if step.from_department is None:
        return "system"
    return "approval" if step.from_department == organ else "supervision"


def _facts(found: CaseAnswer) -> list[tuple[str, str, str, Any]]:
    """(key, 中文, English, value) of what is said of a case."""
    case, state = found.case, found.state
    return [
        ("matter_name", "事项", "Matter", case.matter_name),
        ("organ", "受理部门", "Organ", case.organ),
        ("party_name", "相对人", "Party", case.party_name),
        ("uscc", "统一社会信用代码", "USCC", case.uscc),
        ("accepted_on", "受理日期", "Accepted on", case.accepted_on),
        ("decided_on", "决定日期", "Decided on", case.decided_on),
        ("decided_by", "决定部门", "Decided by", case.decided_by),
        ("officer", "经办人", "Officer", " ".join(filter(None, (case.officer, case.officer_name)))),
        ("document_number", "文号", "Document", case.document_number),
        ("power_basis", "权力依据", "Power by", case.power_basis),
        ("power_since", "权力自", "Power since", case.power_since),
        ("licence_number", "证照号", "Licence number", case.licence_number),
        ("certificate", "证照", "Certificate", case.certificate),
        ("valid_from", "有效期自", "Valid from", case.valid_from),
        ("valid_to", "有效期至", "Valid to", case.valid_to),
        ("seals", "用印", "Seals", state.seals or None),
        ("ended_by", "终止方式", "Ended by", case.ended_by),
        ("ended_on", "终止日期", "Ended on", case.ended_on),
        ("last_change", "最近变动", "Last change", case.last_change),
    ]


def _whole(reading: Reading, stream: str, known_at: datetime | None) -> tuple[int, Travel]:
    days = days_of(reading.conn, stream)
    firsts: list[tuple[int, str]] = []
    count = 0
    for day, number in days:
        firsts.append((count + 1, day.isoformat()))
        count += number
    at = count if known_at is None else number_at(reading.conn, stream, known_at)
    return count, Travel(at, count, firsts)


def _changed(reading: Reading, asked: Asked, organ: str, number: str, compare: str) -> Difference:
    """From the earlier of the two moments to the later, whichever was given first."""
    other = known_at_of(compare)
    until = asked.known_at or datetime.now(UTC)
    assert other is not None
    first, last = sorted((other, until))
    return difference(
        reading, Response(), organ, number, first.isoformat(), last.isoformat(), STEPS, asked.reveal, asked.reason
    )


def _attempts(reading: Reading, asked: Asked, stream: str, found: CaseAnswer) -> list[dict[str, Any]]:
    """What was refused about it, its notices and feedback, of what the caller may see."""
    if reading.caller.scope("attempts") is None:
        return []
    about = [stream, *(f"notice/{one.notice}" for one in found.notices), *(one.stream for one in found.feedback)]
    return attempts_slice(reading.conn, None, STEPS, about=about, known_at=asked.known_at).rows
