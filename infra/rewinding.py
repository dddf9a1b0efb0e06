"""`shenguan rewind`: every intake topic is read once more from its start, under new epochs; only counters move."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any

import structlog
from kafka import TopicPartition
from psycopg import Connection

from adapters.kafka import clients
from adapters.kafka.topics import topic_ids
from adapters.postgres.positions import Fenced, open_epoch, topics
from adapters.postgres.writer import Writer
from domain import system
from domain.event import Event
from domain.world import World
from infra.store import Store

_log = structlog.get_logger("shenguan.rewind")
Firsts = dict[int, int]
"""First offset by partition."""


def rewind(store: Store, reason: str) -> int:
    """Opens a new epoch of every topic that intake knows, with `reason` on record; returns of how many.

    A running intake is fenced off and reads on from the start by itself; what it reads again is counted as duplicate.
    What Kafka has deleted by now is left out. A topic that is gone, or was made anew, is intake's own to judge.

    Raises psycopg.OperationalError, clients.BrokerError.
    """
    with store.connect() as conn:
        known = topics(conn)
    beginnings = _beginnings(store, {topic: topic_id for topic, (topic_id, _) in known.items()})
    with closing(store.writer()) as writer:
        for topic, firsts in sorted(beginnings.items()):
            _rewind(writer, topic, known[topic][0], firsts, reason)
    return len(beginnings)


def _rewind(writer: Writer, topic: str, topic_id: str, firsts: Firsts, reason: str) -> None:
    epoch = 0

    def action(conn: Connection[Any]) -> None:
        nonlocal epoch
        found_id, last = topics(conn)[topic]
        if found_id != topic_id:
            raise Fenced(f"{topic} was made anew")
        epoch = last + 1
        open_epoch(conn, topic, topic_id, epoch)
        conn.execute(
            "UPDATE shenguan.intake_position SET next_offset = f.o FROM unnest(%b::int4[], %b::int8[]) AS f (p, o)"
            " WHERE topic_id = %b AND partition = f.p",
            (list(firsts), list(firsts.values()), topic_id),
        )

    def fact(world: World, now: datetime) -> list[Event]:
        return system.epoch_opened(world, topic, topic_id, topic_id, epoch, reason, now)

    writer.run(action, [fact])
    _log.warning("intake_rewound", topic=topic, epoch=epoch)


def _beginnings(store: Store, known: dict[str, str]) -> dict[str, Firsts]:
    """Of the topics that are still the ones we know."""
    with closing(clients.admin(store.kafka_options)) as admin:
        ids = topic_ids(admin, known)
    same = [topic for topic, topic_id in known.items() if ids.get(topic) == topic_id]
    for topic in known.keys() - set(same):
        _log.error("intake_topic_not_rewound", topic=topic, known=known[topic], found=ids.get(topic))
    fixed = {"group_id": None, "enable_auto_commit": False}
    with closing(clients.consumer(store.kafka_options, fixed=fixed)) as consumer:
        found: dict[str, Firsts] = {}
        for topic in same:
            places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
            found[topic] = {place.partition: first for place, first in consumer.beginning_offsets(places).items()}
    return found
