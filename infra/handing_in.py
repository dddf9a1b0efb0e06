"""Submissions into their principal's intake topic, and the broker's word that they are there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from adapters.kafka import clients
from adapters.kafka.names import TopicNames
from adapters.kafka.outbox import Outbox, Sent
from adapters.kafka.topics import topic_ids
from domain.arrivals import Place

ACK_SECONDS = 30.0


class Record(NamedTuple):
    """One submission as Kafka takes it."""

    key: str
    headers: list[tuple[str, bytes]]
    value: bytes


class NotSubmitted(OSError):
    """Kafka did not take all of it, in both languages: `zh`, `en`."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh = zh
        self.en = en


def hand_in(kafka: clients.Options, names: TopicNames, principal: str, records: Sequence[Record]) -> list[Place]:
    """Where each lies. Raises NotSubmitted or clients.BrokerError."""
    try:
        topic = names.intake(principal)
    except ValueError:
        raise NotSubmitted(
            "接入方须为 1–64 个字母、数字、下划线或连字符", "a principal is named by 1–64 letters, digits, _ or -"
        ) from None
    with closing(clients.admin(kafka)) as admin:
        # The producer would ask for a topic that is missing until it has lost patience.
        topic_id = topic_ids(admin, [topic]).get(topic)
    if topic_id is None:
        raise NotSubmitted(
            f"没有主题 {topic}，或无权写入：接入方 {principal} 登记后，由运维执行 shenguan topics apply",
            f"there is no topic {topic}, or it may not be written: once the principal {principal} is registered, the"
            " operator runs shenguan topics apply",
        )
    with closing(Outbox(kafka)) as outbox:
        handles = [outbox.send(topic, one.key.encode(), one.value, one.headers) for one in records]
        fates = {fate.handle: fate for fate in outbox.flush(ACK_SECONDS)}
    places = []
    for handle in handles:
        fate = fates.get(handle)
        if not isinstance(fate, Sent):
            zh, en = (fate.error, fate.error) if fate is not None else ("超时", "no answer")
            raise NotSubmitted(
                f"Kafka 未全部接受（{zh}）；以同一 --id 与 --time 再次提交不会重复",
                f"Kafka did not take all of it ({en}); handing in again under the same --id and --time repeats nothing",
            )
        places.append(Place(topic_id, fate.partition, fate.offset))
    return places
