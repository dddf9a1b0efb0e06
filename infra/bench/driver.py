"""The far side of a latency run, in a process of its own: a sender and a consumer that know Kafka and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.bench.pace import quantiles_ms

GRACE = 30.0  # seconds to start or to end
LINGER_MS, BREATH_S = 10, 0.05
"""The sender gathers so long, and the reader's polls begin so far apart: taking each record by itself would cost a core
at a thousand a second."""
ANSWERED = 180.0
"""Seconds that the last answers may take: a pace that cannot be kept is told by its quantiles."""


@dataclass(frozen=True, slots=True)
class Question:
    """A record to send, and the answers it must bring: `(topic, token)`, where the token is the answer's `ce_id`."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Driven:
    """`seconds` from handing a question to the producer to reading each of its answers; `sender`: the rate that was
    kept, and by how many milliseconds questions were handed over later than at an even rate."""

    seconds: list[float]
    sender: dict[str, float]


def drive(pipe: Connection, options: dict[str, Any], questions: Sequence[Question], rate: float) -> None:
    """Asks at an even rate once the other side has said so; sends back a `Driven`."""
    topics = sorted({topic for question in questions for topic, _ in question.answers})
    consumer = KafkaConsumer(
        group_id=None, enable_auto_commit=False, **{"fetch_max_wait_ms": 100, **_for(KafkaConsumer, options)}
    )
    partitions = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    for partition, end in consumer.end_offsets(partitions).items():
        consumer.seek(partition, end)
    for partition in partitions:
        consumer.position(partition)
    producer = KafkaProducer(acks="all", enable_idempotence=False, linger_ms=LINGER_MS, **_for(KafkaProducer, options))
    for topic in {question.topic for question in questions}:
        producer.partitions_for(topic)
    pipe.send("ready")
    pipe.recv()
    sent: dict[str, float] = {}
    lags: list[float] = []
    sender = threading.Thread(target=_ask, args=(producer, questions, rate, sent, lags), daemon=True)
    sender.start()
    wanted = sum(len(question.answers) for question in questions)
    found: list[float] = []
    until = time.monotonic() + len(questions) / rate + ANSWERED
    while len(found) < wanted and time.monotonic() < until:
        begun = time.monotonic()
        for records in consumer.poll(timeout_ms=100).values():
            now = time.perf_counter()
            for record in records:
                token = next((value.decode() for name, value in record.headers if name == "ce_id"), "")
                if token in sent:
                    found.append(now - sent.pop(token))
        time.sleep(max(0.0, begun + BREATH_S - time.monotonic()))
    sender.join(GRACE)
    pipe.send(Driven(found, _kept(lags, rate)))
    producer.close(timeout=5)
    consumer.close(autocommit=False)


def _ask(producer: Any, questions: Sequence[Question], rate: float, sent: dict[str, float], lags: list[float]) -> None:
    begun = time.perf_counter()
    for number, question in enumerate(questions):
        due = begun + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        now = time.perf_counter()
        for _, token in question.answers:
            sent[token] = now
        producer.send(question.topic, value=question.value, key=question.key, headers=question.headers)
        lags.append(now - due)


def _kept(lags: Sequence[float], rate: float) -> dict[str, float]:
    """Of the times at which questions were handed over, as lags behind the schedule."""
    if not lags:
        return {"rate": 0.0}
    lasted = (len(lags) - 1) / rate + lags[-1] - lags[0]
    found = quantiles_ms(lags)
    return {
        "rate": round((len(lags) - 1) / lasted, 1) if lasted else rate,
        "late_p50": found["p50"],
        "late_p99": found["p99"],
        "late_max": round(max(lags) * 1000, 2),
    }


def _for(kind: Any, options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in kind.DEFAULT_CONFIG}
