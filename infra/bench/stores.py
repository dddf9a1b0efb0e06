"""`stores`: more workers for a store, and more stores on the same servers: for rate, and for being right."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import psycopg

from adapters.kafka import clients
from adapters.postgres.recorder import WRITER_LOCK
from infra import feeding
from infra.bench.apart import RoleProcess
from infra.bench.ground import Ground, ScratchStore
from infra.bench.mix import Mix, Stalled, lay_out
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.settled import Unclean, verified
from infra.generator.feed import FILES

READY_S, READ_S, TAKEN_S = 120.0, 20.0, 600.0
LOOK_S = 0.02
PARTITIONS = 4
"""Of each intake topic, for workers to share: by default there are so many with an external broker only."""
BLIND_S = 8.0
"""More than a session timeout: who joins later costs others a batch, and nothing else."""
RATES = {"1 worker": (1, 1), "2 workers": (1, 2), "2 stores": (2, 1)}
RIGHT = {"4 workers": (1, 4), "4 stores": (4, 1)}
"""(stores, workers of each)."""


def run(ground: Ground, options: Options) -> Outcome:
    """Each store takes in the whole year; rates are those of all stores together."""
    ground.settings = ground.settings.model_copy(update={"partitions": PARTITIONS})
    found: dict[str, dict[str, Any]] = {}
    for number, (name, (stores, workers)) in enumerate((RATES | RIGHT).items()):
        if name in RATES or max(stores, workers) <= options.most:
            found[name] = _together(ground, f"s{number}", stores, workers, options)
            options.say(f"{name}: {found[name]}")
    one, two, more = (found[name]["rate"] for name in RATES)
    return Outcome(
        name="stores",
        unit="submissions/s",
        ours=more,
        stock=one,
        ceiling=2 * one,
        conditions=ground.conditions(seed=options.seed, cases=options.cases, workers="processes in a consumer group"),
        details=found,
        headline=(
            f"stores: 1 worker {one:,.0f}/s, 2 workers {two:,.0f}/s ({two / one:.2f} x),"
            f" 2 stores {more:,.0f}/s ({more / one:.2f} x); every disposition and notice right with"
            f" {', '.join(found)}"
        ),
    )


def _together(ground: Ground, label: str, stores: int, workers: int, options: Options) -> dict[str, Any]:
    """Some stores take the same year in at the same time, each by so many workers."""
    mixes = [lay_out(ground, f"{label}-{number}", options.cases, options.seed, send=False) for number in range(stores)]
    with ExitStack() as stack:
        teams = [
            [stack.enter_context(RoleProcess(mix.store, "intake", number)) for number in range(workers)]
            for mix in mixes
        ]

        def check() -> None:
            for worker in (worker for team in teams for worker in team):
                worker.check()

        since = time.monotonic()
        for mix in mixes:
            _wait(lambda mix=mix: _joined(mix.store, workers, since), READY_S, "workers to join", check)  # type: ignore[misc]
        locks = [stack.enter_context(psycopg.connect(mix.store.migrator_url, autocommit=True)) for mix in mixes]
        for lock in locks:
            lock.execute("SELECT pg_advisory_lock(%s)", (WRITER_LOCK,))
        sent = [feeding.send(mix.store, mix.directory, FILES[1:]) for mix in mixes]
        with suppress(Stalled):  # one that holds the lock's queue up cannot give partitions away to another
            _wait(lambda: sum(map(_waiting, locks)) >= stores * workers, READ_S, "workers to have read", check)
        ready = sum(map(_waiting, locks))
        rate = _rate(locks, sum(sent), check)
    clean = [_right(mix, options) for mix in mixes]
    for mix in mixes:
        ground.drop(mix.store.migrator_url)
    return {
        "stores": stores,
        "workers": workers,
        "ready": ready,
        "submissions": sum(sent),
        "rate": round(rate, 1),
        "verify": clean,
    }


def _rate(locks: Sequence[psycopg.Connection[Any]], wanted: int, check: Callable[[], None]) -> float:
    """Submissions a second, from the release of the writers' locks to the last commit."""
    before = sum(_taken(conn) for conn in locks)
    begun = time.perf_counter()
    for lock in locks:
        lock.execute("SELECT pg_advisory_unlock(%s)", (WRITER_LOCK,))
    _wait(lambda: sum(_taken(conn) for conn in locks) >= before + wanted, TAKEN_S, "intake", check)
    return wanted / (time.perf_counter() - begun)


def _right(mix: Mix, options: Options) -> dict[str, Any]:
    """Raises Unclean where a disposition or a notice is not what the year's truth says."""
    found = verified(mix.store, options)
    wrong = feeding.mismatches(mix.store, mix.directory)
    if wrong:
        raise Unclean(f"{len(wrong)} mismatches with the truth: {'; '.join(wrong[:5])}")
    return found


def _taken(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("SELECT coalesce(sum(next_offset), 0)::int8 FROM shenguan.intake_position").fetchone()
    assert row is not None
    return int(row[0])


def _waiting(conn: psycopg.Connection[Any]) -> int:
    """How many writers of this database wait for the lock."""
    row = conn.execute(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_locks.database = pg_database.oid"
        " WHERE datname = current_database() AND locktype = 'advisory' AND objid = %s AND NOT granted",
        (WRITER_LOCK,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def _joined(store: ScratchStore, workers: int, since: float) -> bool:
    """Whether all share the partitions of the intake's group by now; one alone need not be waited for."""
    if workers == 1:
        return True
    name = f"shenguan.intake.{store.settings.store}"
    admin = clients.admin(store.kafka_options)
    try:
        group = admin.describe_groups([name])[name]
    except clients.BrokerError:  # not begun yet
        return False
    except ValueError:  # the embedded broker's answer cannot be read
        return time.monotonic() - since > BLIND_S
    finally:
        admin.close()
    return bool(group["group_state"] == "Stable" and len(group["members"]) == workers)


def _wait(condition: Callable[[], bool], seconds: float, what: str, check: Callable[[], None]) -> None:
    """Raises Stalled."""
    until = time.monotonic() + seconds
    while not condition():
        check()
        if time.monotonic() > until:
            raise Stalled(f"waited {seconds:.0f} s for {what}")
        time.sleep(LOOK_S)
