"""The generator's mix: a year in Kafka, and a store that knows its registers and nothing else yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Timer
from typing import Any

from adapters.kafka import clients
from adapters.postgres.writer import Written
from infra import feeding
from infra.bench.ground import Ground, ScratchStore
from infra.bench.pace import Pace
from infra.founding import found, read
from infra.generator.feed import FILES
from infra.generator.signers import signing
from infra.generator.year import generate
from infra.roles.intake import IntakeRole
from infra.store import Store
from infra.topics import apply_topics

REGISTERS, SUBMISSIONS = FILES
PATIENCE = 600.0  # seconds


class Stalled(Exception):
    """Intake did not get through the mix in time."""


@dataclass(frozen=True, slots=True)
class Mix:
    """`store` has the registers; the year's `submissions` lie in its topics behind the positions it holds, and in the
    files of `directory`."""

    store: ScratchStore
    cases: int
    seed: int
    submissions: int
    directory: Path


def year_of(ground: Ground, cases: int, seed: int) -> Path:
    """Where a year lies; generated there unless it has been."""
    return ground.directory / f"year-{cases}-{seed}"


def lay_out(
    ground: Ground,
    label: str,
    cases: int,
    seed: int,
    send: bool = True,
    since: datetime | None = None,
    signed: bool = False,
) -> Mix:
    """Generates the year, takes its registers in and leaves the rest in Kafka, in topics of its own; without `send` it
    is left in the files, for the caller to send. `since`: when all that is recorded, else now. `signed`: by whoever
    hands it in."""
    out = year_of(ground, cases, seed)
    if not out.exists():
        generate(cases, seed, out, rare=False)
    store = ground.store(label)
    if since is not None:
        store.clock = lambda: since
    found(store, read(out / "founding.json"))
    founders = feeding.known_principals(store)
    apply_topics(store)
    take_in(store, feeding.send(store, out, [REGISTERS], founders.__contains__))
    apply_topics(store)  # for those whom the registers have named
    take_in(store, feeding.send(store, out, [REGISTERS], lambda principal: principal not in founders))
    sign = signing(store.names.store, lambda _: True) if signed else None
    sent = feeding.send(store, out, [SUBMISSIONS], sign=sign) if send else 0
    return Mix(store, cases, seed, sent, out)


def take_in(store: Store, wanted: int, watch: Callable[[Written], None] = lambda _: None) -> Pace:
    """Runs the intake role in this thread until it has taken so many records. Raises Stalled."""
    pace = Pace()

    def committed(written: Written) -> None:
        watch(written)
        pace.committed(sum(not r.released for r in written.results) + written.redelivered)
        if pace.total >= wanted:
            role.stopped.set()

    if wanted <= 0:
        return pace
    role = IntakeRole(store, committed)
    timer = Timer(PATIENCE, role.stopped.set)
    timer.daemon = True
    timer.start()
    try:
        role.run()
    finally:
        timer.cancel()
    if pace.total < wanted:
        raise Stalled(f"{pace.total} / {wanted}")
    return pace


def consumer_at(store: Store) -> tuple[Any, dict[str, str]]:
    """A plain kafka-python consumer at the positions that the store holds, and the topics' ids by name."""
    from kafka import TopicPartition

    with store.connect() as conn:
        ids: dict[str, str] = dict(conn.execute("SELECT topic, topic_id FROM shenguan.intake_topic").fetchall())
        rows = conn.execute("SELECT topic_id, partition, next_offset FROM shenguan.intake_position").fetchall()
    names = {topic_id: topic for topic, topic_id in ids.items()}
    offsets = {(names[topic_id], partition): offset for topic_id, partition, offset in rows if topic_id in names}
    principals = _intake_topics(store)
    consumer = clients.consumer(
        store.kafka_options, usual={"fetch_max_wait_ms": 100}, fixed={"group_id": None, "enable_auto_commit": False}
    )
    partitions = [
        TopicPartition(topic, number)
        for topic in principals
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, offsets.get((partition.topic, partition.partition), 0))
    return consumer, {topic: ids.get(topic, topic) for topic in principals}


def _intake_topics(store: Store) -> list[str]:
    admin = clients.admin(store.kafka_options)
    try:
        return sorted(name for name in admin.list_topics() if store.names.principal_of(name))
    finally:
        admin.close()
