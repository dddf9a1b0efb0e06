"""Signing in at a demonstration: whoever can reach it says who he is. Never there beyond embedded servers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from adapters.http.problems import Problem, responses
from domain.access import OPERATOR
from domain.submissions import local_date
from infra.web.cookies import keep
from infra.web.identity import Identity, Known
from infra.web.pages import signin
from infra.web.provider_sign_in import inside

router = APIRouter(include_in_schema=False)
ISSUER = "shenguan-demo"


class Token(BaseModel):
    """As OAuth 2.0 has it (RFC 6749 §5.1)."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int


@router.get("/signin")
def choose(
    request: Request,
    q: Annotated[str, Query(max_length=100)] = "",
    following: Annotated[str, Query(alias="next", max_length=2000)] = "",
) -> HTMLResponse:
    """登录：演示身份。"""
    return signin.show(request, q, following)


@router.post("/signin")
def begin(
    request: Request,
    department: Annotated[str, Form()],
    officer: Annotated[str, Form(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "D01",
    name: Annotated[str, Form(min_length=1, max_length=50)] = "演示",
    following: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> RedirectResponse:
    """Signs in, for a department that the register knows."""
    token, seconds = _token(request, department, officer, name)
    response = RedirectResponse(inside(following), 303)
    keep(request, response, token, seconds)
    return response


@router.post("/signin/token", responses=responses(403))
def token(
    request: Request,
    department: Annotated[str, Form()],
    officer: Annotated[str, Form(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "D01",
    name: Annotated[str, Form(min_length=1, max_length=50)] = "演示",
) -> Token:
    """A bearer token for the API."""
    made, seconds = _token(request, department, officer, name)
    return Token(access_token=made, expires_in=seconds)


def _token(request: Request, department: str, officer: str, name: str) -> tuple[str, int]:
    identity: Identity = request.app.state.identity
    registers = request.app.state.registry.now()
    ceased = (
        registers.ceased(department, local_date(datetime.now(UTC))) if department in registers.departments else True
    )
    if department != OPERATOR.lower() and ceased:
        raise Problem(403, "登记簿中没有该部门", "the register knows no such department", detail=department)
    seconds: int = request.app.state.store.settings.session_seconds
    known = Known(f"{ISSUER} {department}.{officer}", officer, name, (department,))
    return identity.begin(known, seconds), seconds
