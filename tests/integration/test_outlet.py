"""The outlet, on the embedded broker; `test_outlet_real` runs the same on Apache Kafka."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka.errors import GroupAuthorizationFailedError

from adapters.kafka import clients, evidence
from adapters.kafka.evidence import committed, committed_by
from adapters.kafka.topics import listed
from adapters.postgres.deliveries import Delivery, lease
from adapters.postgres.registers import RegisterCache
from domain.circulars import SendCircular
from domain.message import NoticeMessage
from domain.party import Party
from domain.personal import Person
from infra.roles import collector
from infra.roles.collector import Collector
from infra.roles.dispatcher import CHANNEL, Dispatcher
from infra.roles.notice_topics import NoticeTopics
from infra.roles.outlet import OutletRole
from infra.servers.broker import EmbeddedBroker
from tests.integration.outlet_kit import (
    TrackedStore,
    count,
    events,
    messages,
    owe,
    running,
    serials,
    store_for,
    unsent,
    until,
)
from tests.integration.region import APPROVAL, DAY, FORMER, HIGHER, OFFICE, S1, S2, accept, decide, everything
from tests.integration.teststore import MASTER, TestStore


class Hands:
    """The outlet's parts, moved by hand."""

    def __init__(self, store: TrackedStore) -> None:
        self.conn = store.connect()
        self.writer = store.writer()
        self.topics = NoticeTopics(store)
        self.dispatcher = Dispatcher(store, self.writer, self.topics, RegisterCache())
        self.collector = Collector(store, self.writer)

    def send_all(self) -> None:
        while self.dispatcher.turn(self.conn):
            pass

    def close(self) -> None:
        self.dispatcher.close()
        self.collector.close()
        self.topics.close()
        self.writer.close()


@pytest.fixture
def hands(outer: TrackedStore) -> Iterator[Hands]:
    made = Hands(outer)
    yield made
    made.close()


@pytest.mark.door("kafka")
@pytest.mark.clause("2.2a")
def test_every_notice_arrives_in_serial_order_and_is_recorded(region: TestStore, outer: TrackedStore) -> None:
    with running(OutletRole(outer)):
        everything(region)
        until(lambda: unsent(region) == 0)
    owed = events(region, "notice.owed")
    assert events(region, "notice.dispatched") == owed + events(region, "letter.issued")  # one is on paper too
    total = 0
    for department in (S1, S2, "s3", OFFICE, APPROVAL, FORMER, HIGHER):
        found = serials(outer, department)
        assert found == list(range(1, len(found) + 1))
        total += len(found)
    assert total == owed


@pytest.mark.door("kafka")
@pytest.mark.clause("2.4a")
def test_a_circular_arrives_with_its_text_and_about_no_case(
    region: TestStore, outer: TrackedStore, hands: Hands
) -> None:
    policy = {"kind": "policy", "number": "建发1号", "title": "条件调整", "body": "自三月起执行新标准。"}
    region.submit(SendCircular(department=FORMER, **policy, main=(APPROVAL,), copies=(S1,), changed_on=DAY), id_="c1")
    owe(region, [])
    hands.send_all()
    for department in (APPROVAL, S1):
        [(attributes, data)] = messages(outer, outer.names.notices(department))
        message = NoticeMessage.model_validate_json(data)
        assert (attributes["type"], message.notice) == ("cn.shenguan.notice.circular.v1", f"{department}/test/c1")
        assert (message.about, message.case, message.fact.department) == ("circular", None, FORMER)
        assert policy.items() <= message.fact.details.items()
    with region.connect() as conn:
        [(stored,)] = conn.execute("SELECT state FROM shenguan.stored_events WHERE topic = 'circular.sent'").fetchall()
    assert "自三月起".encode() not in bytes(stored)


def test_the_message_is_enough_to_act_on(region: TestStore, outer: TrackedStore, hands: Hands) -> None:
    person = Person(name="赵铁柱", id_type="护照", id_number="E12345678")
    region.submit(accept("号1", Party(kind="自然人", name="赵铁柱", person=person)), id_="a1")
    region.submit(decide("号1"), id_="d1")
    owe(region, [])
    hands.send_all()
    [(attributes, data)] = messages(outer, outer.names.notices(S1))
    assert attributes["type"] == "cn.shenguan.notice.decision.v1"
    assert attributes["source"] == f"urn:shenguan:{outer.settings.store}"
    assert attributes["id"] == f"{S1}/test/d1"
    assert attributes["subject"] == f"case/{APPROVAL}/号1"
    assert attributes["serial"] == "1"
    message = NoticeMessage.model_validate_json(data)
    assert message.notice == attributes["id"]
    assert message.owed_at.isoformat() == attributes["time"]
    assert message.case.matter_name == "施工许可"
    assert message.case.party is not None
    assert message.case.party.name == "赵铁柱"
    assert message.case.party.person is not None
    assert message.case.party.person.id_number == "E12345678"
    assert message.fact.type == "case.decided"
    assert message.fact.officer is not None
    assert message.fact.officer.name == "张三丰"
    assert message.fact.details["content"] == "准予施工"
    assert message.fact.details["decided_on"] == "2026-03-02"


