"""The Kafka adapter against Apache Kafka: all that holds on the embedded broker, and what only a real one can do."""

import gc
import itertools
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import NoOffsetForPartitionError

from adapters.kafka import clients, topics
from adapters.kafka.evidence import committed
from adapters.kafka.intake import IntakeSource, Place
from adapters.kafka.outbox import Failed, Outbox, Sent
from adapters.kafka.subscriber import subscribe
from tests.integration.test_kafka_adapter import (  # noqa: F401 - collected here too, on this module's `store`
    HOUR,
    MEGABYTE,
    PATIENCE,
    Store,
    eventually,
    numbered,
    read,
    test_a_header_name_that_is_no_text_stops_nobody,
    test_a_place_left_out_waits,
    test_a_position_past_the_end_alarms_and_stops_only_its_partition,
    test_a_record_larger_than_the_limit_comes_alone,
    test_a_subscriber_needs_a_topic,
    test_a_topic_made_anew_is_noticed,
    test_acks_tell_the_place_of_every_record,
    test_an_error_of_the_positions_comes_out_and_is_got_over,
    test_batches_keep_to_both_limits,
    test_commits_follow_handling_and_are_evidence,
    test_continues_where_an_earlier_one_stopped,
    test_given_up_places_are_asked_for_again,
    test_memory_is_bounded,
    test_new_topics_are_found,
    test_one_bad_record_harms_no_other,
    test_only_missing_topics_are_created_and_partitions_never_changed,
    test_pause_holds_everything_back,
    test_reads_from_the_positions_it_is_given,
    test_records_of_a_topic_made_anew_are_never_taken_for_the_old_ones,
)
from tests.servers.real_kafka import RealKafka, available

pytestmark = pytest.mark.kafka

GROUPED = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 500}
CHILD = """
import sys
from adapters.kafka.intake import IntakeSource
servers, store, group, assignor = sys.argv[1:]
options = {"bootstrap_servers": servers, "session_timeout_ms": 6000, "heartbeat_interval_ms": 500}
source = IntakeSource(options, store, lambda places: {}, group=group, assignor=assignor)
while True:
    source.poll(0.2, 100, 100_000)
    print(len(source.assigned), flush=True)
"""


@pytest.fixture(autouse=True)
def _sockets_left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """kafka-python leaves the sockets of refused and of cancelled connections to the collector, which warns."""
    yield
    caplog.get_records("call").clear()  # their tracebacks hold them
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def store(real_kafka: RealKafka) -> Store:
    """On real Kafka."""
    return Store(real_kafka.options())


Seen = dict[Place, list[int]]


class Worker(threading.Thread):
    """Handles what one of several sources of a store hands out, as the intake would: record, then position."""

    def __init__(self, store: Store, source: IntakeSource, seen: Seen) -> None:
        super().__init__()
        self.store, self.source, self.seen = store, source, seen
        self.running = True

    def run(self) -> None:
        """Until `running` is false."""
        while self.running:
            for record in self.source.poll(0.2, 50, MEGABYTE):
                self.seen.setdefault(record.place, []).append(record.offset)
                self.store.positions[record.place] = record.offset + 1


@contextmanager
def working(store: Store, source: IntakeSource, seen: Seen) -> Iterator[None]:
    """A worker for as long as the block."""
    worker = Worker(store, source, seen)
    worker.start()
    try:
        yield
    finally:
        worker.running = False
        worker.join()


def all_seen(seen: Seen, total: int) -> None:
    """Wait until everything was seen, once and in order."""
    eventually(lambda: sum(map(len, seen.values())) >= total)
    for place, offsets in seen.items():
        assert offsets == list(range(len(offsets))), place
    assert sum(map(len, seen.values())) == total


def scatter(store: Store, topic: str, count: int) -> None:
    """Records over all partitions."""
    outbox = Outbox(store.options)
    for number in range(count):
        outbox.send(topic, b"%d" % number, b"v", [])
    assert len(outbox.flush(PATIENCE)) == count
    outbox.close()


@pytest.mark.parametrize("assignor", ["cooperative", "range"])
def test_two_share_the_partitions_and_none_is_read_twice(store: Store, assignor: str) -> None:
    (topic,) = store.create("one", partitions=6)
    store.options |= GROUPED
    seen: Seen = {}
    choices: dict[str, Any] = {"group": f"intake.{store.names.store}", "assignor": assignor}
    with store.source(**choices) as first, working(store, first, seen):
        scatter(store, topic, 2000)
        all_seen(seen, 2000)
        assert len(first.assigned) == 6
        with store.source(**choices) as second:
            with working(store, second, seen):
                scatter(store, topic, 2000)  # read while the partitions move
                all_seen(seen, 4000)
                eventually(lambda: len(first.assigned) == len(second.assigned) == 3)
                assert not first.assigned & second.assigned
                scatter(store, topic, 1000)
                all_seen(seen, 5000)
                asked = len(store.asked)
                time.sleep(2)
                assert len(store.asked) == asked  # and they stay where they are
        scatter(store, topic, 1000)
        all_seen(seen, 6000)
        assert len(first.assigned) == 6
        (late,) = store.create("late")  # the pattern takes it in
        scatter(store, late, 10)
        all_seen(seen, 6010)


