"""How the store runs: who is at work and how far, what could not become a fact, what waits, what is to be sent."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from domain.access import OPERATOR
from infra.web.api import deadletters
from infra.web.api import operations as api
from infra.web.api.deadletters import OutcomeReading
from infra.web.api.operations import ReadingOperations
from infra.web.identity import CallerOf
from infra.web.listing import Asked, Listed
from infra.web.pages.acting import Back, Key, act, typed
from infra.web.pages.page import render

router = APIRouter(prefix="/operations")
_ASKED = Asked(None, 20, None, False, None, "json")


@router.get("")
def operations(request: Request, reading: ReadingOperations, letters: OutcomeReading) -> Response:
    """运行：各角色、死信、等待、待推送。"""
    found = api.operations(reading, Response())
    dead = deadletters.deadletters(letters, _ASKED, Response())
    parked = deadletters.parked(letters, _ASKED, Response())
    assert isinstance(dead, Listed)
    assert isinstance(parked, Listed)
    return render(
        request,
        "operations.html",
        found=found,
        dead=dead,
        parked=parked,
        may_retry=OPERATOR in reading.caller.roles,
        key=str(uuid.uuid4()),
        position=found.position,
    )


@router.post("/retry")
async def retry(
    request: Request,
    caller: CallerOf,
    key: Key,
    place: Annotated[str, Form(max_length=100)],
    back: Back = "/operations",
) -> Response:
    """让一件死信原样再裁定一次。"""
    return await act(request, caller, [(place, typed("deadletter.retry", place=place))], key, back)
