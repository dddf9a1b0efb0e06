"""`growth`: intake, projection lag, latency and the hot queries at logs of several sizes, and what they occupy."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from adapters.postgres.follower import position_of
from adapters.postgres.log import Log
from infra import feeding
from infra.bench.apart import RoleProcess
from infra.bench.filler import CASES_AT_MOST, Pattern, followers_at_head, settle
from infra.bench.ground import Ground, ScratchStore
from infra.bench.intake import stock_rate
from infra.bench.latency import Plan, bare_hops, decisions_to_notices
from infra.bench.mix import Mix, lay_out
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import quantiles_ms
from infra.bench.queries import hot_queries
from infra.bench.settled import deliver, follow, verified
from infra.bench.taking import Taken, taken_in_apart
from infra.roles.supervisor import Crew
from projections.catalogue import PROJECTIONS

STOCK = 4_000
"""Submissions that the stock application takes at each size: it is slow."""
RATE = 100
LAG_S = 600.0
_STOCK_EVENTS = "stockapplication_events"


def run(ground: Ground, options: Options) -> Outcome:
    """The year is taken in again on top of each size; the ratios are those at the largest."""
    sizes = options.sizes
    mix = lay_out(ground, "growth", min(options.cases, CASES_AT_MOST), options.seed)
    pattern = Pattern.of_year(ground, mix)
    found = {f"{size:,}": _at(ground, mix, pattern, size, number, options) for number, size in enumerate(sizes)}
    small, large = found[f"{sizes[0]:,}"], found[f"{sizes[-1]:,}"]
    kept = large["ours"] / small["ours"]
    worst = {name: round(one["p99"] / small["queries"][name]["p99"], 2) for name, one in large["queries"].items()}
    ours, bare = large["latency"]["ours"], large["latency"]["bare"]
    slowest = max(worst, key=lambda name: worst[name])
    return Outcome(
        name="growth",
        unit="submissions/s",
        ours=large["ours"],
        stock=large["stock"],
        ceiling=small["ours"],
        conditions=ground.conditions(
            seed=options.seed,
            cases=mix.cases,
            submissions=mix.submissions,
            sizes=list(sizes),
            ceiling="ours at the smallest size",
        ),
        details={"sizes": found, "p99_ratio_of_queries": worst},
        headline=(
            f"growth: at {sizes[-1]:,} events intake {large['ours']:,.0f}/s = {kept:.2f} x at {sizes[0]:,},"
            f" {large['ours'] / large['stock']:.1f} x stock ({large['stock']:,.0f}/s);"
            f" projections {large['projection_lag']['ms']:,.0f} ms behind;"
            f" latency at {RATE}/s p50 {ours['p50']:.0f} p99 {ours['p99']:.0f} ms"
            f" (bare hop {bare['p50']:.0f} / {bare['p99']:.0f} ms);"
            f" slowest-growing query: {slowest}, p99 x {worst[slowest]}"
        ),
    )


def _at(ground: Ground, mix: Mix, pattern: Pattern, size: int, number: int, options: Options) -> dict[str, Any]:
    store = ground.store(f"size_{number}", mix.store)
    begun = time.monotonic()
    events = pattern.fill(store, size)
    filled = time.monotonic() - begun
    options.say(f"{events:,} events in {filled:.0f} s")
    half = _half(store, mix.submissions // 2)
    options.say(f"intake at {events:,}: {half.rate:,.0f}/s")
    lag = _lag(store, mix.submissions - half.total)
    options.say(f"projector beside intake: {lag}")
    follow(store)
    settle(store.migrator_url)
    queries = hot_queries(store, mix.seed)
    space = _space(store)
    latency = _latency(store, mix, number, options.seconds)
    options.say(f"latency: {latency}")
    clean = verified(store, options)
    ground.drop(store.migrator_url)
    stock = _stock(ground, mix, events, number)
    options.say(f"stock at {events:,}: {stock:,.0f}/s")
    return {
        "events": events,
        "fill_seconds": round(filled, 1),
        "ours": round(half.rate, 1),
        "stock": round(stock, 1),
        "projection_lag": lag,
        "latency": latency,
        "queries": queries,
        "space": space,
        "verify": clean,
    }


def _half(store: ScratchStore, wanted: int) -> Taken:
    """Takes in so many, and no more than a batch beyond them, which is the less the fewer they are."""
    most = min(store.settings.batch_max_records, max(1, wanted // 4))
    part = ScratchStore(store.settings.model_copy(update={"batch_max_records": most}), store.servers)
    return taken_in_apart(part, wanted)


def _lag(store: ScratchStore, wanted: int) -> dict[str, float]:
    """The rest of the year with a projector beside intake: how far it is behind at intake's last commit, in events, and
    for how long, in milliseconds; and intake's rate meanwhile."""
    follow(store)
    names = [projection.name for projection in PROJECTIONS]
    with RoleProcess(store, "projector") as projector, store.connect() as conn:
        feeding.wait_for(lambda: _leads(conn, names), LAG_S, "projector")
        rate = taken_in_apart(store, wanted).rate
        begun = time.monotonic()
        head = Log(conn).head()
        behind = head - min(position_of(conn, name) for name in names)
        while min(position_of(conn, name) for name in names) < head:
            projector.check()
            if time.monotonic() - begun > LAG_S:
                raise TimeoutError(f"the projector was not at {head} in {LAG_S:.0f} s")
            time.sleep(0.005)
        return {"ms": round((time.monotonic() - begun) * 1000, 1), "events": behind, "intake": round(rate, 1)}


