"""Signing out: here, for whoever has a copy of the session, and where there is a provider also there, for desks in a
hall have many users."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from psycopg import OperationalError

from adapters.postgres.runner import first_line
from infra.web.cookies import forget
from infra.web.identity import COOKIE, Identity, bearer_of
from infra.web.provider_sign_in import ProviderSignIn, our_address

router = APIRouter(include_in_schema=False)
_log = structlog.get_logger("shenguan.http")


@router.post("/signout")
def leave(request: Request) -> RedirectResponse:
    """退出登录。"""
    identity: Identity = request.app.state.identity
    if token := bearer_of(request) or request.cookies.get(COOKIE):
        try:
            identity.end(token)
        except OperationalError as error:  # whoever sits down here next must not be let in for that
            _log.error("session_not_ended", error=first_line(error))
    at: ProviderSignIn | None = request.app.state.provider_sign_in
    where = at.leave(our_address(request) + "/") if at is not None else None
    response = RedirectResponse(where or "/", 303)
    forget(request, response)
    return response
