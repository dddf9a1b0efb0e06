"""`doors`: pages and answers over HTTP on a log of a million events, and live notices for two hundred subscribers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from infra import feeding
from infra.addresses import web_address, with_port
from infra.bench.filler import CASES_AT_MOST, Pattern, settle
from infra.bench.ground import Ground, ScratchStore
from infra.bench.latency import Plan, send
from infra.bench.mix import Stalled, lay_out
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import quantile, quantiles_ms
from infra.bench.settled import follow, verified
from infra.roles.supervisor import Crew
from infra.web.entrance import sessions_of
from infra.web.identity import COOKIE

EVENTS = 1_000_000
ASKED = 60
"""How often each page is asked for, of another case or department each time."""
SUBSCRIBERS = 200
TOLD = 10
"""Decisions whose notices the subscribers await."""
START_S = 60.0
PATIENCE_S = 30.0
ROLES = ("intake", "projector", "api")


def run(ground: Ground, options: Options) -> Outcome:
    """The slowest p95 of the pages. The ceiling is the shortest answer that the same server gives."""
    mix = lay_out(ground, "doors", min(options.cases, CASES_AT_MOST), options.seed)
    pattern = Pattern.of_year(ground, mix)
    store = ground.store("filled", mix.store)
    filled = pattern.fill(store, min(EVENTS, options.sizes[-1]))
    follow(store)
    settle(store.migrator_url)
    store.settings = with_port(store.settings.model_copy(update={"http_port": 0}))
    options.say(f"{filled:,} events")
    with Crew(store, ROLES, apart=True) as crew:
        web = Web(store)
        web.wait(crew.check)
        pages = web.pages(options)
        options.say("; ".join(f"{name} p95 {one['p95']} ms" for name, one in pages.items()))
        live = _live(store, web, options.seed)
        options.say(f"live: {live}")
        crew.check()
    floor = pages.pop(NOTHING)
    slowest = max(pages, key=lambda name: float(pages[name]["p95"]))
    return Outcome(
        name="doors",
        unit="ms (p95)",
        ours=pages[slowest]["p95"],
        stock=None,
        ceiling=floor["p95"],
        conditions=ground.conditions(
            seed=options.seed, cases=mix.cases, events=filled, asked=ASKED, subscribers=SUBSCRIBERS, connections=1
        ),
        details={"pages": pages, NOTHING: floor, "live": live, "verify": verified(store, options)},
        headline=(
            f"doors: at {filled:,} events the slowest of {len(pages)} pages and answers is {slowest}: p50"
            f" {pages[slowest]['p50']} p95 {pages[slowest]['p95']} ms; {SUBSCRIBERS} subscribers have a notice"
            f" {live['p50']:.0f} ms (p50), {live['max']:.0f} ms (max) after its decision was sent"
        ),
    )


NOTHING = "an answer of nothing"


class Web:
    """The pages of a store, asked for by officers of its departments, over one connection."""

    def __init__(self, store: ScratchStore) -> None:
        self.store = store
        self.address = web_address(store.settings)
        at = urlsplit(self.address)
        self._http = urllib3.HTTPConnectionPool(str(at.hostname), at.port, maxsize=1)
        self._sessions = sessions_of(store.settings)

    def cookie(self, department: str) -> str:
        claims = {"sub": f"bench {department}", "officer": "B01", "name": "压测", "departments": [department]}
        return f"{COOKIE}={self._sessions.make(claims, 3600)}"

    def get(self, path: str, department: str) -> bytes:
        """Raises Stalled where the answer is none."""
        found = self._http.request("GET", path, headers={"Cookie": self.cookie(department)}, redirect=False)
        if found.status != 200:
            raise Stalled(f"{path}: {found.status} {found.data[:300]!r}")
        return found.data

    def wait(self, check: Any) -> None:
        until = time.monotonic() + START_S
        while True:
            try:
                if self._http.request("GET", "/healthz", retries=False, timeout=1).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                if time.monotonic() > until:
                    check()
                    raise Stalled("the HTTP doors do not open") from None
            time.sleep(0.2)

    def pages(self, options: Options) -> dict[str, dict[str, float]]:
        """Milliseconds until an answer is there, by page."""
        found: dict[str, list[float]] = {}
        for name, asked in _questions(self.store, options.seed).items():
            for path, department in asked:
                begun = time.perf_counter()
                self.get(path, department)
                found.setdefault(name, []).append(time.perf_counter() - begun)
        return {
            name: {**quantiles_ms(seconds), "p95": round(quantile(seconds, 0.95) * 1000, 1)}
            for name, seconds in found.items()
        }


def _questions(store: ScratchStore, seed: int) -> dict[str, list[tuple[str, str]]]:
    """By page: addresses, and departments whose officers ask."""
    rng = Random(seed)
    with store.connect() as conn:
        cases = conn.execute(
            "SELECT organ, number, recorded_at FROM read.approvals ORDER BY md5(stream) LIMIT 1000"
        ).fetchall()
        told = conn.execute("SELECT DISTINCT department FROM read.receipts ORDER BY 1").fetchall()
        office, inspector = (
            next(code for code, roles in _departments(store) if role in roles)
            for role in ("REFORM_OFFICE", "DISCIPLINE")
        )
    chosen = [rng.choice(cases) for _ in range(ASKED)]
    departments = [rng.choice(told)[0] for _ in range(ASKED)]
    past = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()

    def then(at: datetime) -> str:
        return quote((at + timedelta(seconds=rng.random())).isoformat())

    return {
        NOTHING: [("/healthz", office)] * ASKED,
        "overview": [("/overview", office)] * ASKED,
        "overview of a department": [("/overview", one) for one in departments],
        "inbox": [(f"/departments/{one}/inbox", one) for one in departments],
        "case": [(f"/cases/{organ}/{number}", organ) for organ, number, _ in chosen],
        "case as known at any time": [
            (f"/cases/{organ}/{number}?as_known_at={then(at)}", organ) for organ, number, at in chosen
        ],
        "case, by an inspector": [(f"/cases/{organ}/{number}", inspector) for organ, number, _ in chosen],
        "registers": [("/registers", office)] * ASKED,
        "list of notices": [("/api/v1/notices", one) for one in departments],
        "list of cases": [("/api/v1/cases", organ) for organ, _, _ in chosen],
        "statistics of a past day": [(f"/api/v1/statistics?as_known_at={past}", office)] * 10,
    }


def _departments(store: ScratchStore) -> Iterator[tuple[str, tuple[str, ...]]]:
    from adapters.postgres.registers import RegisterCache

    with store.connect() as conn:
        for code, entry in RegisterCache().refresh(conn).departments.items():
            yield code, entry.roles


def _live(store: ScratchStore, web: Web, seed: int) -> dict[str, float]:
    """Milliseconds from handing a decision in to each subscriber's having its notice."""
    plan = Plan(seed, 7, TOLD)
    before = feeding.taken_in(store)
    send(store, plan.accepts)
    feeding.wait_for(lambda: feeding.taken_in(store) >= before + len(plan.accepts), 60, "accepts")
    addressees = sorted({notice.addressee for case in plan.decisions for notice in case.notices})
    listened = [addressees[number % len(addressees)] for number in range(SUBSCRIBERS)]
    seconds = asyncio.run(_listen(store, web, plan, listened))
    return {**quantiles_ms(seconds), "max": round(max(seconds) * 1000, 1)}


