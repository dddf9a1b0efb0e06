"""A department's inbox: what it has to receive, to take into supervision, or to return (2.2b–2.2d)."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response

from adapters.http import cursors
from adapters.http.problems import of_status
from domain.registers import Registers
from domain.submissions import local_date
from infra.answers import with_due
from infra.web.api.notices import Serial
from infra.web.identity import CallerOf
from infra.web.listing import Asked, note, plain_of
from infra.web.pages.acting import Back, Key, act, typed
from infra.web.pages.page import render
from infra.web.reading import Reading, ReadingNotices
from projections import lamps as lighting
from projections.approvals import approvals_slice
from projections.inbox import Tray, find_notice, inbox_slice, trays

router = APIRouter(prefix="/inbox")
BLOCK = 50
Name = Annotated[str, Form(min_length=1, max_length=200)]


@router.get("")
def inbox(
    request: Request,
    reading: ReadingNotices,
    tray: Annotated[Tray, Query()] = "outstanding",
    about: Annotated[str | None, Query(max_length=64)] = None,
    matter: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """收件箱：待签收的，最久的在前；已签收待纳入监管的。"""
    department = reading.caller.department
    after = cursors.read("inbox", cursor, (int,))
    found = inbox_slice(reading.conn, department, tray, after, BLOCK, about=about, matter=matter)
    rows = with_due(found.rows, datetime.now(UTC))
    note(reading, "inbox", {"tray": tray, "about": about, "matter": matter}, len(rows), _asked())
    return render(
        request,
        "inbox.html",
        tray=tray,
        trays=trays(reading.conn, department),
        lamps=_lamps(reading, department),
        rows=rows,
        kinds=sorted({row["about"] for row in rows} | ({about} if about else set())),
        about=about,
        matter=matter,
        following=cursors.write("inbox", [found.rows[-1]["serial"]]) if found.more else None,
        key=str(uuid.uuid4()),
        may_take="SUPERVISION" in reading.caller.roles,
        position=min(reading.positions.values()),
    )


@router.get("/{serial}")
def notice(request: Request, reading: ReadingNotices, serial: Serial) -> Response:
    """一件告知：内容、期限、经过，及可办之事。"""
    department = reading.caller.department
    found = find_notice(reading.conn, department, serial)
    asked = _asked()
    note(reading, "notice", {"department": department, "serial": serial}, int(found is not None), asked)
    if found is None:
        raise of_status(404)
    [row] = with_due([found], datetime.now(UTC))
    supervises = "SUPERVISION" in reading.caller.roles
    tells = row["root"] == "decision" and row["about"] != "duty_dispute"
    standing = row["moved_at"] is None
    plain = plain_of(reading, asked)
    return render(
        request,
        "notice.html",
        row=row | {"received_by_name": plain(row["received_by_name"])},
        case=plain(_case(reading, row["case_stream"])),
        may={
            "receive": standing and row["received_at"] is None,
            "take": standing and supervises and tells and row["received_at"] is not None and row["taken_at"] is None,
            "return": standing and supervises and tells and row["taken_at"] is None,
            "feedback": standing and supervises and tells and row["case_stream"] != "",
        },
        others=_others(request.app.state.registry.now(), row["matter"], department),
        today=local_date(datetime.now(UTC)),
        key=str(uuid.uuid4()),
        position=min(reading.positions.values()),
    )


@router.post("/receive")
async def receive(
    request: Request, caller: CallerOf, key: Key, notice: Annotated[list[str], Form()], back: Back = "/inbox"
) -> Response:
    """签收一件或几件。"""
    wishes = [(one, typed("notice.receive", timed="received_at", notice=one)) for one in dict.fromkeys(notice)]
    return await act(request, caller, wishes, key, back)


@router.post("/take")
async def take(
    request: Request, caller: CallerOf, key: Key, notice: Annotated[list[str], Form()], back: Back = "/inbox"
) -> Response:
    """纳入监管。"""
    wishes = [(one, typed("notice.take", notice=one)) for one in dict.fromkeys(notice)]
    return await act(request, caller, wishes, key, back)


@router.post("/return")
async def give_back(
    request: Request,
    caller: CallerOf,
    key: Key,
    notice: Name,
    proposed: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(min_length=1, max_length=4000)],
    back: Back = "/inbox",
) -> Response:
    """退回，说明缘由与应归的部门。"""
    wish = typed("notice.return", notice=notice, proposed=proposed, reason=reason)
    return await act(request, caller, [(notice, wish)], key, back)


@router.post("/feedback")
async def raise_feedback(
    request: Request,
    caller: CallerOf,
    key: Key,
    number: Annotated[str, Form(min_length=1, max_length=64)],
    case_organ: Annotated[str, Form(max_length=64)],
    case_number: Annotated[str, Form(max_length=64)],
    found_on: Annotated[date, Form()],
    suggestion: Annotated[str, Form(max_length=20)],
    detail: Annotated[str, Form(min_length=1, max_length=4000)],
    back: Back = "/inbox",
) -> Response:
    """监管反馈：发现的情况与建议。"""
    wish = typed(
        "feedback.raise",
        number=number,
        case_organ=case_organ,
        case_number=case_number,
        found_on=found_on.isoformat(),
        suggestion=suggestion,
        detail=detail,
    )
    return await act(request, caller, [(number, wish)], key, back)


def _lamps(reading: Reading, department: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in lighting.lamps(reading.conn, local_date(datetime.now(UTC)), department):
        if row["kind"].startswith("receive"):
            found[row["lamp"]] += row["count"]
    return found


def _case(reading: Reading, stream: str) -> dict[str, Any] | None:
    """What the notice is about."""
    found = approvals_slice(reading.conn, None, 1, stream=stream).rows if stream else []
    return found[0] if found else None


def _others(registers: Registers, matter: str, department: str) -> list[tuple[str, str]]:
    """Departments that a notice may go to instead: first those that supervise the matter."""
    today = local_date(datetime.now(UTC))
    named = [one.department for one in registers.supervisors(matter, today)] if matter in registers.matters else []
    own = registers.departments[department].region[:4]
    all_ = [
        one
        for one in registers.departments.values()
        if "SUPERVISION" in one.roles and one.code != department and not registers.ceased(one.code, today)
    ]
    ordered = sorted(all_, key=lambda one: (one.code not in named, one.region[:4] != own, one.code))
    return [(one.code, one.name) for one in ordered]


def _asked() -> Asked:
    return Asked(None, BLOCK, None, False, None, "json")
