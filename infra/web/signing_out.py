"""Signing out: here, for whoever has a copy of the session, and where there is a provider also there, for desks in a
hall have many users."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from infra.web.cookies import forget
from infra.web.identity import COOKIE, Identity, bearer_of
from infra.web.provider_sign_in import ProviderSignIn, our_address

router = APIRouter(include_in_schema=False)


@router.post("/signout")
def leave(request: Request) -> RedirectResponse:
    """退出登录。"""
    identity: Identity = request.app.state.identity
    if token := bearer_of(request) or request.cookies.get(COOKIE):
        identity.end(token)
    at: ProviderSignIn | None = request.app.state.provider_sign_in
    where = at.leave(our_address(request) + "/") if at is not None else None
    response = RedirectResponse(where or "/", 303)
    forget(request, response)
    return response
