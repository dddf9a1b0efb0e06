"""Submissions into their principal's intake topic, and the broker's word that they are there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import NamedTuple

from adapters.kafka import clients
from adapters.kafka.names import TopicNames
from adapters.kafka.outbox import Outbox, Sent
from adapters.kafka.topics import topic_ids
from domain.arrivals import Place

ACK_SECONDS = 30.0
SOON_SECONDS = 8.0
"""Who hands in while somebody waits for an answer is told so soon that the broker is away."""
MOST = 500
CLOSING_SECONDS = 2.0


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
    topic = _topic(names, principal)
    topic_id = _topic_id(kafka, topic, principal)
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


class HandingIn:
    """One producer for all who hand in under a principal, from any thread: what comes together goes together.

    It is opened when first needed; whether there is the topic is asked then, and again after a failure.
    """

    def __init__(self, kafka: clients.Options, names: TopicNames, principal: str) -> None:
        self._kafka = {"bootstrap_timeout_ms": 4_000, **kafka, "max_block_ms": 2_000}
        self._principal = principal
        self._topic = _topic(names, principal)
        self._queue: SimpleQueue[tuple[Record, Future[None]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._outbox: Outbox | None = None
        self._sure = False

    def hand_in(self, record: Record) -> Future[None]:
        """Done once the broker has it on every replica; fails with NotSubmitted."""
        future: Future[None] = Future()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="handing-in", daemon=True)
                self._thread.start()
            self._queue.put((record, future))
        return future

    def close(self) -> None:
        """What is under way is sent, if the broker takes it soon."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._queue.put(None)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            together, ended = [first], False
            while len(together) < MOST and not ended:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                ended = more is None
                together += [more] if more is not None else []
            self._send(together)
            if ended:
                break
        if self._outbox is not None:
            self._outbox.close(CLOSING_SECONDS)

    def _send(self, together: Sequence[tuple[Record, Future[None]]]) -> None:
        try:
            if not self._sure:
                _topic_id(self._kafka, self._topic, self._principal)
                self._sure = True
            if self._outbox is None:
                self._outbox = Outbox(self._kafka)
            outbox = self._outbox
            handles = {
                outbox.send(self._topic, one.key.encode(), one.value, one.headers): future for one, future in together
            }
            fates = {fate.handle: fate for fate in outbox.flush(SOON_SECONDS)}
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits is told, and others after them served
            self._sure = False
            told = error if isinstance(error, NotSubmitted) else _not_taken(type(error).__name__)
            for _, future in together:
                future.set_exception(told)
            return
        for handle, future in handles.items():
            fate = fates.get(handle)
            if isinstance(fate, Sent):
                future.set_result(None)
            else:
                self._sure = False
                future.set_exception(_not_taken(fate.error if fate is not None else "timeout"))


def _topic(names: TopicNames, principal: str) -> str:
    """Raises NotSubmitted."""
    try:
        return names.intake(principal)
    except ValueError:
        raise NotSubmitted(
            "接入方须为 1–64 个字母、数字、下划线或连字符", "a principal is named by 1–64 letters, digits, _ or -"
        ) from None


def _topic_id(kafka: clients.Options, topic: str, principal: str) -> str:
    """Raises NotSubmitted where there is no such topic: the producer would ask for it until it has lost patience."""
    with closing(clients.admin(kafka)) as admin:
        topic_id = topic_ids(admin, [topic]).get(topic)
    if topic_id is None:
        raise NotSubmitted(
            f"没有主题 {topic}，或无权写入：接入方 {principal} 登记后，由运维执行 shenguan topics apply",
            f"there is no topic {topic}, or it may not be written: once the principal {principal} is registered, the"
            " operator runs shenguan topics apply",
        )
    return topic_id


def _not_taken(why: str) -> NotSubmitted:
    return NotSubmitted(f"Kafka 没有接受（{why}）", f"Kafka did not take it ({why})")
