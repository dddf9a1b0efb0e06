"""A generated year into Kafka, and the store held against its truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.kafka import clients
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from domain.recheck import Recheck
from domain.submissions import local_date
from infra.generator import feed, truth
from infra.generator.signers import Sign, signing
from infra.roles.steward import unfinished
from infra.store import Store
from infra.topics import apply_topics

SETTLE_SECONDS = 0.1


def feed_year(store: Store, out: Path, say: Callable[[str], None], seconds: float = 600.0) -> int:
    """The whole of a generated year, while an intake runs: registers before cases, and first of all who may speak. What
    the pilots hand in of cases is signed.

    Principals write to topics of their own, which exist once the operator has registered them. Raises TimeoutError.
    """
    registers, submissions = feed.FILES
    total = 0

    def round_of(name: str, chosen: Callable[[str], bool], sign: Sign | None = None) -> None:
        nonlocal total
        total += send(store, out, [name], chosen, sign=sign)
        say(f"{name}：已送入 Kafka，累计 {total} 条")
        wait_for(lambda: taken_in(store) >= total + before, seconds, f"摄取 {name}")

    before = taken_in(store)
    apply_topics(store)
    founders = known_principals(store)
    round_of(registers, founders.__contains__)
    say(f"接入方已登记，新建主题 {len(apply_topics(store))} 个")
    round_of(registers, lambda principal: principal not in founders)
    round_of(submissions, lambda _: True, signing(store.names.store))
    return total


def known_principals(store: Store) -> set[str]:
    """Who is registered now."""
    with store.connect() as conn:
        return set(RegisterCache().refresh(conn).principals)


def send(
    store: Store,
    out: Path,
    files: Iterable[str] = feed.FILES,
    chosen: Callable[[str], bool] = lambda _: True,
    before_each: Callable[[int], None] = lambda _: None,
    sign: Sign | None = None,
) -> int:
    """Produces the chosen principals' records, signed by those who sign, and waits for the broker to have them all;
    returns how many.

    `before_each` is told how many there were before, and may hold the next one back.
    """
    producer = clients.producer(
        store.kafka_options, usual={"linger_ms": 20, "batch_size": 131_072}, fixed={"acks": "all"}
    )
    try:
        futures: list[Any] = []

        def one(principal: str, key: bytes, headers: feed.Headers, value: bytes) -> None:
            if not chosen(principal):
                return
            before_each(len(futures))
            futures.append(producer.send(store.names.intake(principal), value=value, key=key, headers=headers))

        feed.feed(out, one, files, sign)
        for future in futures:
            future.get(timeout=60)
    finally:
        producer.close(timeout=10)
    return len(futures)


def taken_in(store: Store) -> int:
    """How many records intake has given a disposition, those read again counted again."""
    with store.connect() as conn:
        row = conn.execute("SELECT count(*) + coalesce(sum(redelivered), 0) FROM shenguan.submission").fetchone()
    return int(row[0]) if row else 0


def uncarried(store: Store) -> int:
    """How many successions and subscriptions the clock role has not carried out yet: the truth holds once it has."""
    with store.connect() as conn:
        return unfinished(conn, local_date(datetime.now(UTC)))


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Raises TimeoutError naming `what` if the condition does not come true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"{seconds:.0f} 秒内未完成：{what}")
        time.sleep(SETTLE_SECONDS)


def mismatches(store: Store, out: Path) -> list[str]:
    """The store against the truth file, in words; empty where every submission and notice is as expected."""
    with store.connect() as conn:
        rows = conn.execute("SELECT principal, source, id, disposition FROM shenguan.submission").fetchall()
        recheck = Recheck()
        for recorded in Log(conn).all():
            for _ in recheck.take(recorded):
                pass  # what `verify` finds is not this function's to say
    notices = [(o.notice, o.addressee, o.about, final) for o, final in recheck.final().values()]
    return truth.compare(truth.load(out), rows, notices)
