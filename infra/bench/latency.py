"""`latency`: a decision produced → its notice consumed, beside the bare hop on the same servers at the same pace."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import psycopg

from adapters.kafka import clients
from infra import feeding
from infra.bench.driver import ANSWERED, GRACE, Driven, Question, drive
from infra.bench.ground import Ground, ScratchStore
from infra.bench.hop import BareHop
from infra.bench.mix import Stalled, lay_out, take_in
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import quantiles_ms
from infra.bench.settled import verified
from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.feed import record
from infra.generator.registry import Registry
from infra.generator.scenario import SCENARIOS
from infra.generator.scenarios import ordinary
from infra.generator.working_time import SHANGHAI
from infra.roles.supervisor import Crew
from infra.store import Store
from infra.topics import apply_topics
from infra.verify import FOLLOWERS

BARE = "bench_hop"
JUDGED = 100  # decisions a second
SETTLE = 300.0  # seconds
_UNSETTLED = """
SELECT (SELECT count(*) FROM shenguan.delivery WHERE sent_at IS NULL),
    (SELECT max(notification_id) FROM shenguan.stored_events) - (SELECT coalesce(min(notification_id), 0)
     FROM shenguan.notification_tracking WHERE application_name = ANY(%s))
"""


def run(ground: Ground, options: Options) -> Outcome:
    """At each rate ours, then the bare hop. The figure is the p99 at 100/s, or at the rate nearest to it."""
    mix = lay_out(ground, "latency", 1, options.seed)
    store = mix.store
    take_in(store, mix.submissions)
    rates = options.rates
    plans = [Plan(options.seed, number, max(10, round(rate * options.seconds))) for number, rate in enumerate(rates)]
    found: dict[str, Any] = {}
    with Crew(store, apart=True) as crew:
        for rate, plan in zip(rates, plans, strict=True):
            ours = decisions_to_notices(store, plan, rate, crew.check)
            found[f"{rate}/s"] = {"ours": quantiles_ms(ours.seconds), "sender": {"ours": ours.sender}}
            options.say(f"{rate}/s: {found[f'{rate}/s']}")
            settle(store)
    for rate, plan in zip(rates, plans, strict=True):
        bare = bare_hops(store, plan, rate)
        found[f"{rate}/s"]["bare"] = quantiles_ms(bare.seconds)
        found[f"{rate}/s"]["sender"]["bare"] = bare.sender
        options.say(f"bare hop at {rate}/s: {found[f'{rate}/s']['bare']}")
    chosen = min(rates, key=lambda rate: abs(rate - JUDGED))
    ours_ms, bare_ms = (found[f"{chosen}/s"][side]["p99"] for side in ("ours", "bare"))
    steady = round(found[f"{rates[-1]}/s"]["ours"]["p99"] / found[f"{rates[0]}/s"]["ours"]["p99"], 2)
    return Outcome(
        name="latency",
        unit=f"ms (p99 at {chosen}/s)",
        ours=ours_ms,
        stock=None,
        ceiling=bare_ms,
        conditions=ground.conditions(
            seed=options.seed, rates=list(rates), seconds=options.seconds, roles="each in a process of its own"
        ),
        details={
            **found,
            f"p99 at {rates[-1]}/s over p99 at {rates[0]}/s": steady,
            "verify": verified(store, options),
        },
        headline="latency: decision → notice "
        + "; ".join(
            f"at {rate} p50 {one['ours']['p50']:.0f} p99 {one['ours']['p99']:.0f} ms"
            f" (bare hop {one['bare']['p50']:.0f} / {one['bare']['p99']:.0f} ms)"
            for rate, one in found.items()
        )
        + f"; p99 at {chosen}/s = {ours_ms / bare_ms:.1f} x bare hop,"
        f" at {rates[-1]}/s = {steady} x its own at {rates[0]}/s",
    )


def settle(store: Store) -> None:
    """Waits until the roles at work have dispatched and projected all there is."""

    def settled() -> bool:
        with store.connect() as conn:
            row = conn.execute(_UNSETTLED, (list(FOLLOWERS),)).fetchone()
        return row is not None and not any(row)

    feeding.wait_for(settled, SETTLE, "settling")


class Plan:
    """Cases that have been accepted, each with a decision to send and the notices it must bring."""

    def __init__(self, seed: int, number: int, count: int) -> None:
        registry = Registry(seed)
        plain = SCENARIOS[ordinary.plain.__name__]
        self.accepts: list[Arrival] = []
        self.decisions: list[Case] = []
        for index in range(count):
            rng = Random(f"{seed}/latency/{number}/{index}")
            item, party = plain.choose(registry.items[names.league(rng).code], rng)
            # Numbers beyond those of any year that is generated beside it.
            start = _start(number, index)
            case = Case(registry, item, party, 9_000_000 + 100_000 * number + index, start, rng)
            self.accepts.append(case.accept())
            case.decide()
            self.decisions.append(case)

    def questions(self, store: Store) -> list[Question]:
        found = []
        for case in self.decisions:
            principal, key, headers, value = _record(case.arrivals[-1])
            answers = tuple((store.names.notices(notice.addressee), notice.id) for notice in case.notices)
            found.append(Question(store.names.intake(principal), key, headers, value, answers))
        return found


def decisions_to_notices(store: Store, plan: Plan, rate: float, check: Callable[[], None]) -> Driven:
    """From sending a decision to reading each of its notices; every role of the store must be at work."""
    before = feeding.taken_in(store)
    apply_topics(store)
    send(store, plan.accepts)
    feeding.wait_for(lambda: feeding.taken_in(store) >= before + len(plan.accepts), SETTLE, "accepts")
    settle(store)
    return _measure(store.kafka_options, plan.questions(store), rate, check)


def bare_hops(store: ScratchStore, plan: Plan, rate: float) -> Driven:
    """The same records at the same pace through the bare hop."""
    with psycopg.connect(store.migrator_url, autocommit=True) as conn:
        conn.execute(f"CREATE TABLE IF NOT EXISTS public.{BARE} (id bigserial PRIMARY KEY, body bytea)")
        conn.execute(f"GRANT ALL ON public.{BARE}, public.{BARE}_id_seq TO PUBLIC")
    with BareHop(store, f"public.{BARE}") as hop:
        asked, answered = hop.topics
        time.sleep(1.0)  # its clients find their way
        questions = []
        for number, one in enumerate(plan.questions(store)):
            headers = [(name, value) for name, value in one.headers if name != "ce_id"]
            token = f"bare-{number}"
            headers.append(("ce_id", token.encode()))
            questions.append(Question(asked, one.key, headers, one.value, ((answered, token),)))
        return _measure(store.kafka_options, questions, rate, hop.check)


def _measure(options: dict[str, Any], questions: list[Question], rate: float, check: Callable[[], None]) -> Driven:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    driver = context.Process(target=drive, args=(theirs, options, questions, rate), daemon=True)
    driver.start()
    theirs.close()
    try:
        _receive(ours, GRACE)
        ours.send("go")
        driven: Driven = _receive(ours, len(questions) / rate + ANSWERED + GRACE)
    except EOFError:
        raise Stalled("the driver died") from None
    finally:
        ours.close()
        driver.join(GRACE)
        driver.kill()
    check()
    wanted = sum(len(question.answers) for question in questions)
    if len(driven.seconds) < wanted:
        raise Stalled(f"{len(driven.seconds)} of {wanted} answers came")
    return driven


def send(store: Store, arrivals: list[Arrival]) -> None:
    """Hands them in; all are in Kafka when it returns."""
    producer = clients.producer(store.kafka_options, usual={"linger_ms": 20}, fixed={"acks": "all"})
    try:
        for arrival in arrivals:
            principal, key, headers, value = _record(arrival)
            producer.send(store.names.intake(principal), value=value, key=key, headers=headers)
        producer.flush(timeout=SETTLE)
    finally:
        producer.close(timeout=5)


def _receive(pipe: Any, seconds: float) -> Any:
    if not pipe.poll(seconds):
        raise Stalled(f"no word from the driver in {seconds:.0f} s")
    return pipe.recv()


def _record(arrival: Arrival) -> tuple[str, bytes, list[tuple[str, bytes]], bytes]:
    return record(json.loads(arrival.line()))


def _start(number: int, index: int) -> datetime:
    """A day before any generated year: case numbers hold the day and four digits of the index."""
    return datetime(2024, 11, 4, tzinfo=SHANGHAI) + timedelta(days=10 * number + index // 10_000)
