"""Subscribers of live streams: how long after a decision was handed in each has its notice."""

from __future__ import annotations

import asyncio
import json
import time

from infra import feeding
from infra.bench.latency import SETTLE, Plan, send
from infra.bench.mix import Stalled
from infra.bench.visitor import Visitor
from infra.store import Store
from infra.topics import apply_topics

PAUSE_S = 0.3
"""Between decisions."""
PATIENCE_S = 30.0


def notices_live(store: Store, visitor: Visitor, plan: Plan, number: int) -> list[float]:
    """Seconds from handing each decision of the plan to the producer until each of its addressees' subscribers, of whom
    there are `number`, has the notice. Intake and the API must be at work. Raises Stalled where some never have it."""
    before = feeding.taken_in(store)
    apply_topics(store)
    send(store, plan.accepts)
    feeding.wait_for(lambda: feeding.taken_in(store) >= before + len(plan.accepts), SETTLE, "accepts")
    addressees = sorted({notice.addressee for case in plan.decisions for notice in case.notices})
    return asyncio.run(_listen(store, visitor, plan, [addressees[n % len(addressees)] for n in range(number)]))


async def _listen(store: Store, visitor: Visitor, plan: Plan, listeners: list[str]) -> list[float]:
    sent: dict[str, float] = {}
    found: list[float] = []
    streams = [await _open(visitor, department) for department in listeners]

    async def hear(reader: asyncio.StreamReader) -> None:
        kind = b""
        while line := await reader.readline():
            if line.startswith(b"event:"):
                kind = line[6:].strip()
            elif line.startswith(b"data:") and kind == b"notice.owed":
                notice = json.loads(line[5:])["notice"]
                if notice in sent:
                    found.append(time.perf_counter() - sent[notice])

    tasks = [asyncio.create_task(hear(reader)) for reader, _ in streams]
    await asyncio.sleep(1.0)
    wanted = 0
    for case in plan.decisions:
        for notice in case.notices:
            sent[notice.id] = time.perf_counter()
            wanted += listeners.count(notice.addressee)
        await asyncio.to_thread(send, store, [case.arrivals[-1]])
        await asyncio.sleep(PAUSE_S)
    until = time.monotonic() + PATIENCE_S
    while len(found) < wanted and time.monotonic() < until:
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    for _, writer in streams:
        writer.close()
    if len(found) < wanted:
        raise Stalled(f"{len(found)} of {wanted} notices reached their subscribers")
    return found


async def _open(visitor: Visitor, department: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The department's stream of notices, its status read."""
    reader, writer = await asyncio.open_connection(visitor.host, visitor.port)
    asked = f"GET /api/v1/departments/{department}/events HTTP/1.1\r\nHost: {visitor.host}:{visitor.port}\r\n"
    writer.write(f"{asked}Cookie: {visitor.cookie(department)}\r\n\r\n".encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise Stalled(f"{department}: {status!r}")
    return reader, writer
