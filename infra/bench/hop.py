"""The bare hop: consume, INSERT one row and commit, produce. What the servers alone take, without any of our work."""

from __future__ import annotations

import threading
from typing import Any

from kafka import TopicPartition

from adapters.kafka import clients
from adapters.kafka.topics import TopicSpec, apply
from infra.store import Store

QUESTIONS, ANSWERS = "bare-in", "bare-out"
HOUR_MS = 3_600_000


class BareHop:
    """A thread while the block lasts; like ours it fetches with a wait of 100 ms and answers with `acks=all`."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table
        self.topics = tuple(f"shenguan.{part}.{store.settings.store}" for part in (QUESTIONS, ANSWERS))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bare-hop", daemon=True)
        self.error: BaseException | None = None

    def __enter__(self) -> BareHop:
        apply(self._store.kafka_options, [TopicSpec(topic, 1, HOUR_MS) for topic in self.topics])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(30)

    def check(self) -> None:
        """Raises what the thread died of."""
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self._relay()
        except BaseException as error:  # noqa: BLE001 - raised again by `check`
            self.error = error

    def _relay(self) -> None:
        questions, answers = self.topics
        consumer = clients.consumer(
            self._store.kafka_options,
            usual={"fetch_max_wait_ms": 100},
            fixed={"group_id": None, "enable_auto_commit": False, "auto_offset_reset": "earliest"},
        )
        producer = clients.producer(self._store.kafka_options, usual={"linger_ms": 0}, fixed={"acks": "all"})
        insert = f"INSERT INTO {self._table} (body) VALUES (%s)"
        try:
            partition = TopicPartition(questions, 0)
            consumer.assign([partition])
            consumer.seek_to_end(partition)
            with self._store.connect() as conn:
                while not self._stopped.is_set():
                    polled: dict[Any, list[Any]] = consumer.poll(timeout_ms=100)
                    for record in (one for found in polled.values() for one in found):
                        conn.execute(insert, (record.value,), prepare=True)
                        producer.send(answers, value=record.value, headers=record.headers)
        finally:
            producer.close(timeout=5)
            consumer.close(autocommit=False)
