"""The Kafka adapter against a broker: here the embedded one, in `test_kafka_adapter_real` the real one."""

import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from adapters.kafka import clients, intake, topics
from adapters.kafka.cloudevents import MalformedEvent, decode, encode
from adapters.kafka.evidence import committed
from adapters.kafka.intake import IntakeSource, Place, RawRecord
from adapters.kafka.outbox import Failed, Outbox, Sent
from adapters.kafka.subscriber import subscribe
from infra.servers.broker import EmbeddedBroker

HOUR = 3_600_000
MEGABYTE = 1_000_000
PATIENCE = 30.0


class Store:
    """A store of one's own on a shared broker, with positions as the database would keep them."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.names = topics.TopicNames(f"s{uuid.uuid4().hex[:12]}")
        self.positions: dict[Place, int] = {}
        self.asked: list[list[Place]] = []

    def create(self, *principals: str, partitions: int = 1) -> list[str]:
        """The principals' intake topics."""
        wanted = [topics.TopicSpec(self.names.intake(each), partitions, HOUR) for each in principals]
        topics.apply(self.options, wanted)
        return [each.name for each in wanted]

    def send(self, topic: str, values: list[bytes], key: bytes | None = b"k") -> list[Sent]:
        """Records, all acknowledged."""
        outbox = Outbox(self.options)
        for value in values:
            outbox.send(topic, key, value, [("ce_id", b"1")])
        results = outbox.flush(PATIENCE)
        outbox.close()
        assert [type(each) for each in results] == [Sent] * len(values)
        return [each for each in results if isinstance(each, Sent)]

    def where(self, places: list[Place]) -> dict[Place, int]:
        """The positions kept; the beginning where there is none."""
        self.asked.append(places)
        return {place: self.positions.get(place, 0) for place in places}

    @contextmanager
    def source(self, **choices: Any) -> Iterator[IntakeSource]:
        """An intake of this store."""
        choices.setdefault("refresh_s", 0.5)
        source = IntakeSource(self.options, self.names.store, choices.pop("positions", self.where), **choices)
        try:
            yield source
        finally:
            source.close()


def read(
    source: IntakeSource, count: int, max_records: int = 1000, max_bytes: int = MEGABYTE, timeout_s: float = 0.5
) -> list[RawRecord]:
    """Poll until there are `count` records."""
    records: list[RawRecord] = []
    until = time.monotonic() + PATIENCE
    while len(records) < count and time.monotonic() < until:
        records += source.poll(timeout_s, max_records, max_bytes)
    assert len(records) == count
    return records


def eventually(happened: Callable[[], object], source: IntakeSource | None = None) -> None:
    """Poll (and expect nothing from it) until something has happened."""
    until = time.monotonic() + PATIENCE
    while not happened() and time.monotonic() < until:
        if source is None:
            time.sleep(0.1)
        else:
            assert source.poll(0.2, 100, MEGABYTE) == []
    assert happened()


def numbered(count: int, size: int = 0) -> list[bytes]:
    """Distinct values."""
    return [b"%06d" % number + b"x" * size for number in range(count)]


def spread(store: Store, names: list[str], count: int) -> None:
    """So many records in each of the topics, no two of one time, in turns."""
    producer = clients.producer(store.options, usual={"batch_size": 2_048})
    for number in range(count):
        for turn, name in enumerate(names):
            at = 1_700_000_000_000 + number * len(names) + turn
            producer.send(name, value=b"x" * 200, timestamp_ms=at)
    producer.flush(PATIENCE)
    producer.close()


def late(times: list[int]) -> int:
    """How many come after a later one."""
    return sum(at < latest for at, latest in zip(times, itertools.accumulate(times, max), strict=True))


@pytest.fixture
def store(embedded_broker: EmbeddedBroker) -> Store:
    """On the embedded broker."""
    return Store({"bootstrap_servers": embedded_broker.bootstrap_servers})


