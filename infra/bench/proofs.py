"""`proofs`: what proving costs intake, how soon a proof is ready, how fast events are held against their leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, NamedTuple

import psycopg

from adapters.postgres.checkpoints import MADE, latest
from adapters.postgres.follower import catch_up, position_of
from adapters.postgres.log import Log
from adapters.postgres.trees import runs
from domain.recheck import Problem
from infra import feeding
from infra.bench.apart import RoleProcess, apart
from infra.bench.filler import CASES_AT_MOST, Pattern
from infra.bench.ground import Ground, ScratchStore
from infra.bench.mix import SUBMISSIONS, Mix, lay_out
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import quantiles_ms
from infra.bench.settled import verified
from infra.bench.taking import taken_in_apart
from infra.proving import BATCH, PROOFS, Keys, Proofs
from infra.settings import Settings
from infra.store import Servers
from infra.verify_leaves import events
from infra.verify_proofs import proofs

PACES = (750, 3_000)
"""Submissions a second; the first gives about 1,000 events a second."""
WARM = 10
"""Submissions that are sent before the clock runs."""
LONGEST_S = 60
BREATH_S = 0.01
"""The sender hands over what is due so often."""
PATIENCE_S = 300.0


def run(ground: Ground, options: Options) -> Outcome:
    """Without and with proofs in turns, on stores of their own."""
    paced = {f"{pace}/s": _at_pace(ground, options, pace) for pace in PACES}
    rates = _saturated(ground, options)
    path = _hash_path(ground, options)
    without, with_, signed = (median(rates[name]) for name in ("without", "with", "signed"))
    fixed = paced[f"{PACES[-1]}/s"]
    kept = fixed["with"]["rate"] / fixed["without"]["rate"]
    ready = paced[f"{PACES[0]}/s"]["with"]
    return Outcome(
        name="proofs",
        unit="submissions/s",
        ours=with_,
        stock=None,
        ceiling=without,
        conditions=ground.conditions(
            seed=options.seed, cases=options.cases, rounds=options.rounds, events=path["events"], roles="processes"
        ),
        details={"at a pace": paced, "as fast as it goes": rates, "hash path": path},
        headline=(
            f"proofs: at {PACES[-1]:,} submissions/s intake with proofs takes {fixed['with']['rate']:,.0f}/s ="
            f" {kept:.2f} x without; as fast as it goes {with_:,.0f}/s = {with_ / without:.2f} x without"
            f" ({without:,.0f}/s), all signed {signed:,.0f}/s = {signed / without:.2f} x unsigned;"
            f" at {ready['events_per_s']:,.0f} events/s a proof is ready after"
            f" p50 {ready['ready']['p50']:.0f} p99 {ready['ready']['p99']:.0f} ms;"
            f" hash path {path['events_per_s']:,.0f} events/s"
        ),
    )


def _at_pace(ground: Ground, options: Options, pace: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, proving in (("without", False), ("with", True)):
        mix = lay_out(ground, f"pace-{pace}-{name}", options.cases, options.seed, send=False)
        found[name] = _paced(mix, pace, proving)
        options.say(f"at {pace}/s {name} proofs: {found[name]}")
        if proving:
            found["verify"] = verified(mix.store, options)
        ground.drop(mix.store.migrator_url)
    return found


def _paced(mix: Mix, pace: int, proving: bool) -> dict[str, Any]:
    """The rate at which the year is committed, in submissions and in events a second, and when proofs were ready."""
    store = mix.store
    before = feeding.taken_in(store)
    with ExitStack() as stack:
        roles = [stack.enter_context(RoleProcess(store, "intake"))]
        if proving:
            roles.append(stack.enter_context(_proving(store)))
        seen = stack.enter_context(_onlooker(store)) if proving else []
        conn = stack.enter_context(psycopg.connect(store.migrator_url, autocommit=True))
        sent = apart(_send_evenly, store.settings, store.servers, mix.directory, pace)

        def all_in() -> bool:
            for role in roles:
                role.check()
            return feeding.taken_in(store) >= before + WARM + sent.total

        feeding.wait_for(all_in, PATIENCE_S, "intake")
        row = conn.execute(
            "SELECT count(*), min(notification_id), extract(epoch FROM max(recorded_at) - %(since)s)::float8"
            " FROM shenguan.stored_events WHERE recorded_at >= %(since)s",
            {"since": sent.since},
        ).fetchone()
        assert row is not None
        count, first, lasted = row
        found: dict[str, Any] = {
            "sent_per_s": round(sent.rate, 1),
            "rate": round(sent.total / lasted, 1),
            "events_per_s": round(count / lasted, 1),
        }
        if proving:
            feeding.wait_for(lambda: bool(seen) and seen[-1][1] >= Log(conn).head(), PATIENCE_S, "the onlooker")
            found["ready"] = quantiles_ms(_ready(conn, first, seen))
    return found


class Sent(NamedTuple):
    """How many were sent evenly, since when, and how many a second."""

    total: int
    since: datetime
    rate: float


def _send_evenly(settings: Settings, servers: Servers, out: Path, pace: int) -> Sent:
    """At most what lasts LONGEST_S; once the first few have been taken in, so that nobody's start-up is counted."""
    store = ScratchStore(settings, servers)
    before = feeding.taken_in(store)
    most = iter(range(WARM + pace * LONGEST_S))
    begun, since = time.perf_counter(), datetime.now(UTC)

    def hold(number: int) -> None:
        nonlocal begun, since
        if number < WARM:
            return
        if number == WARM:
            feeding.wait_for(lambda: feeding.taken_in(store) >= before + WARM, PATIENCE_S, "intake to begin")
            begun, since = time.perf_counter(), datetime.now(UTC)
        early = begun + (number - WARM) / pace - time.perf_counter()
        if early > 0:
            time.sleep(max(early, BREATH_S))

    count = feeding.send(store, out, [SUBMISSIONS], lambda _: next(most, None) is not None, hold) - WARM
    return Sent(count, since, count / (time.perf_counter() - begun))


