"""`shenguan topics accept`: an intake topic that was made anew is read, by an operator's explicit word."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any

import structlog
from psycopg import Connection

from adapters.kafka import clients
from adapters.kafka.topics import topic_ids
from adapters.postgres.positions import Fenced, open_epoch, topics
from domain import system
from domain.event import Event
from domain.world import World
from infra.store import Store

_log = structlog.get_logger("shenguan.accept")


class NothingToAccept(ValueError):
    """There is no such topic, or intake reads it already. In both languages: `zh`, `en`."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


def accept(store: Store, topic: str) -> int:
    """Opens a new epoch of the topic under the id that it has now; a running intake begins to read it by itself.

    What the old topic held and nobody had read is lost; that is what the operator answers for. Returns the epoch.

    Raises NothingToAccept, Fenced, psycopg.OperationalError, clients.BrokerError.
    """
    with store.connect() as conn:
        old_id, last = topics(conn).get(topic, ("", 0))
    with closing(clients.admin(store.kafka_options)) as admin:
        found = topic_ids(admin, [topic]).get(topic)
    if store.names.principal_of(topic) is None or found is None:
        raise NothingToAccept(f"没有提交主题 {topic}", f"there is no intake topic {topic}")
    if not old_id or old_id == found:
        raise NothingToAccept(f"{topic} 没有被重建，无需接受", f"{topic} was not made anew: there is nothing to accept")
    epoch = last + 1

    def action(conn: Connection[Any]) -> None:
        if topics(conn)[topic] != (old_id, last):
            raise Fenced(f"epoch {epoch} of {topic} was opened by somebody else")
        open_epoch(conn, topic, found, epoch)

    def fact(world: World, now: datetime) -> list[Event]:
        return system.epoch_opened(world, topic, old_id, found, epoch, "accepted", now)

    with closing(store.writer()) as writer:
        writer.run(action, [fact])
    _log.warning("intake_topic_accepted", topic=topic, old=old_id, topic_id=found, epoch=epoch)
    return epoch
