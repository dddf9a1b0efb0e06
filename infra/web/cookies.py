"""The session's cookie: set when somebody signs in, taken away when he signs out."""

from __future__ import annotations

from fastapi import Request, Response

from infra.web.identity import COOKIE


def is_secure(request: Request) -> bool:
    """Whether browsers reach us over TLS, be it by a proxy's."""
    public: str | None = request.app.state.store.settings.public_url
    return (public or str(request.url)).startswith("https://")


def keep(request: Request, response: Response, token: str, seconds: int) -> None:
    """A token of nobody's choice but ours takes the place of whatever cookie was there."""
    secure = is_secure(request)
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=is_secure(request))
