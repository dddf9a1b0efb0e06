"""Addresses without the fields of a form that were left empty, so that an address says what it shows and no more."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.web.pages.page import path_of


class Tidy:
    """Sends pages asked for with empty parameters on to their address without them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["path"].startswith(("/api/", "/static/")):
            given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            kept = [(name, value) for name, value in given if value.strip()]
            if len(kept) < len(given):
                path = path_of(scope)
                answer = RedirectResponse(f"{path}?{urlencode(kept)}" if kept else path, 303)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
