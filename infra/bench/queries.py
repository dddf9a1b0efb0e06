"""`queries`: the hot queries, what deciding reads and what people ask most, each by the function the product calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from psycopg import Connection, Rollback

from adapters.postgres.deliveries import lease
from adapters.postgres.desk import PostgresDesk
from adapters.postgres.evidence import unproven
from adapters.postgres.log import Log
from domain.arrivals import Arrival, Place
from domain.notices import TakeNotice
from domain.submissions import Submission, local_date
from infra.bench.filler import CASES_AT_MOST, Pattern, settle
from infra.bench.ground import Ground, ScratchStore
from infra.bench.mix import lay_out, take_in
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import quantiles_ms
from infra.bench.settled import follow, verified
from projections.approvals import approvals_slice, find_approvals
from projections.lamps import lamps
from projections.licences import licences_slice
from projections.receipts import find_receipts, receipts_slice
from projections.statistics import Asked, Known, counters, find_overdue
from projections.two_way import find_steps, seals_slice, steps_slice

EVENTS = 1_000_000
WARM_UP, ASKED = 100, 1000
NOTHING = "an empty round trip"
PAGE = 50
LEASED = 20
"""Deliveries taken at the heads of two departments' queues; given back at once."""
Ask = Callable[[Connection[Any], Any], object]


def run(ground: Ground, options: Options) -> Outcome:
    """On a log of a million events, or of the last given size where that is smaller: the slowest p99."""
    mix = lay_out(ground, "queries", min(options.cases, CASES_AT_MOST), options.seed)
    pattern = Pattern.of_year(ground, mix)
    store = ground.store("filled", mix.store)
    filled = pattern.fill(store, min(EVENTS, options.sizes[-1]))
    take_in(store, mix.submissions)
    follow(store)
    settle(store.migrator_url)
    options.say(f"{filled:,} events, and a year that is open")
    found = hot_queries(store, options.seed)
    floor = found.pop(NOTHING)
    slowest = max(found, key=lambda name: found[name]["p99"])
    worst = found[slowest]["p99"]
    return Outcome(
        name="queries",
        unit="ms (p99)",
        ours=worst,
        stock=None,
        ceiling=floor["p99"],
        conditions=ground.conditions(seed=options.seed, cases=mix.cases, events=filled, asked=ASKED, connections=1),
        details={"queries": found, NOTHING: floor, "verify": verified(store, options)},
        headline=(
            f"queries: at {filled:,} events the slowest of {len(found)} hot queries is {slowest}:"
            f" p50 {found[slowest]['p50']} p99 {worst} p99.9 {found[slowest]['p99.9']} ms"
            f" (an empty round trip: p99 {floor['p99']} ms)"
        ),
    )


def hot_queries(store: ScratchStore, seed: int) -> dict[str, dict[str, float]]:
    """p50, p99, p99.9 of each in milliseconds, one connection, with cases and departments drawn from the store.

    They take turns, so that what disturbs the machine for a moment disturbs all of them.
    """
    found: dict[str, list[float]] = {}
    with store.connect() as conn:
        asked = questions(conn, seed)
        for number in range(WARM_UP + ASKED):
            for name, (rows, ask) in asked.items():
                begun = time.perf_counter()
                ask(conn, rows[number])
                if number >= WARM_UP:
                    found.setdefault(name, []).append(time.perf_counter() - begun)
    return {name: quantiles_ms(seconds) for name, seconds in found.items()}


