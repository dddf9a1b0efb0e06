"""Submissions over HTTP: handed in by whoever may speak, and what became of them at any time later.

What the roles rule out is refused here; what a rule of the notice forbids is handed in all the same, for the refused
attempt is to be on record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from adapters.http.problems import Fault, Problem, of_status, responses
from domain.access import Caller
from infra.web.handing import KEY, Handing, Wish, location, preferred_wait
from infra.web.identity import CallerOf, reads
from infra.web.outcomes import Outcome

router = APIRouter(tags=["submissions"])
REFUSALS = responses(400, 401, 403, 413, 422, 503)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Outcome, "description": "Decided: what became of it."},
    202: {"model": Outcome, "description": "Handed in, not decided yet; ask again at Location."},
    **REFUSALS,
}
Prefer = Annotated[
    str | None, Header(max_length=200, description="wait=N：最多等待裁定 N 秒，不超过 30（RFC 7240）；不写则立即应答")
]
IdempotencyKey = Annotated[
    str | None,
    Header(description="自选的 1–255 个可见字符：同一键再次提交相同内容即同一件，不会重复入账；不写则每次都是新的一件"),
]
SubmissionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]


class Submission(BaseModel):
    """One submission of a type of docs/reference/submissions.md; `data` as its JSON Schema has it. `department` and
    `officer` are always the caller's and may be left out. `time`: when it occurred, by default now. `retry_of`: of one
    that was a dead letter and is mended, source and id of that one."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, StringConstraints(max_length=100)] = Field(examples=["case.accept"])
    data: dict[str, Any]
    time: AwareDatetime | None = None
    retry_of: Annotated[str, StringConstraints(max_length=200)] | None = None


@router.post("/submissions", response_model=Outcome, responses=ANSWERS)
async def submit(
    request: Request,
    response: Response,
    caller: CallerOf,
    submission: Submission,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> Outcome:
    """提交信息：成为本部门的一件提交，其结果可等候，也可随时查询。"""
    wish = Wish(submission.type, submission.data, submission.time, submission.retry_of)
    return await handed_in(request, response, caller, wish, prefer, idempotency_key)


@router.get("/submissions/{id}", responses=responses(401, 403, 404, 422))
async def submission(
    request: Request, caller: Annotated[Caller, Depends(reads("submissions"))], id: SubmissionId
) -> Outcome:
    """经此处提交的一件现在如何：受理、拒绝、等待何事，或哪个字段有误。"""
    return await run_in_threadpool(outcome_of, request, caller, id)


def outcome_of(request: Request, caller: Caller, id_: str) -> Outcome:
    handing: Handing = request.app.state.handing
    kept = handing.find(id_)
    own = kept is not None and kept.department == caller.department
    if caller.inspector:
        request.app.state.recorder.read(caller, "submission", {"id": id_}, int(kept is not None))
    if kept is None or not (own or caller.scope("submissions") == "all"):
        raise of_status(404)
    return handing.outcome(kept)


async def handed_in(
    request: Request, response: Response, caller: Caller, wish: Wish, prefer: str | None, key: str | None
) -> Outcome:
    """Hands in, and answers 200 with what became of it, or 202. Raises Problem."""
    handing: Handing = request.app.state.handing
    wait = preferred_wait(prefer)
    found = await handing.submit(request, caller, wish, checked_key(key), wait)
    response.headers["Location"] = location(found.id)
    if wait:
        response.headers["Preference-Applied"] = f"wait={wait:g}"
    response.status_code = 202 if found.disposition is None else 200
    return found


def checked_key(key: str | None) -> str | None:
    """Raises Problem."""
    if key is not None and not KEY.match(key):
        fault = Fault(field="header.Idempotency-Key", rule="idempotency.shape", message="1 to 255 visible characters")
        raise Problem(422, "Idempotency-Key 须为 1–255 个可见字符", "no such Idempotency-Key", faults=[fault])
    return key


def at_once(moment: datetime | None) -> str | None:
    """A time as submissions have it."""
    return None if moment is None else moment.isoformat()
