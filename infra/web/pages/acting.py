"""What officers do on pages: handed in as submissions of their department, then shown with what became of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from adapters.http.problems import Problem
from adapters.postgres.log import Log
from domain.access import Caller
from infra.web.api import submissions
from infra.web.handing import Handing, Wish
from infra.web.identity import CallerOf
from infra.web.outcomes import Outcome
from infra.web.pages.page import address, render
from infra.web.provider_sign_in import inside as ours

router = APIRouter()
WAIT_S = 8.0
CATCH_UP_S = 3.0
LOOK_S = 0.05
Key = Annotated[str, Form(pattern=r"^[0-9a-f-]{36}$")]
Back = Annotated[str, Form(max_length=2000)]
MOST = 100


class Told(NamedTuple):
    """What became of one thing that was done, or why it could not be handed in."""

    name: str
    outcome: Outcome | None
    problem: Problem | None = None


async def act(request: Request, caller: Caller, wishes: Sequence[tuple[str, Wish]], key: str, back: str) -> Response:
    """Hands all of them in, and leads to what became of them; `key` of the form keeps what is sent twice from being
    done twice. Where one is not well formed the page says so at once."""
    handing: Handing = request.app.state.handing

    async def one(name: str, wish: Wish) -> Told:
        try:
            return Told(name, await handing.submit(request, caller, wish, f"{key}#{name}", WAIT_S))
        except Problem as problem:
            return Told(name, None, problem)

    told = await asyncio.gather(*(one(name, wish) for name, wish in wishes[:MOST]))
    failed = [each.problem for each in told if each.problem is not None]
    if failed and len(told) == 1:
        raise failed[0]
    if failed:
        return await run_in_threadpool(_show, request, list(told), back)
    await run_in_threadpool(_caught_up, request)
    ids = "&".join(f"id={each.outcome.id}" for each in told if each.outcome is not None)
    return RedirectResponse(f"{address('/outcomes', {'back': back})}&{ids}", 303)


def _caught_up(request: Request) -> None:
    """Waits a moment for the read models, so that whoever goes back to a page sees there what he has just done."""
    with request.app.state.readers.log() as conn:
        head = Log(conn).head()
    until = time.monotonic() + CATCH_UP_S
    while min(request.app.state.heads.positions().values()) < head and time.monotonic() < until:
        time.sleep(LOOK_S)


@router.get("/outcomes")
def outcomes(
    request: Request,
    caller: CallerOf,
    id: Annotated[list[submissions.SubmissionId], Query(max_length=MOST)],
    back: Annotated[str, Query(max_length=2000)] = "/",
) -> Response:
    """所办各件的结果：受理、拒绝及其规则、等待何事。"""
    return _show(request, [Told("", submissions.outcome_of(request, caller, one)) for one in id], back)


def _show(request: Request, told: list[Told], back: str) -> Response:
    pending = any(each.outcome is not None and each.outcome.disposition is None for each in told)
    return render(request, "outcomes.html", told=told, back=ours(back), pending=pending)


def typed(type_: str, inside: str = "form", timed: str | None = None, **data: Any) -> Wish:
    """A wish of a form's fields."""
    return Wish(type_, data, inside=inside, timed=timed)
