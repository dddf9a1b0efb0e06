"""Problem details 错误说明 (RFC 9457): every error of the HTTP doors has this shape, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One wrong field of what was asked, and the rule that it breaks."""

    field: str
    rule: str
    message: str


class ProblemDetails(BaseModel):
    """What went wrong. `title` is Chinese, `title_en` English; `rule` and `clause` are set where a rule of the notice
    forbids it, `faults` where fields are wrong."""

    model_config = ConfigDict(extra="forbid")

    type: str = "about:blank"
    title: str
    title_en: str
    status: int
    detail: str | None = None
    rule: str | None = None
    clause: str | None = None
    faults: list[Fault] = []
    correlation_id: str | None = None


class Problem(Exception):
    """To be raised by a door; becomes an answer of that status."""

    def __init__(
        self,
        status: int,
        zh: str,
        en: str,
        *,
        detail: str | None = None,
        rule: str | None = None,
        clause: str | None = None,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(en)
        self.details = ProblemDetails(
            title=zh, title_en=en, status=status, detail=detail, rule=rule, clause=clause, faults=list(faults)
        )
        self.headers = headers or {}


_TITLES = {
    400: ("请求有误", "bad request"),
    401: ("请先登录", "sign in first"),
    403: ("无权访问", "not allowed"),
    404: ("没有此项", "not found"),
    405: ("不支持此方法", "method not allowed"),
    406: ("无法以所求格式应答", "not acceptable"),
    409: ("与已有的冲突", "conflict"),
    413: ("内容过大", "content too large"),
    415: ("不支持此内容格式", "unsupported media type"),
    422: ("所填内容有误", "fields are wrong"),
    500: ("系统内部错误", "internal error"),
    503: ("服务暂不可用", "not available now"),
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: these statuses answer with problem details."""
    return {
        status: {
            "model": ProblemDetails,
            "description": _TITLES[status][1],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in statuses
    }


def answer(request: Request, problem: Problem) -> Response:
    if problem.details.status == 304:
        return Response(status_code=304, headers=problem.headers)
    details = problem.details.model_copy(update={"correlation_id": getattr(request.state, "correlation_id", None)})
    return JSONResponse(details.model_dump(exclude_none=True), details.status, problem.headers, media_type=MEDIA_TYPE)


def of_status(status: int, detail: str | None = None, headers: dict[str, str] | None = None) -> Problem:
    zh, en = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    return Problem(status, zh, en, detail=detail, headers=headers)


def install(app: FastAPI, answer: Callable[[Request, Problem], Response]) -> None:
    """Makes every error of the app's a problem, shown by `answer`, which may block."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        return await run_in_threadpool(answer, request, problem)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        problem = of_status(error.status_code, headers=dict(error.headers or {}))
        return await run_in_threadpool(answer, request, problem)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        # What was sent is not repeated: it may be personal.
        faults = [
            Fault(field=".".join(str(part) for part in one["loc"]), rule=str(one["type"]), message=str(one["msg"]))
            for one in error.errors()
        ]
        zh, en = _TITLES[422]
        return await run_in_threadpool(answer, request, Problem(422, zh, en, faults=faults))