def _leads(conn: psycopg.Connection[Any], names: list[str]) -> bool:
    row = conn.execute("SELECT count(*) FROM shenguan.follower WHERE name = ANY(%s)", (names,)).fetchone()
    return row is not None and row[0] == len(names)


def _latency(store: ScratchStore, mix: Mix, number: int, seconds: float) -> dict[str, dict[str, float]]:
    """What was taken in just now is neither delivered nor published before: the run is to be at low load."""
    deliver(store)
    with psycopg.connect(store.migrator_url) as conn:
        followers_at_head(conn)
    plan = Plan(mix.seed, number, max(10, round(RATE * seconds)))
    with Crew(store, apart=True) as crew:
        ours = quantiles_ms(decisions_to_notices(store, plan, RATE, crew.check).seconds)
    return {"ours": ours, "bare": quantiles_ms(bare_hops(store, plan, RATE).seconds)}


def _stock(ground: Ground, mix: Mix, events: int, number: int) -> float:
    """The stock application's log is filled from what it wrote itself, under other random ids."""
    store = ground.store(f"stock_size_{number}", mix.store)
    wanted = min(STOCK, mix.submissions)
    stock_rate(store, wanted)
    with psycopg.connect(store.migrator_url) as conn:
        conn.execute(
            f"WITH pattern AS MATERIALIZED (SELECT * FROM {_STOCK_EVENTS})"
            f" INSERT INTO {_STOCK_EVENTS} (originator_id, originator_version, topic, state)"
            " SELECT md5(originator_id::text || n)::uuid, originator_version, topic, state FROM pattern,"
            " generate_series(1, ceil(%s / (SELECT count(*) FROM pattern)::float)::int) AS n",
            (events,),
        )
        conn.execute(
            f"DELETE FROM {_STOCK_EVENTS} WHERE notification_id <= (SELECT min(notification_id) FROM {_STOCK_EVENTS}) +"
            f" (SELECT count(*) FROM {_STOCK_EVENTS}) - %s - 1",
            (events,),
        )
    settle(store.migrator_url)
    rate = stock_rate(store, wanted)
    ground.drop(store.migrator_url)
    return rate


def _space(store: ScratchStore) -> dict[str, Any]:
    """Of every table with rows of its own, and of each of its indexes, in MiB; and all of it in bytes per event."""
    with psycopg.connect(store.migrator_url) as conn:
        rows = conn.execute(
            "SELECT t.relnamespace::regnamespace || '.' || t.relname, c.relname, pg_relation_size(c.oid)"
            " FROM pg_class AS t JOIN pg_class AS c ON c.oid = t.oid OR c.oid IN"
            " (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)"
            " WHERE t.relkind = 'r' AND t.relnamespace::regnamespace::text IN ('shenguan', 'read', 'vault')"
            " ORDER BY t.relname, c.relkind DESC, c.relname"
        ).fetchall()
        total = conn.execute("SELECT pg_database_size(current_database())").fetchone()
        events = conn.execute("SELECT count(*) FROM shenguan.stored_events").fetchone()
    assert total is not None
    assert events is not None
    mib: dict[str, dict[str, float]] = {}
    for table, name, size in rows:
        if size >= 2**16:
            mib.setdefault(table, {})["table" if name == table.split(".")[1] else name] = round(size / 2**20, 1)
    return {"bytes_per_event": round(total[0] / max(1, events[0])), "mib": mib}
