"""Live streams (server-sent events): a department's notices as they move, and for dashboards that counts have changed.

Each event's id is a position in the log. Who comes back with the last one in `Last-Event-ID` is told what he has
missed, or, where that is too much, by `reset` that he must read the lists anew. Streams end with the caller's session
or token, and after a while in any case.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from adapters.http.problems import of_status, responses
from domain.access import Caller
from infra.answers import with_due
from infra.plain import Plain
from infra.web.api.notices import DepartmentCode, NoticeRow
from infra.web.identity import find_caller, reads, still_known
from infra.web.listing import row_of
from infra.web.live import Ended, Live, Message, Shown, Subscriber
from infra.web.persons import Persons

router = APIRouter(tags=["streams"])
HEARTBEAT_S = 15.0
"""After so long without news a sign of life is sent; as often it is asked whether the caller is still let in."""
LONGEST_S = 1800.0
START_S = 5.0
RETRY_MS = 2_000
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "text/event-stream, until the client or the server ends it.",
        "content": {"text/event-stream": {}},
    },
    **responses(401, 403, 422, 503),
}
LastEventId = Annotated[str | None, Header(max_length=40, description="上次收到的事件 id：从其后继续")]
After = Annotated[int | None, Query(ge=0, lt=2**63, description="同 Last-Event-ID，供首次连接：列表应答中的 position")]


@router.get("/departments/{department}/events", responses=STREAM, response_class=StreamingResponse)
async def notices(
    request: Request,
    caller: Annotated[Caller, Depends(reads("notices"))],
    department: DepartmentCode,
    last_event_id: LastEventId = None,
    after: After = None,
) -> StreamingResponse:
    """一个部门的告知动态：应告知、推送、送达、签收、移交等；事件名即记录名（如 notice.owed），内容为该告知的台账行。"""
    if caller.scope("notices") != "all" and department != caller.department:
        if department not in caller.departments:
            raise of_status(403)
        found: Caller | None = await run_in_threadpool(find_caller, request, department)
        caller = found or caller
    if caller.scope("notices") is None:
        raise of_status(403)
    live: Live = request.app.state.live
    subscriber = await _joined(live, department, counts=False)
    begin = _position(last_event_id, after)
    first: list[Message] | None = []
    try:
        if begin is not None:
            first = await run_in_threadpool(live.missed, department, begin, subscriber.after)
            if first is not None:
                subscriber.after = max(begin, subscriber.after)
        given = {"department": department, "after": begin}
        await _noted(request, caller, "notice-events", given, len(first or ()))
    except BaseException:
        live.leave(subscriber)
        raise
    return _stream(request, live, subscriber, first)


@router.get("/events", responses=STREAM, response_class=StreamingResponse)
async def counts(
    request: Request,
    caller: Annotated[Caller, Depends(reads("statistics"))],
    last_event_id: LastEventId = None,
    after: After = None,
) -> StreamingResponse:
    """供看板：统计已有变化，按部门列出自上次以来各有多少件应告知、签收等。"""
    await _noted(request, caller, "count-events", {}, 0)
    live: Live = request.app.state.live
    subscriber = await _joined(live, None if caller.scope("statistics") == "all" else caller.department, counts=True)
    begin = _position(last_event_id, after)
    # What has changed since then is not counted up: the figures are read anew.
    return _stream(request, live, subscriber, [] if begin in (None, subscriber.after) else None)


def shower(persons: Persons, language: str) -> Shown:
    """How rows of the receipt ledger are shown on a stream: as in the list, persons masked."""
    plain = Plain(persons.open, False, language == "zh")

    def shown(rows: Iterable[Mapping[str, Any]]) -> list[str]:
        dated = with_due([dict(row) for row in rows], datetime.now(UTC))
        return [row_of(NoticeRow, plain(row)).model_dump_json() for row in dated]

    return shown


async def _noted(request: Request, caller: Caller, name: str, parameters: Mapping[str, Any], rows: int) -> None:
    """An inspector's listening is a read, and recorded as it begins, with how many rows it begins with."""
    if caller.inspector:
        await run_in_threadpool(request.app.state.recorder.read, caller, name, parameters, rows)


async def _joined(live: Live, department: str | None, *, counts: bool) -> Subscriber:
    if not await live.known(START_S):
        raise of_status(503, headers={"Retry-After": "5"})
    return live.join_stream(department, counts)


def _position(last_event_id: str | None, after: int | None) -> int | None:
    """What is no id of ours is none: browsers send what they were sent."""
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        return int(last_event_id)
    return after


def _stream(request: Request, live: Live, subscriber: Subscriber, first: list[Message] | None) -> StreamingResponse:
    """`first`: what was missed; None: too much."""
    position = subscriber.after
    begin = Message(position, "ready" if first is not None else "reset", json.dumps({"position": position}))

    async def content() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_S
        asked = loop.time()
        try:
            yield f"retry: {RETRY_MS}\n\n".encode() + b"".join(one.encode() for one in first or ()) + begin.encode()
            while (left := until - loop.time()) > 0:
                if loop.time() >= asked + HEARTBEAT_S and live.error is None:  # else nobody is told anything
                    if not await run_in_threadpool(still_known, request):
                        return
                    asked = loop.time()
                try:
                    message = await asyncio.wait_for(subscriber.queue.get(), min(left, HEARTBEAT_S))
                except TimeoutError:
                    yield b": \n\n"
                    continue
                together = [message]
                while not subscriber.queue.empty():
                    together.append(subscriber.queue.get_nowait())
                told = [one for one in together if isinstance(one, Message)]
                if told:
                    yield b"".join(one.encode() for one in told)
                ended = next((one for one in together if isinstance(one, Ended)), None)
                if ended is not None:
                    if ended.reset:
                        yield Message(live.position, "reset", json.dumps({"position": live.position})).encode()
                    return
        finally:
            live.leave(subscriber)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(content(), media_type="text/event-stream", headers=headers)