def questions(conn: Connection[Any], seed: int) -> dict[str, tuple[list[Any], Ask]]:
    """By name what is asked about, WARM_UP + ASKED of them, and how."""
    rng = Random(seed)
    conn.execute("SELECT set_config('shenguan.department', '*', false)")  # as whoever sees all
    cases = _sample(conn, "SELECT stream, number, department FROM read.approvals ORDER BY random() LIMIT 1000", rng)
    notices = _sample(conn, "SELECT notice, department, serial FROM read.receipts ORDER BY random() LIMIT 1000", rng)
    submissions = _sample(
        conn,
        'SELECT topic_id, partition, "offset", s.source, s.id, r.department, r.notice FROM shenguan.submission AS s,'
        " (SELECT department, notice FROM read.receipts LIMIT 1) AS r WHERE s.id <> '' ORDER BY random() LIMIT 1000",
        rng,
    )
    known = Known(local_date(datetime.now(UTC)), local_date(datetime.now(UTC)))
    return {
        NOTHING: (cases, lambda c, _: c.execute("SELECT 1", prepare=True).fetchall()),
        "stream of a case": (cases, lambda c, row: Log(c).streams([row[0]])),
        "stream of a notice": (notices, lambda c, row: Log(c).streams([f"notice/{row[0]}"])),
        "head of a ledger": (notices, lambda c, row: Log(c).streams([f"ledger/{row[1]}"])),
        "ledger entry": (notices, lambda c, row: Log(c).ledger(row[1], row[2])),
        "head of the log": (cases, lambda c, _: Log(c).head()),
        "place and claim of a submission": (submissions, _desk),
        "next deliveries": (cases, _lease),
        "sent and unproven": (cases, lambda c, _: unproven(c, "kafka")),
        "case by number": (cases, lambda c, row: find_approvals(c, number=row[1])),
        "receipts of a case": (cases, lambda c, row: find_receipts(c, case=row[0])),
        "receipts of a department": (notices, lambda c, row: find_receipts(c, department=row[1])),
        "outstanding of a department": (
            notices,
            lambda c, row: find_receipts(c, department=row[1], outstanding=True),
        ),
        "statistics of a department": (notices, lambda c, row: counters(c, "matter", Asked(department=row[1]), known)),
        "statistics of everybody": (cases, lambda c, _: counters(c, "department", Asked(), known)),
        "overdue of everybody": (cases, lambda c, _: find_overdue(c, Asked(), known, 10)),
        "lamps of everybody": (cases, lambda c, _: lamps(c, known.on)),
        "last notices": (cases, lambda c, _: receipts_slice(c, None, PAGE)),
        "last notices of a party": (notices, lambda c, row: receipts_slice(c, None, PAGE, party=row[1])),
        "last seals": (
            cases,
            lambda c, _: seals_slice(c, None, PAGE, department=None, case=None, seal=None, since=None, known_at=None),
        ),
        "overdue of a department": (notices, lambda c, row: find_overdue(c, Asked(department=row[1]), known)),
        "two-way record": (cases, lambda c, row: find_steps(c, row[0])),
        "steps of a case": (cases, lambda c, row: steps_slice(c, row[0], [0], PAGE)),
        "cases of a party": (notices, lambda c, row: approvals_slice(c, None, PAGE, party=row[1])),
        "last cases": (cases, lambda c, _: approvals_slice(c, None, PAGE)),
        "last licences": (cases, lambda c, _: licences_slice(c, None, PAGE, on=known.on)),
    }


def _desk(conn: Connection[Any], row: Any) -> PostgresDesk:
    """What intake asks about an arrival: whether its place was seen, its identity claimed, who waits for it."""
    topic_id, partition, offset, source, id_, department, notice = row
    now = datetime.now(UTC)
    payload = TakeNotice(department=department, notice=notice)
    submission = Submission(source=source, id=id_, occurred_at=now, principal="", auth="none", payload=payload)
    arrival = Arrival(Place(topic_id, partition, offset), "", "", "none", now, submission, b"", source, id_)
    return PostgresDesk(conn, [arrival])


def _lease(conn: Connection[Any], _: object) -> None:
    with conn.transaction():
        lease(conn, "kafka", LEASED, 60.0)
        raise Rollback


def _sample(conn: Connection[Any], query: str, rng: Random) -> list[Any]:
    rows = conn.execute(query).fetchall()
    return [rng.choice(rows) for _ in range(WARM_UP + ASKED)]