async def _listen(store: ScratchStore, web: Web, plan: Plan, listened: list[str]) -> list[float]:
    at = urlsplit(web.address)
    sent: dict[str, float] = {}
    found: list[float] = []
    wanted = 0
    streams = []
    for department in listened:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        asked = f"GET /api/v1/departments/{department}/events HTTP/1.1\r\nHost: {at.netloc}\r\n"
        writer.write(f"{asked}Cookie: {web.cookie(department)}\r\n\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise Stalled(f"{department}: {status!r}")
        streams.append((department, reader, writer))

    async def follow_one(reader: asyncio.StreamReader) -> None:
        kind = b""
        while line := await reader.readline():
            if line.startswith(b"event:"):
                kind = line[6:].strip()
            elif line.startswith(b"data:") and kind == b"notice.owed":
                notice = json.loads(line[5:])["notice"]
                if notice in sent:
                    found.append(time.perf_counter() - sent[notice])

    tasks = [asyncio.create_task(follow_one(reader)) for _, reader, _ in streams]
    await asyncio.sleep(1.0)
    for case in plan.decisions:
        for notice in case.notices:
            sent[notice.id] = time.perf_counter()
            wanted += listened.count(notice.addressee)
        await asyncio.to_thread(send, store, [case.arrivals[-1]])
        await asyncio.sleep(0.3)
    until = time.monotonic() + PATIENCE_S
    while len(found) < wanted and time.monotonic() < until:
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    for _, _, writer in streams:
        writer.close()
    if len(found) < wanted:
        raise Stalled(f"{len(found)} of {wanted} notices reached their subscribers")
    return found
