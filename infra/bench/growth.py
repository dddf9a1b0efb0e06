"""`growth`: intake, the stock application, latency and the hot queries at logs of several sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from adapters.postgres.follower import catch_up
from infra.bench.filler import CASES_AT_MOST, Pattern, settle
from infra.bench.ground import Ground, ScratchStore
from infra.bench.intake import stock_rate
from infra.bench.latency import Plan, bare_hops, decisions_to_notices
from infra.bench.mix import Mix, lay_out, take_in
from infra.bench.outcome import Outcome
from infra.bench.pace import quantiles_ms
from infra.bench.queries import hot_queries
from infra.roles.supervisor import Crew
from projections.catalogue import PROJECTIONS

STOCK = 4_000
"""Submissions that the stock application takes at each size: it is slow."""
RATE = 100
_STOCK_EVENTS = "stockapplication_events"


def run(
    ground: Ground, cases: int, seed: int, sizes: Sequence[int], seconds: float, say: Callable[[str], None]
) -> Outcome:
    """The year is taken in again on top of each size; the ratios are those at the largest."""
    cases = min(cases, CASES_AT_MOST)
    mix = lay_out(ground, "growth", cases, seed)
    pattern = _pattern(ground, mix)
    found = {f"{size:,}": _at(ground, mix, pattern, size, number, seconds, say) for number, size in enumerate(sizes)}
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
            seed=seed, cases=cases, submissions=mix.submissions, sizes=list(sizes), ceiling="ours at the smallest size"
        ),
        details={"sizes": found, "p99_ratio_of_queries": worst},
        headline=(
            f"growth: at {sizes[-1]:,} events intake {large['ours']:,.0f}/s = {kept:.2f} x at {sizes[0]:,},"
            f" {large['ours'] / large['stock']:.1f} x stock ({large['stock']:,.0f}/s);"
            f" latency at {RATE}/s p50 {ours['p50']:.0f} p99 {ours['p99']:.0f} ms"
            f" (bare hop {bare['p50']:.0f} / {bare['p99']:.0f} ms);"
            f" slowest-growing query: {slowest}, p99 x {worst[slowest]}"
        ),
    )


def _pattern(ground: Ground, mix: Mix) -> Pattern:
    store = ground.store("pattern", mix.store)
    take_in(store, mix.submissions)
    with store.connect() as conn:
        catch_up(conn, PROJECTIONS)
    pattern = Pattern(store)
    ground.drop(store.migrator_url)
    return pattern


def _at(
    ground: Ground, mix: Mix, pattern: Pattern, size: int, number: int, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    store = ground.store(f"size_{number}", mix.store)
    begun = time.monotonic()
    events = pattern.fill(store, size)
    filled = time.monotonic() - begun
    say(f"{events:,} events in {filled:.0f} s")
    queries = hot_queries(store, mix.seed)
    ours = take_in(store, mix.submissions).rate
    say(f"intake at {events:,}: {ours:,.0f}/s")
    with store.connect() as conn:
        catch_up(conn, PROJECTIONS)
    latency = _latency(store, mix, number, seconds)
    space = _space(store)
    ground.drop(store.migrator_url)
    stock = _stock(ground, mix, events, number)
    say(f"stock at {events:,}: {stock:,.0f}/s")
    return {
        "events": events,
        "fill_seconds": round(filled, 1),
        "ours": round(ours, 1),
        "stock": round(stock, 1),
        "latency": latency,
        "queries": queries,
        "mib": space,
    }


def _latency(store: ScratchStore, mix: Mix, number: int, seconds: float) -> dict[str, dict[str, float]]:
    _skip_deliveries(store)
    plan = Plan(mix.seed, number, max(10, round(RATE * seconds)))
    with Crew(store) as crew:
        ours = quantiles_ms(decisions_to_notices(store, plan, RATE, crew.check))
    return {"ours": ours, "bare": quantiles_ms(bare_hops(store, plan, RATE))}


def _skip_deliveries(store: ScratchStore) -> None:
    """What was taken in just now is neither delivered nor published: the run that follows is to be at low load."""
    with psycopg.connect(store.migrator_url) as conn:
        conn.execute(
            "UPDATE shenguan.notification_tracking SET notification_id ="
            " (SELECT max(notification_id) FROM shenguan.stored_events)"
        )


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


def _space(store: ScratchStore) -> dict[str, float]:
    """The log's table and each of its indexes, in MiB."""
    with psycopg.connect(store.migrator_url) as conn:
        rows = conn.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class"
            " WHERE oid = 'shenguan.stored_events'::regclass OR oid IN"
            " (SELECT indexrelid FROM pg_index WHERE indrelid = 'shenguan.stored_events'::regclass)"
        ).fetchall()
    return {name: round(size / 2**20, 1) for name, size in rows}