def test_an_erased_holder_is_null(region: TestStore, outer: TrackedStore, hands: Hands) -> None:
    region.submit(accept("1", Party(kind="个体工商户", name="赵铁柱")), id_="a1")
    region.submit(decide("1"), id_="d1")
    owe(region, [])
    with psycopg.connect(region.urls.migrator) as conn:
        conn.execute("UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = now()")
    hands.send_all()
    [(_, data)] = messages(outer, outer.names.notices(S1))
    message = json.loads(data)
    assert message["case"]["party"] is None
    assert message["fact"]["details"]["content"] is None
    assert message["fact"]["officer"] == {"id": "007", "name": None}


def test_a_blocked_department_holds_up_nobody_else(
    region: TestStore, outer: TrackedStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(region, ["1", "2", "3"])
    found = hands.topics.ids
    monkeypatch.setattr(hands.topics, "ids", lambda d, r: {k: v for k, v in found(d, r).items() if k != S1})
    hands.send_all()
    assert serials(outer, S2) == [1, 2, 3]
    assert serials(outer, S1) == []
    waiting = "SELECT count(*) FROM shenguan.delivery WHERE department = 's1' AND sent_at IS NULL"
    waiting += " AND leased_until IS NULL"
    assert count(region, waiting) == 3
    assert count(region, waiting + " AND attempts = 1 AND error = 'NoTopic' AND serial = 1") == 1
    monkeypatch.undo()
    with region.connect() as conn:
        conn.execute("UPDATE shenguan.delivery SET due_at = now()")
    hands.send_all()
    assert serials(outer, S1) == [1, 2, 3]


def test_after_a_failure_later_serials_wait(
    region: TestStore, outer: TrackedStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of four cannot be written: the first goes out, the others wait behind it."""
    owe(region, ["1", "2", "3", "4"])
    composer = hands.dispatcher._composer
    whole = composer._record

    def record(delivery: Delivery, *args: Any) -> Any:
        if delivery.serial == 2 and delivery.department == S1:
            raise ValueError
        return whole(delivery, *args)

    monkeypatch.setattr(composer, "_record", record)
    hands.send_all()
    assert serials(outer, S1) == [1]
    assert serials(outer, S2) == [1, 2, 3, 4]
    monkeypatch.undo()
    with region.connect() as conn:
        conn.execute("UPDATE shenguan.delivery SET due_at = now()")
        # of a department in trouble only the head is tried
        assert [d.serial for d in lease(conn, CHANNEL, 100, 0.0)] == [2]
    hands.send_all()
    assert serials(outer, S1) == [1, 2, 3, 4]
    assert events(region, "notice.dispatched") == 8


def test_a_crash_between_ack_and_record_sends_again_under_the_same_id(
    region: TestStore, outer: TrackedStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(region, ["1", "2"])

    def crash(*_: Any) -> None:
        raise RuntimeError("crash")

    monkeypatch.setattr(hands.writer, "run", crash)
    with pytest.raises(RuntimeError, match="crash"):
        hands.send_all()
    assert events(region, "notice.dispatched") == 0
    again = Hands(outer)
    again.dispatcher.reset(again.conn)
    again.send_all()
    again.close()
    ids = [attributes["id"] for attributes, _ in messages(outer, outer.names.notices(S1))]
    assert ids == [f"{S1}/test/d-1", f"{S1}/test/d-2"] * 2
    assert events(region, "notice.dispatched") == 4


def test_only_one_outlet_works(region: TestStore, outer: TrackedStore) -> None:
    first, second = OutletRole(outer), OutletRole(outer)
    with running(first, second):
        owe(region, [str(n) for n in range(20)])
        until(lambda: unsent(region) == 0)
        leaders = [role for role in (first, second) if role._leads.is_set()]
        assert len(leaders) == 1
        leaders[0].stopped.set()
        owe(region, ["x"])
        until(lambda: unsent(region) == 0)
    assert serials(outer, S1) == list(range(1, 22))


def test_a_commit_is_evidence_and_silence_stays_unknown(region: TestStore, outer: TrackedStore, hands: Hands) -> None:
    owe(region, ["1", "2"])
    hands.send_all()
    assert hands.collector.turn(hands.conn) == 0
    assert len(messages(outer, outer.names.notices(S1), f"shenguan.{S1}")) == 2
    assert hands.collector.turn(hands.conn) == 2
    assert hands.collector.turn(hands.conn) == 0
    assert events(region, "notice.delivered") == 2
    delivered = "SELECT count(*) FROM shenguan.delivery WHERE delivered_at IS NOT NULL AND department = %s"
    assert count(region, delivered, S1) == 2
    assert count(region, delivered, S2) == 0
    owe(region, ["3"])
    hands.send_all()
    assert hands.collector.turn(hands.conn) == 0  # what was committed before proves nothing of what came later


def test_all_evidence_found_together_is_recorded_together(
    region: TestStore, outer: TrackedStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(region, ["1", "2", "3"])
    hands.send_all()
    for department in (S1, S2):
        messages(outer, outer.names.notices(department), f"shenguan.{department}")
    generation = "SELECT generation FROM shenguan.writer"
    before = count(region, generation)
    assert hands.collector.turn(hands.conn) == 6
    assert count(region, generation) == before + 1
    with region.connect() as conn:
        states = conn.execute(
            "SELECT originator_id, convert_from(state, 'UTF8')::jsonb FROM shenguan.stored_events"
            " WHERE topic = 'notice.delivered'"
        ).fetchall()
    assert (
        sorted((stream.split("/")[1], state["group"], state["committed"]) for stream, state in states)
        == [(S1, f"shenguan.{S1}", 3)] * 3 + [(S2, f"shenguan.{S2}", 3)] * 3
    )
    monkeypatch.setattr(collector, "BATCH", 2)
    owe(region, ["4", "5", "6"])
    hands.send_all()
    for department in (S1, S2):
        messages(outer, outer.names.notices(department), f"shenguan.{department}")
    assert hands.collector.turn(hands.conn) == 6  # more than a batch
    assert events(region, "notice.delivered") == 12


def test_a_group_that_may_not_be_asked_about_leaves_the_others_their_evidence(
    region: TestStore, outer: TrackedStore, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(region, ["1"])
    hands.send_all()
    for department in (S1, S2):
        messages(outer, outer.names.notices(department), f"shenguan.{department}")

    def refused(_: Any, asked: Collection[tuple[str, str]]) -> Any:
        if any(group == f"shenguan.{S1}" for group, _ in asked):
            raise GroupAuthorizationFailedError
        return committed_by(_, asked)

    monkeypatch.setattr(collector, "committed_by", refused)
    monkeypatch.setattr(evidence, "committed_by", refused)
    assert hands.collector.turn(hands.conn) == 1
    assert (
        count(region, "SELECT count(*) FROM shenguan.delivery WHERE delivered_at IS NOT NULL AND department = 's2'")
        == 1
    )


def test_every_addressee_is_told_the_same_of_a_fact(outer: TrackedStore, region: TestStore, hands: Hands) -> None:
    owe(region, ["1", "2"])
    hands.send_all()
    told = {d: [json.loads(data) for _, data in messages(outer, outer.names.notices(d))] for d in (S1, S2)}
    for first, second in zip(told[S1], told[S2], strict=True):
        assert (first["addressee"], second["addressee"]) == (S1, S2)
        assert first["case"] == second["case"]
        assert first["fact"] == second["fact"]
    assert [one["case"]["number"] for one in told[S1]] == ["1", "2"]


def test_evidence_is_taken_by_the_role(region: TestStore, outer: TrackedStore) -> None:
    with running(OutletRole(outer)):
        owe(region, ["1"])
        until(lambda: unsent(region) == 0)
        messages(outer, outer.names.notices(S1), f"shenguan.{S1}")
        until(lambda: events(region, "notice.delivered") == 1)


def test_a_new_departments_topic_is_made(region: TestStore, outer: TrackedStore, hands: Hands) -> None:
    admin = clients.admin(outer.kafka_options)
    admin.delete_topics([outer.names.notices(S1)])
    until(lambda: outer.names.notices(S1) not in listed(admin))  # Kafka deletes in its own time
    owe(region, ["1"])
    hands.send_all()
    assert serials(outer, S1) == [1]
    [topic] = admin.describe_topics([outer.names.notices(S1)])
    assert len(topic["partitions"]) == 1
    admin.close()


def test_what_a_lost_topic_held_undelivered_is_sent_again(region: TestStore, tmp_path: Path) -> None:
    """The embedded broker forgets everything when it restarts."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        outer = store_for(region, MASTER, broker.bootstrap_servers, tmp_path)
        with running(OutletRole(outer)):
            owe(region, ["1", "2"])
            until(lambda: unsent(region) == 0)
            messages(outer, outer.names.notices(S1), f"shenguan.{S1}")
            until(lambda: events(region, "notice.delivered") == 2)
            before = broker.bootstrap_servers
            broker.kill()
            broker.start()
            assert broker.bootstrap_servers == before
            owe(region, ["3"])
            until(lambda: unsent(region) == 0 and len(serials(outer, S2)) == 3, 60)
            assert sorted(serials(outer, S2)) == [1, 2, 3]
            assert serials(outer, S1) == [3]
            admin = clients.admin(outer.kafka_options)
            assert committed(admin, f"shenguan.{S1}", outer.names.notices(S1)) is None
            admin.close()
        assert events(region, "notice.dispatched") == 6
        outer.close()


def test_a_store_that_owes_nothing_has_nothing_to_do(hands: Hands) -> None:
    assert not hands.dispatcher.turn(hands.conn)
    assert hands.collector.turn(hands.conn) == 0
