"""The harness around real Kafka: what the other tests take for granted."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError

from tests.servers.real_kafka import RealKafka, available

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(not available(), reason="real Kafka needs java and mvn on PATH"),
]


@pytest.fixture(scope="module")
def secured() -> Iterator[RealKafka]:
    with RealKafka(sasl=True, users=("hall", "stranger")) as server:
        yield server


def send(server: RealKafka, topic: str, value: bytes, user: str = "admin") -> int:
    producer = KafkaProducer(**server.options(user), acks="all", max_block_ms=10_000)
    try:
        return int(producer.send(topic, value, partition=0).get(20).offset)
    finally:
        producer.close()


def read(server: RealKafka, topic: str, number: int) -> list[bytes]:
    consumer = KafkaConsumer(**server.options(), group_id=None, auto_offset_reset="none")
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        found: list[bytes] = []
        for _ in range(50):
            for records in consumer.poll(timeout_ms=200).values():
                found += [record.value for record in records]
            if len(found) >= number:
                break
        return found
    finally:
        consumer.close()


def create(server: RealKafka) -> str:
    topic = f"t-{uuid.uuid4().hex}"
    admin = server.admin()
    try:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    finally:
        admin.close()
    return topic


def test_round_trip(real_kafka: RealKafka) -> None:
    topic = create(real_kafka)
    assert send(real_kafka, topic, b"one") == 0
    assert read(real_kafka, topic, 1) == [b"one"]


def test_data_survives_restart_and_kill() -> None:
    with RealKafka() as server:
        topic, first = create(server), server.pid
        send(server, topic, b"one")
        server.restart()
        assert server.pid != first
        send(server, topic, b"two")
        server.kill()
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        server.start()
        assert read(server, topic, 2) == [b"one", b"two"]


def test_who_may_not_write_is_refused(secured: RealKafka) -> None:
    topic = create(secured)
    admin = secured.admin()
    try:
        admin.create_acls(
            [
                ACL(
                    principal="User:hall",
                    host="*",
                    operation=operation,
                    permission_type=ACLPermissionType.ALLOW,
                    resource_pattern=ResourcePattern(ResourceType.TOPIC, topic),
                )
                for operation in (ACLOperation.WRITE, ACLOperation.DESCRIBE)
            ]
        )
    finally:
        admin.close()
    assert send(secured, topic, b"one", user="hall") == 0
    with pytest.raises(TopicAuthorizationFailedError):
        send(secured, topic, b"two", user="stranger")
    assert read(secured, topic, 1) == [b"one"]


def test_who_has_no_password_does_not_come_in(secured: RealKafka) -> None:
    wrong = {**secured.options("hall"), "sasl_plain_password": "wrong", "bootstrap_timeout_ms": 3000}
    with pytest.raises(KafkaTimeoutError):  # kafka-python keeps trying; the reason is only in its log
        KafkaProducer(**wrong)
