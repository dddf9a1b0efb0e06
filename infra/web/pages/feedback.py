"""Answering feedback, on the page of its case (2.2e, 2.2f)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from infra.web.identity import CallerOf
from infra.web.pages.acting import Back, Key, act, typed

router = APIRouter(prefix="/feedback")
Number = Annotated[str, Form(min_length=1, max_length=64)]
Prose = Annotated[str, Form(min_length=1, max_length=4000)]
Code = Annotated[str, Form(min_length=1, max_length=64)]


@router.post("/dispose")
async def dispose(
    request: Request,
    caller: CallerOf,
    key: Key,
    supervisor: Code,
    number: Number,
    outcome: Annotated[str, Form(max_length=20)],
    reason: Prose,
    back: Back = "/",
) -> Response:
    """审批部门处理反馈：采纳、部分采纳或不采纳，附理由。"""
    wish = typed("feedback.dispose", supervisor=supervisor, number=number, outcome=outcome, reason=reason)
    return await act(request, caller, [(number, wish)], key, back)


@router.post("/reply")
async def reply(
    request: Request, caller: CallerOf, key: Key, number: Number, detail: Prose, back: Back = "/"
) -> Response:
    """监管部门对处理有异议。"""
    wish = typed("feedback.reply", supervisor=caller.department, number=number, detail=detail)
    return await act(request, caller, [(number, wish)], key, back)


@router.post("/close")
async def close(request: Request, caller: CallerOf, key: Key, number: Number, back: Back = "/") -> Response:
    """监管部门对处理无异议，办结。"""
    wish = typed("feedback.close", supervisor=caller.department, number=number)
    return await act(request, caller, [(number, wish)], key, back)
