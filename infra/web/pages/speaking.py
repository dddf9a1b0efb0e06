"""For which of his departments an officer of several speaks: chosen on a page, and kept in a cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from infra.web.cookies import is_secure
from infra.web.identity import SPEAKS, CallerOf

router = APIRouter()


@router.post("/department")
def speak(request: Request, caller: CallerOf, department: Annotated[str, Form(max_length=64)]) -> RedirectResponse:
    """改以另一部门的身份查看与办理。"""
    response = RedirectResponse("/", 303)
    if department in caller.departments:
        response.set_cookie(SPEAKS, department, httponly=True, samesite="lax", secure=is_secure(request))
    return response
