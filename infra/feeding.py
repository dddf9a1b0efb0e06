"""A generated year into Kafka, and the store held against its truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from adapters.kafka import clients
from adapters.postgres.log import Log
from domain.recheck import Recheck
from infra.generator import feed, truth
from infra.store import Store

SETTLE_SECONDS = 0.1


def principals_of(out: Path) -> set[str]:
    """Everyone who speaks in the files."""
    found = set()
    for name in feed.FILES:
        with (out / name).open(encoding="utf-8") as lines:
            found |= {json.loads(line)["principal"] for line in lines}
    return found


def send(store: Store, out: Path, files: Iterable[str] = feed.FILES) -> int:
    """Produces the files' records and waits for the broker to have them all; returns how many."""
    producer = clients.producer(
        store.kafka_options, usual={"linger_ms": 20, "batch_size": 131_072}, fixed={"acks": "all"}
    )
    try:
        futures = []

        def one(principal: str, key: bytes, headers: feed.Headers, value: bytes) -> None:
            futures.append(producer.send(store.names.intake(principal), value=value, key=key, headers=headers))

        count = feed.feed(out, one, files)
        for future in futures:
            future.get(timeout=60)
    finally:
        producer.close(timeout=10)
    return count


def taken_in(store: Store) -> int:
    """How many records intake has given a disposition, those read again counted again."""
    with store.connect() as conn:
        row = conn.execute("SELECT count(*) + coalesce(sum(redelivered), 0) FROM shenguan.submission").fetchone()
    return int(row[0]) if row else 0


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
