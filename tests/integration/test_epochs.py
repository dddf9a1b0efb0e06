"""Topics made anew: two intakes that start at once, and an external topic that an operator accepts."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import pytest

from adapters.kafka import clients
from adapters.kafka.topics import TopicSpec, apply, topic_ids
from adapters.postgres.positions import Advance, Fenced, positions
from infra.accepting import NothingToAccept, accept
from infra.roles.intake import IntakeRole
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, count, events, running, until
from tests.integration.region import APPROVAL, S1
from tests.integration.test_retry import disposition, send
from tests.integration.teststore import TestStore

DATA = {"department": APPROVAL, "organ": APPROVAL, "licence_number": "L", "certificate": "许可证",
        "issued_on": "2026-03-02"}  # fmt: skip


def test_two_intakes_that_start_at_once_open_one_epoch(
    region: TestStore, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second read that nothing was known; by the time it writes, the first has opened the epoch and read on."""
    from infra.roles.intake import topics

    topic, other = outer.names.intake(APPROVAL), outer.names.intake(S1)
    first, second = IntakeRole(outer), IntakeRole(outer)
    ids = {topic: "t1", other: "t2"}
    places = [(topic, 0), (other, 0)]
    assert first._positions(places, ids) == {(topic, 0): 0, (other, 0): 0}
    first._writer.write(moves=[Advance("t1", 0, 0, 1, 7)])

    answers: list[Any] = [{}]
    monkeypatch.setattr("infra.roles.intake.topics", lambda conn: answers.pop() if answers else topics(conn))
    assert second._positions(places, ids) == {(topic, 0): 7, (other, 0): 0}
    assert answers == []
    with pytest.raises(Fenced):
        second.open_epoch(topic, "", "t1", 1, "first")
    assert events(region, "intake.epoch_opened") == 2
    with outer.connect() as conn:
        assert positions(conn, [("t1", 0, 1)]) == {("t1", 0): (7, 1)}
    first._writer.close()
    second._writer.close()


def anew(store: TrackedStore, topic: str) -> None:
    """Deletes the topic and makes it again."""
    with closing(clients.admin(store.kafka_options)) as admin:
        old = topic_ids(admin, [topic])
        admin.delete_topics([topic])
        until(lambda: not topic_ids(admin, [topic]))
        apply(store.kafka_options, [TopicSpec(topic, store.settings.partitions, 3_600_000)])
        assert topic_ids(admin, [topic]) != old


def test_an_external_topic_made_anew_is_read_once_an_operator_accepts_it(
    region: TestStore, outer: TrackedStore
) -> None:
    """The embedded broker stands for an external one: its address is configured."""
    assert not outer.settings.embedded_kafka
    topic = outer.names.intake(APPROVAL)
    with running(IntakeRole(outer)):
        send(outer, APPROVAL, "case.issue_licence", "old", {**DATA, "number": "1"})
        until(lambda: disposition(region, "old") == "parked")
        with pytest.raises(NothingToAccept, match="nothing to accept"):
            accept(outer, topic)
        anew(outer, topic)
        send(outer, APPROVAL, "case.issue_licence", "new", {**DATA, "number": "2"})
        send(outer, S1, "case.issue_licence", "neighbour", {**DATA, "number": "3"})
        until(lambda: disposition(region, "neighbour"))  # the others are read on
        time.sleep(3)
        assert disposition(region, "new") is None
        opened = events(region, "intake.epoch_opened")

        assert accept(outer, topic) == 2
        until(lambda: disposition(region, "new") == "parked", 10)
        assert events(region, "intake.epoch_opened") == opened + 1
        for name in ("nobody", outer.names.log, outer.names.intake("nobody")):
            with pytest.raises(NothingToAccept, match="no intake topic"):
                accept(outer, name)
    assert verify(outer).problems == []
    state = "SELECT count(*) FROM shenguan.stored_events WHERE convert_from(state, 'UTF8') LIKE %s"
    assert count(region, state, '%"reason":"accepted"%') == 1