def test_a_join_that_outlasts_the_poll_is_ended_by_the_next(store: Store) -> None:
    fixed = {"group_id": f"intake.{store.names.store}", "auto_offset_reset": "none", "metadata_max_age_ms": 100}
    with closing(clients.consumer(store.options | GROUPED, fixed=fixed)) as consumer:
        consumer.subscribe(pattern=store.names.intake_pattern)
        patience_ms = itertools.cycle(range(1, 40, 3))
        for number in range(8):  # each new topic is a reason to rejoin; some joins outlast the poll they began in
            store.create(f"p{number}")
            until = time.monotonic() + PATIENCE
            while len(consumer.assignment()) <= number and time.monotonic() < until:
                with suppress(NoOffsetForPartitionError):
                    consumer.poll(timeout_ms=next(patience_ms))
            assert len(consumer.assignment()) == number + 1


def test_the_partitions_of_a_killed_worker_are_taken_over(store: Store, real_kafka: RealKafka) -> None:
    (topic,) = store.create("one", partitions=4)
    store.options |= GROUPED
    group = f"intake.{store.names.store}"
    with store.source(group=group, assignor="cooperative") as source:
        eventually(lambda: len(source.assigned) == 4, source)
        command = [sys.executable, "-W", "ignore", "-c", CHILD, real_kafka.bootstrap_servers]
        with subprocess.Popen(
            [*command, store.names.store, group, "cooperative"], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            counts = child.stdout
            told: list[str] = []
            reader = threading.Thread(target=lambda: told.extend(line.strip() for line in counts))
            reader.start()
            try:
                # We go on polling meanwhile: without us the group cannot finish what it began.
                eventually(lambda: len(source.assigned) == 2 and told[-1:] == ["2"], source)
            finally:
                child.send_signal(signal.SIGKILL)
                reader.join()
        store.asked.clear()
        scatter(store, topic, 400)
        seen: Seen = {}
        with working(store, source, seen):
            all_seen(seen, 400)
        assert len(source.assigned) == 4
        assert sum(map(len, store.asked)) == 2  # its two; ours flowed on, and were not asked for again


def test_a_paused_member_is_not_expelled(store: Store) -> None:
    (topic,) = store.create("one", partitions=2)
    store.options |= GROUPED | {"max_poll_interval_ms": 3000}
    with store.source(group=f"intake.{store.names.store}") as source:
        store.send(topic, numbered(10))
        read(source, 5, max_records=1)
        source.pause()
        until = time.monotonic() + 8
        while time.monotonic() < until:
            assert source.poll(0.5, 10, MEGABYTE) == []
            assert len(source.assigned) == 2
        source.resume()
        read(source, 5)
        assert len(store.asked) == 1


def test_a_position_before_the_first_offset_alarms(store: Store) -> None:
    one, two = store.create("one", "two")
    store.send(one, numbered(10))
    store.send(two, numbered(3))
    admin = clients.admin(store.options)
    admin.delete_records({TopicPartition(one, 0): 6})
    store.positions = {(one, 0): 4}
    with store.source() as source:
        assert {each.topic for each in read(source, 3)} == {two}
        (alarm,) = source.alarms
        assert (alarm.wanted, alarm.first, alarm.last) == (4, 6, 10)
        store.positions = {(one, 0): 6}
        source.give_up([(one, 0)])
        read(source, 4)
        # and while reading: the broker drops what a stopped intake had not read yet
        source.pause()
        store.send(one, numbered(10))
        admin.delete_records({TopicPartition(one, 0): 15})
        source.resume()
        eventually(lambda: source.alarms, source)
        (alarm,) = source.alarms
        assert (alarm.wanted, alarm.first, alarm.last) == (10, 15, 20)
    admin.close()


def test_what_was_aborted_is_not_read(store: Store) -> None:
    (topic,) = store.create("one")
    producer = clients.producer(store.options, fixed={"transactional_id": store.names.store})
    producer.init_transactions()
    for value, finish in ((b"no", producer.abort_transaction), (b"yes", producer.commit_transaction)):
        producer.begin_transaction()
        producer.send(topic, value)
        finish()
    producer.close()
    with store.source() as source:
        assert [each.value for each in read(source, 1)] == [b"yes"]
        assert source.poll(0.3, 10, MEGABYTE) == []
        assert source.lag() == {(topic, 0): 1}  # the marker of the end of the transaction


def test_a_group_subscriber_commits(store: Store) -> None:
    topic = store.names.notices("jgj")
    topics.apply(store.options, [topics.TopicSpec(topic, 1, HOUR)])
    store.send(topic, numbered(6))
    group = f"shenguan.{store.names.store}"
    admin = clients.admin(store.options)
    with subscribe(store.options, topic, group, idle_s=5) as subscription:
        assert [next(subscription).offset for _ in range(3)] == [0, 1, 2]
    assert committed(admin, group, topic) == {0: 2}
    with subscribe(store.options, topic, group, idle_s=5) as subscription:
        assert [each.offset for each in subscription] == [2, 3, 4, 5]
    assert committed(admin, group, topic) == {0: 6}
    admin.close()


@pytest.fixture(scope="module")
def guarded() -> Iterator[RealKafka]:
    """Kafka that knows who speaks."""
    if not available():
        pytest.skip("real Kafka needs java and mvn on PATH")
    with RealKafka(sasl=True, users=("spj", "jgj", "jgj2")) as server:
        yield server


def test_only_the_principal_writes_and_only_the_department_reads(guarded: RealKafka) -> None:
    names = topics.TopicNames("acl")
    intake, notices = names.intake("spj"), names.notices("jgj")
    admin = guarded.options()
    topics.apply(admin, [topics.TopicSpec(intake, 1, HOUR), topics.TopicSpec(notices, 1, HOUR)])
    grants = topics.may_submit(names, "spj") + topics.may_receive(names, "jgj", "jgj")
    grants += topics.may_receive(names, "jgj2", "jgj2")
    assert topics.apply_acls(admin, grants) == len(grants)
    assert topics.apply_acls(admin, grants) == len(grants)  # again: nothing changes
    assert topics.apply_acls(admin, []) == 0

    for user, allowed in (("spj", True), ("jgj", False)):
        outbox = Outbox(guarded.options(user) | {"max_block_ms": 2000})
        handle = outbox.send(intake, b"k", b"v", [])
        (result,) = outbox.flush(PATIENCE)
        outbox.close()
        if allowed:
            assert isinstance(result, Sent)
        else:
            assert result == Failed(handle, intake, False, "TopicAuthorizationFailedError")

    outbox = Outbox(admin)
    outbox.send(notices, b"k", b"v", [])
    outbox.flush(PATIENCE)
    outbox.close()
    for group in ("shenguan.jgj", "shenguan.jgj.desk"):
        with subscribe(guarded.options("jgj"), notices, group, idle_s=5) as subscription:
            assert next(subscription).value == b"v"
            subscription.commit()
        client = clients.admin(admin)
        assert committed(client, group, notices) == {0: 1}
        client.close()
    for user, group in (("jgj", "shenguan.jgj2"), ("jgj2", "shenguan.jgj2"), ("spj", "shenguan.jgj")):
        with (
            pytest.raises(clients.BrokerError),
            subscribe(guarded.options(user), notices, group, idle_s=2) as subscription,
        ):
            next(subscription)


def test_a_topic_one_may_not_read_stops_no_other(guarded: RealKafka) -> None:
    names = topics.TopicNames("partly")
    one, two = names.intake("one"), names.intake("two")
    topics.apply(guarded.options(), [topics.TopicSpec(one, 1, HOUR), topics.TopicSpec(two, 1, HOUR)])
    topics.apply_acls(guarded.options(), [topics.Grant("spj", "DESCRIBE", "TOPIC", one)])
    topics.apply_acls(guarded.options(), [topics.Grant("spj", "READ", "TOPIC", two)])
    store = Store(guarded.options())
    store.send(one, numbered(1))
    store.send(two, numbered(3))
    store.options, store.names = guarded.options("spj"), names
    with store.source() as source:
        assert {each.topic for each in read(source, 3)} == {two}
        assert source.poll(0.5, 10, MEGABYTE) == []


def test_a_broker_that_goes_and_comes_is_outlived(guarded: RealKafka) -> None:
    store = Store(guarded.options())
    (topic,) = store.create("one")
    store.send(topic, numbered(3))
    outbox = Outbox(store.options | {"delivery_timeout_ms": 3000, "request_timeout_ms": 1000, "max_block_ms": 1000})
    outbox.send(topic, b"k", b"v", [])
    assert [type(each) for each in outbox.flush(PATIENCE)] == [Sent]
    with store.source() as source:
        read(source, 4)
        guarded.stop()
        handle = outbox.send(topic, b"k", b"lost", [])
        results: list[Sent | Failed] = []

        def told() -> bool:
            results.extend(outbox.flush(0.5))
            return bool(results)

        assert source.poll(1.0, 10, MEGABYTE) == []
        eventually(told)
        assert [(each.handle, isinstance(each, Failed) and each.temporary) for each in results] == [(handle, True)]
        guarded.start()
        while not (results and isinstance(results[-1], Sent)):  # as the outlet would: again, while it is temporary
            assert all(isinstance(each, Failed) and each.temporary for each in results)
            results.clear()
            outbox.send(topic, b"k", b"again", [])
            eventually(told)
        assert [each.value for each in read(source, 1)][-1] == b"again"
        assert source.alarms == []
    outbox.close()