@contextmanager
def _proving(store: ScratchStore) -> Iterator[RoleProcess]:
    """The role `prover`, once it has come to the head of the log."""
    with RoleProcess(store, "prover") as prover, store.connect() as conn:

        def there() -> bool:
            prover.check()
            return position_of(conn, PROOFS) == Log(conn).head()

        feeding.wait_for(there, PATIENCE_S, "prover")
        yield prover


@contextmanager
def _onlooker(store: ScratchStore) -> Iterator[list[tuple[datetime, int]]]:
    """When it was told of a checkpoint, and up to which position the latest one goes by then."""
    seen: list[tuple[datetime, int]] = []
    stopped = Event()

    def look() -> None:
        with psycopg.connect(store.migrator_url, autocommit=True) as conn:
            conn.execute(f"LISTEN {MADE}")
            while not stopped.is_set():
                if list(conn.notifies(timeout=0.2, stop_after=1)) and (made := latest(conn)):
                    seen.append((datetime.now(UTC), made.position))

    thread = Thread(target=look, name="onlooker", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        thread.join()


def _ready(conn: psycopg.Connection[Any], first: int, seen: list[tuple[datetime, int]]) -> list[float]:
    """Of each event from a position on, the seconds from its recording until the onlooker knew of a proof of it."""
    found: list[float] = []
    after = first - 1
    for at, position in seen:
        rows = conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events WHERE notification_id > %s AND notification_id <= %s",
            (after, position),
        )
        found += [(at - recorded_at).total_seconds() for (recorded_at,) in rows]
        after = max(after, position)
    return found


def _saturated(ground: Ground, options: Options) -> dict[str, list[float]]:
    """Submissions a second where all of them lie ready; `signed`: each by who hands it in, and without proofs."""
    plain = lay_out(ground, "full", options.cases, options.seed)
    signed = lay_out(ground, "full-signed", options.cases, options.seed, signed=True)
    rates: dict[str, list[float]] = {"without": [], "with": [], "signed": []}
    for number in range(options.rounds):
        for name, found in rates.items():
            mix = signed if name == "signed" else plain
            store = ground.store(f"full_{name}_{number}", mix.store)
            with ExitStack() as stack:
                if name == "with":
                    stack.enter_context(_proving(store))
                found.append(round(taken_in_apart(store, mix.submissions).rate, 1))
            ground.drop(store.migrator_url)
        options.say(f"as fast as it goes, round {number + 1}: {rates}")
    return rates


def _hash_path(ground: Ground, options: Options) -> dict[str, Any]:
    mix = lay_out(ground, "path", min(options.cases, CASES_AT_MOST), options.seed)
    pattern = Pattern.of_year(ground, mix)
    store = ground.store("filled", mix.store)
    size = pattern.fill(store, options.events)
    with store.connect() as conn:
        catch_up(conn, [Proofs(store.settings.log_name, Keys(store.settings).signers)], BATCH)
    options.say(f"{size:,} events are proven")
    return {"events": size} | apart(_checked, store.migrator_url)


def _checked(url: str) -> dict[str, int]:
    """Events a second, of the hash path and of all checks of proofs. Raises ValueError where something is wrong."""
    with psycopg.connect(url) as conn:
        made = latest(conn)
        assert made is not None
        checks: dict[str, Callable[[], Iterable[Problem]]] = {
            "events_per_s": partial(events, conn, made, runs(conn)),
            "all_checks_events_per_s": partial(proofs, conn),
        }
        found = {}
        for name, check in checks.items():
            begun = time.perf_counter()
            if problems := list(check()):
                raise ValueError(problems[0].en)
            found[name] = round(made.head.size / (time.perf_counter() - begun))
    return found