def test_names_are_taken_apart_again() -> None:
    names = topics.TopicNames("nm-150100")
    assert names.principal_of(names.intake("spj_01")) == "spj_01"
    assert names.department_of(names.notices("jgj")) == "jgj"
    assert names.principal_of(names.notices("jgj")) is None
    assert names.principal_of("shenguan.intake.nm-1501000.x") is None
    assert names.principal_of(names.intake("x") + ".y") is None
    for bad in ("", "a.b", "审批局", "x" * 65, "a\n", "a*"):
        with pytest.raises(ValueError, match="主题名"):
            names.intake(bad)
        with pytest.raises(ValueError, match="主题名"):
            topics.TopicNames(bad)


def test_retention_must_be_bounded() -> None:
    with pytest.raises(ValueError, match="保留时间"):
        topics.TopicSpec("t", 1, -1)


def test_only_missing_topics_are_created_and_partitions_never_changed(store: Store) -> None:
    one, two = store.names.intake("one"), store.names.intake("two")
    assert topics.apply(store.options, [topics.TopicSpec(one, 3, HOUR)]) == [one]
    both = [topics.TopicSpec(one, 6, HOUR), topics.TopicSpec(two, 2, HOUR)]
    assert topics.apply(store.options, both) == [two]
    assert topics.apply(store.options, both) == []
    admin = clients.admin(store.options)
    assert sorted(len(each["partitions"]) for each in admin.describe_topics([one, two])) == [2, 3]
    ids = topics.topic_ids(admin, [one, two, store.names.intake("none")])
    assert set(ids) == {one, two}
    assert all(uuid.UUID(each).int for each in ids.values())
    assert topics.topic_ids(admin, []) == {}
    admin.close()


def test_reads_from_the_positions_it_is_given(store: Store) -> None:
    one, two = store.create("one", "two")
    store.send(one, numbered(20))
    store.send(two, numbered(5))
    store.positions = {(one, 0): 7}
    with store.source() as source:
        records = read(source, 13 + 5)
        assert source.assigned == {(one, 0), (two, 0)}
        assert set(source.topic_ids) == {one, two}
        assert [each.offset for each in records if each.topic == one] == list(range(7, 20))
        assert [each.offset for each in records if each.topic == two] == list(range(5))
        first = next(each for each in records if each.topic == one)
        assert (first.key, first.value, first.headers) == (b"k", b"000007", (("ce_id", b"1"),))
        assert abs(first.timestamp_ms / 1000 - time.time()) < 600
        assert source.lag() == {(one, 0): 0, (two, 0): 0}
        store.send(one, numbered(3))
        assert source.lag()[one, 0] > 0
        assert [each.offset for each in read(source, 3)] == [20, 21, 22]
        assert store.asked == [[(one, 0), (two, 0)]]


def test_continues_where_an_earlier_one_stopped(store: Store) -> None:
    (topic,) = store.create("one")
    for _ in range(3):
        store.send(topic, numbered(10))
    for position in (25, 30):  # within the last batch, whose end the embedded broker does not name; and at the end
        store.positions = {(topic, 0): position}
        with store.source() as source:
            read(source, 30 - position)
            assert source.poll(0.3, 100, MEGABYTE) == []
            assert source.alarms == []


def test_new_topics_are_found(store: Store) -> None:
    with store.source() as source:
        assert source.poll(0.1, 10, MEGABYTE) == []
        (topic,) = store.create("late", partitions=2)
        store.send(topic, numbered(3))
        assert [each.value for each in read(source, 3)] == numbered(3)


def test_batches_keep_to_both_limits(store: Store) -> None:
    (topic,) = store.create("one")
    store.send(topic, numbered(200, 10_000))
    with store.source() as source:
        offsets: list[int] = []
        while len(offsets) < 150:
            batch = source.poll(2.0, 1000, 50_000)
            assert 0 < sum(each.size for each in batch) <= 50_000
            offsets += [each.offset for each in batch]
        while len(offsets) < 200:
            batch = source.poll(2.0, 7, MEGABYTE)
            assert 0 < len(batch) <= 7
            offsets += [each.offset for each in batch]
        assert offsets == list(range(200))


