"""What surrounds every request: its id, who may send it, what every answer carries, a line in the log, a count."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from adapters.http.origins import SAFE, is_at_this_machine, is_bearer, is_ours
from adapters.http.problems import Problem, answer, of_status
from adapters.http.safety import REQUEST_ID, request_id
from infra.web.identity import COOKIE
from infra.web.metrics import Metrics

_log = structlog.get_logger("shenguan.http")
API = "/api/v1"
LARGEST_BODY = 2_000_000
"""Bytes of what anybody may send, signed in or not: the largest submission, should its characters be escaped."""
GONE = 499
"""Counted where the caller went away before there was an answer."""
_QUIET = frozenset(("/healthz", "/readyz", "/metrics"))


class Envelope:
    """The outermost of the application. `demo`: callers are taken at their word, so they must be at this machine."""

    def __init__(
        self, app: ASGIApp, headers: Mapping[str, str], metrics: Metrics, public_url: str | None, demo: bool
    ) -> None:
        self._app = app
        self._headers = headers
        self._metrics = metrics
        self._public_url = public_url
        self._demo = demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        id_ = request_id(asked.get(REQUEST_ID))
        scope.setdefault("state", {})["correlation_id"] = id_
        seen = _Seen(scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = id_
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                seen.begins(message["status"], headers.get("content-type", ""))
            await send(message)

        got = 0

        async def receiving() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > LARGEST_BODY:
                raise HTTPException(413)
            return message

        with bound_contextvars(correlation_id=id_):
            try:
                refused = self._refusal(scope["method"], asked)
                if refused is not None:
                    await answer(Request(scope), refused)(scope, receive, sending)
                else:
                    await self._app(scope, receiving, sending)
            except Exception as error:
                # The message may quote what was sent, which may be personal: only the place is told.
                frames = traceback.format_tb(error.__traceback__)
                _log.error("request_failed", route=seen.route, error=type(error).__name__, frames=frames[-5:])
                if not seen.status:
                    await answer(Request(scope), of_status(500))(scope, receive, sending)
                raise
            finally:
                seconds = None if seen.streams else seen.seconds
                self._metrics.answered(scope["method"], seen.route, seen.status or GONE, seconds)
                _tell(scope, seen)

    def _refusal(self, method: str, headers: Headers) -> Problem | None:
        if self._demo and not is_at_this_machine(headers):
            return Problem(421, "演示只在本机使用", "the demonstration is for this machine alone")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > LARGEST_BODY:  # of what has no length the bytes are counted
            return of_status(413)
        if method in SAFE or is_bearer(headers):
            return None
        ours = is_ours(headers, self._public_url)
        if ours is False or (ours is None and f"{COOKIE}=" in headers.get("cookie", "")):
            return Problem(403, "请求不是来自本系统的页面", "not sent by a page of ours", rule="http.origin")
        return None


class _Seen:
    """What became of one request. `seconds` until the answer was whole; `streams`: it lasts as long as somebody
    looks."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._begun = time.monotonic()
        self.status = 0
        self.streams = False

    def begins(self, status: int, content_type: str) -> None:
        self.status = status
        self.streams = content_type.startswith("text/event-stream")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @property
    def route(self) -> str:
        """The template, for the address itself may name somebody."""
        return route_of(self._scope)


def route_of(scope: Scope) -> str:
    found = getattr(scope.get("route"), "path", None)
    if isinstance(found, str):
        # A router that was included knows its own part only; prefixes have no parameters.
        inner = scope["path"].startswith(f"{API}/") and not found.startswith(f"{API}/")
        return f"{API}{found}" if inner else found
    return "/static" if scope["path"].startswith("/static/") else "unknown"


def _tell(scope: Scope, seen: _Seen) -> None:
    """No personal data: no address, no query, no officer."""
    if seen.route in _QUIET:
        return
    _log.info(
        "request",
        method=scope["method"],
        route=seen.route,
        status=seen.status or GONE,
        ms=round(seen.seconds * 1000, 1),
        department=scope["state"].get("department"),
    )
