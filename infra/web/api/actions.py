"""What an officer does with what he sees: short forms of submissions, each answered as a submission is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from adapters.http.problems import Problem, ProblemDetails, of_status, responses
from adapters.postgres.log import Log
from domain.access import Caller
from domain.notices import NoticeOwed
from domain.signed_receipts import ReceiptJws, read_receipt
from infra.web.api.notices import DepartmentCode, Serial
from infra.web.api.submissions import (
    ANSWERS,
    REFUSALS,
    IdempotencyKey,
    Prefer,
    at_once,
    checked_key,
    handed_in,
)
from infra.web.handing import Handing, Wish, preferred_wait, require_department
from infra.web.identity import CallerOf, find_caller
from infra.web.outcomes import Outcome

router = APIRouter(tags=["actions"])
OF_ONE = {**ANSWERS, **responses(404)}
MOST = 200
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Number = Annotated[str, Path(pattern=r"^[^\s/\x00-\x1f]{1,64}$", description="反馈编号")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Receipt(Body):
    """`received_at`: when the officer received it; by default now."""

    received_at: AwareDatetime | None = None


class OneReceipt(Receipt):
    """`receipt`: the same, signed, a compact JWS over the notice's leaf; `received_at` is by default what it says."""

    receipt: ReceiptJws | None = None


class Receipts(Receipt):
    serials: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(min_length=1, max_length=MOST)


class Return(Body):
    """`proposed`: whose it is instead."""

    proposed: Code
    reason: Prose


class Feedback(Body):
    """A finding about a permit, under a number of the supervisor's own."""

    number: Annotated[str, StringConstraints(max_length=64)]
    case_organ: Code
    case_number: Annotated[str, StringConstraints(max_length=64)]
    found_on: Annotated[str, StringConstraints(max_length=40)] = Field(examples=["2026-03-02"])
    suggestion: Literal["none", "rectify", "suspend", "revoke", "change"]
    detail: Prose


class Disposition(Body):
    outcome: Literal["adopted", "partly", "not"]
    reason: Prose


class Reply(Body):
    detail: Prose


class Retry(Body):
    """`place`: as the list of dead letters shows it."""

    place: Annotated[str, StringConstraints(max_length=100)]


class ReceiptOf(BaseModel):
    """What came of one serial: the submission that it became, or why it became none."""

    serial: int
    status: int
    outcome: Outcome | None = None
    problem: ProblemDetails | None = None


class ReceiptsAnswer(BaseModel):
    items: list[ReceiptOf]


def speaker(request: Request, caller: CallerOf, department: DepartmentCode) -> Caller:
    """The caller, for the department that the address names, if he speaks for it."""
    require_department(caller)
    if department not in caller.departments:
        raise Problem(403, "不得以其他部门的名义提交", "nobody speaks for another department", detail=department)
    found = caller if department == caller.department else find_caller(request, department)
    assert found is not None
    return found