def test_a_record_larger_than_the_limit_comes_alone(store: Store) -> None:
    (topic,) = store.create("one")
    store.send(topic, [b"a", b"x" * 5_000, b"b"])
    with store.source() as source:
        batches = [[each.offset for each in source.poll(2.0, 10, 1_000)] for _ in range(3)]
        assert batches == [[0], [1], [2]]


def test_memory_is_bounded(store: Store) -> None:
    (topic,) = store.create("one")
    store.send(topic, numbered(300, 10_000))
    with store.source() as source:
        read(source, 5, max_records=1, max_bytes=20_000)
        for _ in range(5):
            source.poll(0.1, 1, 20_000)
            assert source._held.bytes < 3 * 20_000


def test_a_backlog_of_many_places_is_merged_by_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_MERGE_S", PATIENCE)  # a busy machine is late with the next record of a place
    store.options |= {"max_partition_fetch_bytes": 4_096}  # a fetch brings a part of each
    spread(store, store.create(*(f"p{number}" for number in range(20))), 100)
    with store.source() as source:
        times = [each.timestamp_ms for each in read(source, 2_000, max_records=25, timeout_s=PATIENCE)]
    assert late(times) < 100


def test_a_partition_paused_halfway_goes_on(store: Store) -> None:
    """What kafka-python has fetched of it must not wait for another that only ever answers that it has nothing."""
    one, two = (TopicPartition(name, 0) for name in store.create("one", "two"))
    store.send(one.topic, numbered(100))
    with closing(clients.without_positions(store.options, None, "range", 5.0)) as consumer:
        consumer.assign([one, two])
        consumer.seek(one, 0)
        consumer.seek(two, 0)
        until = time.monotonic() + PATIENCE
        while not consumer.poll(timeout_ms=100, max_records=1) and time.monotonic() < until:
            pass
        consumer.pause(one)
        for _ in range(3):
            assert consumer.poll(timeout_ms=150) == {}
        consumer.resume(one)
        found = 0
        until = time.monotonic() + 5.0
        while found < 99 and time.monotonic() < until:
            found += sum(map(len, consumer.poll(timeout_ms=100).values()))
        assert found == 99


def test_given_up_places_are_asked_for_again(store: Store) -> None:
    one, two = store.create("one", "two")
    store.send(one, numbered(100))
    store.send(two, numbered(100))
    with store.source() as source:
        read(source, 60, max_records=20)
        store.positions = {(one, 0): 3, (two, 0): 4}
        source.give_up([(one, 0), ("shenguan.intake.other.x", 0)])
        rest = source.poll(2.0, 1000, MEGABYTE)
        while more := source.poll(0.5, 1000, MEGABYTE):
            rest += more
        assert [each.offset for each in rest if each.topic == one] == list(range(3, 100))
        assert [each.offset for each in rest if each.topic == two][-1] == 99
        assert store.asked[1:] == [[(one, 0)]]


def test_an_error_of_the_positions_comes_out_and_is_got_over(store: Store) -> None:
    (topic,) = store.create("one")
    store.send(topic, numbered(3))
    failures = [ConnectionError("the database is away")] * 2

    def positions(places: list[Place]) -> dict[Place, int]:
        if failures:
            raise failures.pop()
        return store.where(places)

    with store.source(positions=positions) as source:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                source.poll(1.0, 10, MEGABYTE)
        read(source, 3)


def test_a_place_left_out_waits(store: Store) -> None:
    one, two = store.create("one", "two")
    store.send(one, numbered(3))
    store.send(two, numbered(3))
    known = {(one, 0): 0}
    with store.source(positions=lambda places: {place: known[place] for place in places if place in known}) as source:
        assert {each.topic for each in read(source, 3)} == {one}
        assert source.poll(0.3, 10, MEGABYTE) == []
        known[two, 0] = 1
        assert [each.offset for each in read(source, 2)] == [1, 2]


