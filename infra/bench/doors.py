"""`doors`: pages and answers over HTTP on a log of a million events, and live notices for two hundred subscribers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote

from psycopg import Connection

from adapters.postgres.registers import RegisterCache
from domain.submissions import local_date
from infra.addresses import with_port
from infra.bench.filler import settle
from infra.bench.ground import Ground, ScratchStore
from infra.bench.latency import Plan
from infra.bench.mix import lay_out, year_of
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import quantile, quantiles_ms
from infra.bench.settled import verified
from infra.bench.subscribers import notices_live
from infra.bench.taking import lived_apart
from infra.bench.visitor import Visitor
from infra.roles.supervisor import Crew
from infra.sample import with_inspectors
from infra.web.pages import lists

EVENTS_OF_A_CASE = 12.1
ASKED = 60
"""How often each page is asked for, of another case or department each time."""
SUBSCRIBERS = 200
TOLD = 20
"""Decisions whose notices the subscribers await."""
DAYS = 200
"""Over which the log is spread: else all would have been recorded today."""
ROLES = ("intake", "outlet", "projector", "api")
NOTHING = "an answer of nothing"


def run(ground: Ground, options: Options) -> Outcome:
    """The slowest p95 of all pages and answers. The ceiling is the shortest answer that the same server gives."""
    cases = max(1, round(options.events / EVENTS_OF_A_CASE))
    with_inspectors(cases, options.seed, year_of(ground, cases, options.seed), rare=False)
    since = datetime.now(UTC) - timedelta(days=DAYS)
    mix = lay_out(ground, "doors", cases, options.seed, since=since)
    store = mix.store
    options.say(f"{mix.submissions:,} submissions are in Kafka")
    lived_apart(store, mix.submissions, since)
    store.clock = None
    settle(store.migrator_url)
    with store.connect() as conn:
        row = conn.execute("SELECT count(*) FROM shenguan.stored_events").fetchone()
    assert row is not None
    options.say(f"{row[0]:,} events")
    store.settings = with_port(store.settings.model_copy(update={"http_port": 0}))
    with Crew(store, ROLES, apart=True) as crew:
        visitor = Visitor(store)
        visitor.wait(crew.check)
        pages = asked_for(visitor, store, options)
        live = quantiles_ms(notices_live(store, visitor, Plan(options.seed, 7, TOLD), SUBSCRIBERS))
        options.say(f"live: {live}")
        crew.check()
    floor = pages.pop(NOTHING)
    slowest = max(pages, key=lambda name: pages[name]["p95"])
    return Outcome(
        name="doors",
        unit="ms (p95)",
        ours=pages[slowest]["p95"],
        stock=None,
        ceiling=floor["p95"],
        conditions=ground.conditions(
            seed=options.seed, cases=cases, events=row[0], asked=ASKED, subscribers=SUBSCRIBERS, days=DAYS
        ),
        details={"pages": pages, NOTHING: floor, "live": live, "verify": verified(store, options)},
        headline=(
            f"doors: at {row[0]:,} events the slowest of {len(pages)} pages and answers is {slowest}:"
            f" p50 {pages[slowest]['p50']:.0f} p95 {pages[slowest]['p95']:.0f} ms; {SUBSCRIBERS} subscribers have a"
            f" notice {live['p50']:.0f} ms (p50), {live['p99.9']:.0f} ms (p99.9) after its decision was sent"
        ),
    )


def asked_for(visitor: Visitor, store: ScratchStore, options: Options) -> dict[str, dict[str, float]]:
    """p50, p95 and more by page, in milliseconds. They take turns, so that what disturbs the machine disturbs all."""
    seconds: dict[str, list[float]] = {}
    questions = asking(store, options.seed)
    for number in range(-1, ASKED):  # the first of each is not counted
        for name, asked in questions.items():
            one = visitor.get(*asked[number])
            if number >= 0:
                seconds.setdefault(name, []).append(one)
    found = {name: quantiles_ms(one) | {"p95": round(quantile(one, 0.95) * 1000, 2)} for name, one in seconds.items()}
    for name in sorted(found, key=lambda name: -found[name]["p95"]):
        options.say(f"{name}: p50 {found[name]['p50']} p95 {found[name]['p95']} ms")
    return found


def asking(store: ScratchStore, seed: int) -> dict[str, list[tuple[str, str]]]:
    """By page ASKED addresses, and the departments whose officers ask."""
    rng = Random(seed)
    with store.connect() as conn:
        registers = RegisterCache().refresh(conn)
        cases = _drawn(conn, "SELECT organ, number, recorded_at FROM read.approvals ORDER BY md5(stream) LIMIT %s")
        told = _drawn(conn, "SELECT department, serial FROM read.receipts ORDER BY md5(notice) LIMIT %s")
    departments = registers.departments

    def one_of(role: Any) -> str:
        return next(code for code, entry in sorted(departments.items()) if role in entry.roles)

    office, inspector = one_of("REFORM_OFFICE"), one_of("DISCIPLINE")
    today = local_date(datetime.now(UTC))
    moments = [datetime.now(UTC) - timedelta(seconds=rng.uniform(0, DAYS * 86_400)) for _ in range(ASKED)]
    pasts = [(today - timedelta(days=rng.randrange(1, DAYS))).isoformat() for _ in range(ASKED)]

    def by(department: str, *paths: str) -> list[tuple[str, str]]:
        return [(path, department) for path in (paths if len(paths) == ASKED else paths * ASKED)]

    case_paths = [f"/cases/{organ}/{number}" for organ, number, _ in cases]
    return {
        NOTHING: by(office, "/healthz"),
        "overview": by(office, "/overview"),
        "overview of a league or city": [
            (f"/overview?region={departments[one].region[:4]}00", office) for one, _ in told
        ],
        "overview, its ranking by matter": by(office, "/overview?by=matter"),
        "overview as of a past day": by(office, *(f"/overview?as_known_at={past}" for past in pasts)),
        "overview of a department": [("/overview", one) for one, _ in told],
        "inbox": [("/inbox", one) for one, _ in told],
        "a notice": [(f"/inbox/{serial}", one) for one, serial in told],
        "case": [(path, organ) for path, (organ, _, _) in zip(case_paths, cases, strict=True)],
        "case as known at any time": [
            (f"{path}?as_known_at={quote(max(at, then).isoformat())}", inspector)
            for (_, _, at), path, then in zip(cases, case_paths, moments, strict=True)
        ],
        "case as true on a day": by(inspector, *(f"{path}?as_true_at={today}" for path in case_paths)),
        "cases": [("/cases", organ) for organ, _, _ in cases],
        "cases, of all": by(inspector, "/cases"),
        "registers": by(office, "/registers"),
        "desk": by(inspector, "/desk"),
        "desk, one number": by(inspector, *(f"/desk?number={number}" for _, number, _ in cases)),
        "operations": by("operator", "/operations"),
        **{f"list: {page.en}": by(inspector, f"/lists/{page.listing.name}") for page in lists.PAGES},
        "list: licences that nobody supervises": by(inspector, "/lists/licences?unsupervised=true"),
        "list: licences never inspected": by(inspector, "/lists/licences?never_inspected=true"),
        "list: overdue": [(f"/lists/overdue?department={one}", office) for one, _ in told],
        "API: notices": [("/api/v1/notices", one) for one, _ in told],
        "API: cases as known at any time": by(
            inspector, *(f"/api/v1/cases?as_known_at={quote(then.isoformat())}" for then in moments)
        ),
        "API: statistics as of a past day": by(office, *(f"/api/v1/statistics?as_known_at={past}" for past in pasts)),
    }


def _drawn(conn: Connection[Any], query: str) -> list[Any]:
    """ASKED rows, some more than once where there are fewer."""
    rows = conn.execute(query, (ASKED,)).fetchall()
    return [rows[number % len(rows)] for number in range(ASKED)]
