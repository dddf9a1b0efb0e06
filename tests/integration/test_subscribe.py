"""The reference client, with the intake and the outlet running: owed, sent, read, signed for, recorded."""

from __future__ import annotations

import json

import pytest

from adapters.kafka.cloudevents import encode
from adapters.kafka.outbox import Outbox
from domain.personal import Officer
from infra.roles.intake import IntakeRole
from infra.roles.outlet import OutletRole
from infra.subscriber import SubscribeProblem, Wishes, run
from tests.integration.outlet_kit import TrackedStore, count, events, owe, running, unsent, until
from tests.integration.region import APPROVAL, S1, S2
from tests.integration.teststore import TestStore

SIGNER = Officer(id="42", name="王小二")


@pytest.mark.door("kafka")
@pytest.mark.clause("2.2b")
def test_notices_are_read_signed_for_and_on_record(region: TestStore, outer: TrackedStore) -> None:
    lines: list[str] = []
    with running(IntakeRole(outer), OutletRole(outer)):
        owe(region, ["1", "2", "3"])
        until(lambda: unsent(region) == 0)
        wishes = Wishes(S1, SIGNER, from_beginning=True, idle_s=1)
        reading = run(wishes, outer.kafka_options, outer.names, static=True, out=lines.append, tell=lines.append)
        assert (reading.notices, reading.receipts, reading.missing) == (3, 3, set())
        assert lines[0].startswith(f"编号 1\t审批决定\t办件 {APPROVAL}/1\t当事人 蒙草公司\t")
        until(lambda: events(region, "notice.received") == 3)
        until(lambda: events(region, "notice.delivered") == 3)
        again = run(wishes, outer.kafka_options, outer.names, static=True, out=lines.append, tell=lines.append)
        assert again.notices == 0
    assert len(lines) == 3
    with region.connect() as conn:
        rows = conn.execute(
            "SELECT disposition, count(*) FROM shenguan.submission WHERE type = 'notice.receive' GROUP BY 1"
        ).fetchall()
    assert rows == [("accepted", 3)]
    assert count(region, "SELECT count(*) FROM shenguan.delivery WHERE department = %s AND delivered_at IS NULL", S2)


def test_gaps_repeats_and_nonsense_are_told(region: TestStore, outer: TrackedStore) -> None:
    with running(OutletRole(outer)):
        owe(region, ["1"])
        until(lambda: unsent(region) == 0)
    read: list[str] = []
    wishes = Wishes(S1, from_beginning=True, idle_s=1, as_json=True, group="other")
    run(wishes, outer.kafka_options, outer.names, static=True, out=read.append)
    message = json.loads(read[0])
    assert len(message.pop("leaf")) == 64
    outbox = Outbox(outer.kafka_options)
    topic = outer.names.notices(S1)
    attributes = {"specversion": "1.0", "source": "urn:shenguan:x", "type": "cn.shenguan.notice.decision.v1"}
    for serial, notice in ((1, message["notice"]), (5, "s1/test/other")):
        body = json.dumps({**message, "serial": serial, "notice": notice}).encode()
        headers, value = encode({**attributes, "id": notice}, body)
        outbox.send(topic, b"k", value, headers)
    outbox.send(topic, b"k", b"nonsense", [])
    assert len(outbox.flush(10)) == 3
    outbox.close()
    told: list[str] = []
    wishes = Wishes(S1, from_beginning=True, idle_s=1)
    reading = run(wishes, outer.kafka_options, outer.names, static=True, out=read.append, tell=told.append)
    assert (reading.notices, reading.duplicates, reading.unreadable) == (2, 1, 1)
    assert reading.missing == {2, 3, 4}
    assert told == ["编号不连续：缺 2–4", "第 0 分区位置 3 的消息无法读懂，已跳过"]


def test_an_unknown_department_is_told(outer: TrackedStore) -> None:
    with pytest.raises(SubscribeProblem, match="没有主题"):
        run(Wishes("nobody", idle_s=1), outer.kafka_options, outer.names, static=True)