def test_pause_holds_everything_back(store: Store) -> None:
    (topic,) = store.create("one")
    store.send(topic, numbered(50))
    with store.source() as source:
        read(source, 10, max_records=10)
        source.pause()
        began = time.monotonic()
        assert source.poll(0.3, 10, MEGABYTE) == []
        assert 0.2 < time.monotonic() - began < 2
        source.resume()
        assert [each.offset for each in read(source, 40)] == list(range(10, 50))


def test_a_position_past_the_end_alarms_and_stops_only_its_partition(store: Store) -> None:
    one, two = store.create("one", "two")
    store.send(one, numbered(10))
    store.positions = {(one, 0): 15}
    with store.source() as source:
        eventually(lambda: source.alarms, source)
        (alarm,) = source.alarms
        assert (alarm.topic, alarm.partition, alarm.wanted, alarm.first, alarm.last) == (one, 0, 15, 0, 10)
        store.send(one, numbered(10))  # now 15 exists, but it is not what was once read
        store.send(two, numbered(3))
        assert {each.topic for each in read(source, 3)} == {two}
        store.positions = {}
        source.give_up([(one, 0)])
        read(source, 20)
        assert source.alarms == []


def test_a_topic_made_anew_is_noticed(store: Store) -> None:
    (topic,) = store.create("one")
    store.send(topic, numbered(10))
    with store.source() as source:
        read(source, 10)
        before = source.topic_ids[topic]
        admin = clients.admin(store.options)
        admin.delete_topics([topic])
        eventually(lambda: topic not in topics.listed(admin))
        admin.close()
        store.create("one")
        store.asked.clear()
        eventually(lambda: store.asked, source)
        assert source.topic_ids[topic] != before
        store.send(topic, numbered(2))
        assert [each.offset for each in read(source, 2)] == [0, 1]