@router.post("/departments/{department}/notices/{serial}/receipt", response_model=Outcome, responses=OF_ONE)
async def receive(
    request: Request,
    response: Response,
    caller: CallerOf,
    department: DepartmentCode,
    serial: Serial,
    receipt: OneReceipt | None = None,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """签收一件告知。"""
    caller, notice = await _notice(request, caller, department, serial)
    wish = _receipt(notice, receipt or OneReceipt())
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/departments/{department}/notices/{serial}/supervision", response_model=Outcome, responses=OF_ONE)
async def take(
    request: Request,
    response: Response,
    caller: CallerOf,
    department: DepartmentCode,
    serial: Serial,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """纳入监管。"""
    caller, notice = await _notice(request, caller, department, serial)
    wish = Wish("notice.take", {"notice": notice}, inside="path")
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/departments/{department}/notices/{serial}/return", response_model=Outcome, responses=OF_ONE)
async def give_back(
    request: Request,
    response: Response,
    caller: CallerOf,
    department: DepartmentCode,
    serial: Serial,
    returned: Return,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """退回一件告知，并说明应归谁。"""
    caller, notice = await _notice(request, caller, department, serial)
    wish = Wish("notice.return", {"notice": notice, **returned.model_dump()}, inside="body")
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/departments/{department}/receipts", response_model=ReceiptsAnswer, responses=REFUSALS)
async def receive_many(
    request: Request,
    caller: CallerOf,
    department: DepartmentCode,
    receipts: Receipts,
    prefer: Prefer = None,
    idempotency_key: Annotated[str | None, Header(description="同单件签收；对每个编号各自有效")] = None,
) -> ReceiptsAnswer:
    """批量签收：每个编号各有结果。"""
    caller = await run_in_threadpool(speaker, request, caller, department)
    serials = list(dict.fromkeys(receipts.serials))
    key = checked_key(idempotency_key)
    notices = await run_in_threadpool(_notices, request, department, serials)
    whole = ",".join(map(str, sorted(serials)))
    handing: Handing = request.app.state.handing
    waiting = preferred_wait(prefer)

    async def one(serial: int) -> ReceiptOf:
        try:
            if serial not in notices:
                raise of_status(404)
            wish = _receipt(notices[serial], receipts)._replace(whole=whole)
            own = None if key is None else f"{key}#{serial}"
            found = await handing.submit(request, caller, wish, own, waiting)
        except Problem as problem:
            return ReceiptOf(serial=serial, status=problem.details.status, problem=problem.details)
        return ReceiptOf(serial=serial, status=202 if found.disposition is None else 200, outcome=found)

    return ReceiptsAnswer(items=await asyncio.gather(*map(one, serials)))


@router.post("/feedback", response_model=Outcome, responses=ANSWERS)
async def raise_feedback(
    request: Request,
    response: Response,
    caller: CallerOf,
    feedback: Feedback,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """监管反馈：对一件许可的发现与建议。"""
    wish = Wish("feedback.raise", feedback.model_dump(), inside="body")
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/feedback/{supervisor}/{number}/disposition", response_model=Outcome, responses=ANSWERS)
async def dispose(
    request: Request,
    response: Response,
    caller: CallerOf,
    supervisor: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    number: Number,
    disposition: Disposition,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """处理一件反馈：采纳、部分采纳或不采纳，附理由。"""
    wish = _of_feedback("dispose", supervisor, number, disposition.model_dump())
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/feedback/{supervisor}/{number}/reply", response_model=Outcome, responses=ANSWERS)
async def reply(
    request: Request,
    response: Response,
    caller: CallerOf,
    supervisor: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    number: Number,
    said: Reply,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """对处理有异议：反馈重新待处理。"""
    wish = _of_feedback("reply", supervisor, number, said.model_dump())
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/feedback/{supervisor}/{number}/closure", response_model=Outcome, responses=ANSWERS)
async def close(
    request: Request,
    response: Response,
    caller: CallerOf,
    supervisor: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    number: Number,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """对处理无异议：反馈办结。"""
    wish = _of_feedback("close", supervisor, number, {})
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.post("/deadletters/retry", response_model=Outcome, responses=ANSWERS)
async def retry(
    request: Request,
    response: Response,
    caller: CallerOf,
    letter: Retry,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """重试一件死信：原样再裁定一次，限运维。"""
    wish = Wish("deadletter.retry", letter.model_dump(), inside="body")
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


def _receipt(notice: str, receipt: Receipt) -> Wish:
    jws = receipt.receipt if isinstance(receipt, OneReceipt) else None
    at = receipt.received_at
    if jws is not None:
        at = at or read_receipt(jws).statement.received_at
    data = {"notice": notice, "received_at": at_once(at)} | ({} if jws is None else {"receipt": jws})
    return Wish("notice.receive", data, inside="body", timed="received_at")


def _of_feedback(action: str, supervisor: str, number: str, data: Mapping[str, Any]) -> Wish:
    return Wish(f"feedback.{action}", {"supervisor": supervisor, "number": number, **data}, inside="body")


async def _notice(request: Request, caller: Caller, department: str, serial: int) -> tuple[Caller, str]:
    """Who speaks, and the notice's name. Raises Problem."""
    found = await run_in_threadpool(speaker, request, caller, department)
    with suppress(KeyError):
        return found, (await run_in_threadpool(_notices, request, department, [serial]))[serial]
    raise of_status(404)


def _notices(request: Request, department: str, serials: list[int]) -> dict[int, str]:
    """The names of those that were ever owed. Of the log: the read model may be a moment behind it."""
    found = {}
    with request.app.state.readers.log() as conn:
        log = Log(conn)
        for serial in serials:
            owed = log.ledger(department, serial)
            if owed is not None and isinstance(owed.event, NoticeOwed):
                found[serial] = owed.event.notice
    return found