class _BadName(str):
    """A header name no brokers mind, and kafka-python cannot read."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"ce_\xff\xfe"


@pytest.mark.parametrize("compression", ["lz4", None])
def test_a_header_name_that_is_no_text_stops_nobody(store: Store, compression: str | None) -> None:
    (topic,) = store.create("one")
    producer = clients.producer(store.options, fixed={"linger_ms": 100, "compression_type": compression})
    headers, value = encode({"specversion": "1.0", "id": "1", "source": "s", "type": "t"}, b"{}")
    for bad in ([], [(_BadName("x"), b"v")], []):
        producer.send(topic, value, key=b"k", headers=headers + bad)
    producer.flush(PATIENCE)
    producer.close()
    with store.source() as source:
        good, malformed, last = read(source, 3)
    assert decode(good.value, good.headers) == decode(last.value, last.headers)
    with pytest.raises(MalformedEvent) as caught:
        decode(malformed.value, malformed.headers)
    assert caught.value.rule == "attribute_name"


@pytest.mark.parametrize("idempotent", [True, False])
def test_acks_tell_the_place_of_every_record(store: Store, idempotent: bool) -> None:
    (topic,) = store.create("one", partitions=3)
    outbox = Outbox(store.options, idempotent)
    handles = {outbox.send(topic, b"%d" % number, b"%d" % number, []): number for number in range(500)}
    results = outbox.flush(PATIENCE)
    assert outbox.pending == 0
    assert outbox.flush(1.0) == []
    outbox.close()
    told = {(each.partition, each.offset): handles[each.handle] for each in results if isinstance(each, Sent)}
    assert len(told) == 500
    with store.source() as source:
        found = {(each.partition, each.offset): int(each.value or b"") for each in read(source, 500)}
    assert found == told


def test_one_bad_record_harms_no_other(store: Store) -> None:
    (topic,) = store.create("one")
    outbox = Outbox({**store.options, "max_request_size": 100_000, "max_block_ms": 500})
    good = outbox.send(topic, b"k", b"v", [])
    large = outbox.send(topic, b"k", b"x" * 200_000, [])
    nowhere = outbox.send(store.names.notices("nobody"), b"k", b"v", [])
    also_good = outbox.send(topic, b"k", b"v", [])
    began = time.monotonic()
    more = [outbox.send(store.names.notices("nobody"), b"k", b"v", []) for _ in range(100)]
    assert time.monotonic() - began < 1  # a topic that is not there is not waited for every time
    results = {each.handle: each for each in outbox.flush(PATIENCE)}
    outbox.close()
    assert isinstance(results[good], Sent)
    assert isinstance(results[also_good], Sent)
    assert results[large] == Failed(large, topic, False, "MessageSizeTooLargeError")
    for handle in (nowhere, *more):
        failed = results[handle]
        assert isinstance(failed, Failed)
        assert failed.temporary


def test_commits_follow_handling_and_are_evidence(store: Store) -> None:
    topic = store.names.notices("jgj")
    topics.apply(store.options, [topics.TopicSpec(topic, 1, HOUR)])
    store.send(topic, numbered(10))
    group = f"shenguan.{store.names.store}"
    admin = clients.admin(store.options)
    assert committed(admin, group, topic) is None

    with subscribe(store.options, topic, group, True, True, idle_s=3) as subscription:
        assert [each.offset for each in itertools.islice(subscription, 4)] == [0, 1, 2, 3]
    assert committed(admin, group, topic) == {0: 3}  # the fourth was handed out, not handled

    with subscribe(store.options, topic, group, True, True, idle_s=3) as subscription:
        assert [next(subscription).offset, next(subscription).offset] == [3, 4]
        subscription.commit()
        assert committed(admin, group, topic) == {0: 5}
        assert [each.offset for each in subscription] == [5, 6, 7, 8, 9]
        assert committed(admin, group, topic) == {0: 10}

    assert committed(admin, group, store.names.notices("other")) is None
    assert committed(admin, group + "x", topic) is None
    admin.close()


def test_a_subscriber_needs_a_topic(store: Store) -> None:
    with pytest.raises(clients.BrokerError):
        subscribe(store.options, store.names.notices("nobody"), "g", True, True)


def test_records_of_a_topic_made_anew_are_never_taken_for_the_old_ones(store: Store) -> None:
    """Also in the time before the change is noticed, and when the new topic has grown past the old position."""
    (topic,) = store.create("one")
    store.send(topic, numbered(3))
    with store.source(refresh_s=3600.0) as source:
        read(source, 3)
        before = source.topic_ids[topic]
        admin = clients.admin(store.options)
        admin.delete_topics([topic])
        eventually(lambda: topic not in topics.listed(admin))
        admin.close()
        store.create("one")
        store.send(topic, numbered(10))
        records = read(source, 10)
        assert [each.offset for each in records] == list(range(10))
        assert source.topic_ids[topic] != before
        assert store.asked == [[(topic, 0)]] * 2


def test_a_restart_that_forgets_everything_is_noticed(server_dir: Path) -> None:
    """The embedded broker keeps nothing: its topics come back under new ids, and its offsets begin again."""
    with EmbeddedBroker(server_dir / f"broker-{uuid.uuid4().hex}") as broker:
        store = Store({"bootstrap_servers": broker.bootstrap_servers, "reconnect_backoff_max_ms": 500})
        (topic,) = store.create("one")
        outbox = Outbox(store.options | {"delivery_timeout_ms": 5000, "request_timeout_ms": 1000})
        outbox.send(topic, b"k", b"before", [])
        assert [type(each) for each in outbox.flush(PATIENCE)] == [Sent]
        with store.source() as source:
            read(source, 1)
            before = source.topic_ids[topic]
            broker.stop()
            assert source.poll(0.5, 10, MEGABYTE) == []
            broker.start()
            store.create("one")
            results: list[Sent | Failed] = []
            until = time.monotonic() + PATIENCE
            while not (results and isinstance(results[-1], Sent)) and time.monotonic() < until:
                assert all(isinstance(each, Failed) and each.temporary for each in results)
                outbox.send(topic, b"k", b"after", [])
                results = outbox.flush(PATIENCE)
            assert [type(each) for each in results] == [Sent]
            assert [each.value for each in read(source, 1)] == [b"after"]
            assert source.topic_ids[topic] != before
            assert store.asked[-1] == [(topic, 0)]
        outbox.close()
