"""The publisher, the clock, and several roles in one process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.kafka import clients
from adapters.postgres.follower import Postponed, catch_up
from adapters.postgres.mapper import EventMapper
from domain.submissions import full_type
from infra.roles import catalogue, supervisor
from infra.roles.clock import ClockRole
from infra.roles.publisher import LetterPublisher, LogPublisher, Publication, PublisherRole
from infra.topics import apply_topics
from tests.integration.outlet_kit import TrackedStore, count, messages, running, unsent, until
from tests.integration.region import APPROVAL, S1, S2, S3, decide, everything, granted
from tests.integration.teststore import TestStore


def heads(test: TestStore) -> int:
    return count(test, "SELECT max(notification_id) FROM shenguan.stored_events")


def position(test: TestStore, name: str) -> int:
    query = "SELECT coalesce(max(notification_id), 0) FROM shenguan.notification_tracking WHERE application_name = %s"
    return count(test, query, name)


def test_the_whole_log_is_published_as_it_is_stored(region: TestStore, outer: TrackedStore) -> None:
    everything(region)
    with running(PublisherRole(outer)):
        until(lambda: position(region, "log-publisher") == heads(region))
        granted(region, "later")
        until(lambda: position(region, "log-publisher") == heads(region))
    with region.connect() as conn:
        stored = conn.execute(
            "SELECT originator_id || '/' || originator_version, topic, notification_id::text AS position, state"
            " FROM shenguan.stored_events ORDER BY notification_id"
        ).fetchall()
    found = messages(outer, outer.names.log)
    assert [(a["id"], a["type"], a["position"], data) for a, data in found] == stored
    mapper = EventMapper()
    for attributes, data in found:
        stream, _, version = attributes["id"].rpartition("/")
        assert mapper.read(stream, int(version), attributes["type"], data).originator_id == attributes["subject"]
    text = b"".join(data for _, data in found).decode()
    assert "赵铁柱" not in text
    assert "E12345678" not in text


def test_the_position_moves_only_after_acks(
    region: TestStore, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = Publication(outer, outer.names.log)
    publisher = LogPublisher(outer, publication)

    def refuse(*_: Any) -> None:
        raise Postponed("away")

    with region.connect() as conn:
        monkeypatch.setattr(publication, "send", refuse)
        with pytest.raises(Postponed):
            catch_up(conn, [publisher])
        assert position(region, "log-publisher") == 0
        monkeypatch.undo()
        catch_up(conn, [publisher])
    publication.close()
    assert len(messages(outer, outer.names.log)) == count(region, "SELECT count(*) FROM shenguan.stored_events")


def bury(test: TestStore, number: str) -> None:
    """A decision dated after it was handed in: a dead letter."""
    granted(test, number)
    bad = decide(number + "x").model_copy(update={"number": number, "decided_on": test.now.date() + timedelta(days=9)})
    test.submit(bad, expect=None)


def test_dead_letters_are_published_once_without_their_bytes(region: TestStore, outer: TrackedStore) -> None:
    bury(region, "1")
    bury(region, "2")
    dead = "SELECT count(*) FROM shenguan.dead_letter"
    assert count(region, dead) == 2
    with running(PublisherRole(outer), PublisherRole(outer)):
        until(lambda: position(region, "deadletters") == count(region, "SELECT max(number) FROM shenguan.dead_letter"))
        bury(region, "3")
        until(lambda: position(region, "deadletters") == count(region, "SELECT max(number) FROM shenguan.dead_letter"))
    found = messages(outer, outer.names.deadletters)
    assert len(found) == 3
    attributes, data = found[0]
    letter = json.loads(data)
    assert attributes["type"] == full_type("deadletter")
    assert letter["place"] == attributes["id"]
    assert letter["principal"] == APPROVAL
    assert letter["disposition"] == "dead"
    assert letter["errors"][0].keys() == {"field", "rule", "message", "found"}
    assert "准予施工" not in data.decode()


def test_dead_letters_wait_for_acks(region: TestStore, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    bury(region, "1")
    topic = Publication(outer, outer.names.deadletters)
    publisher = LetterPublisher(outer, topic)

    def refuse(*_: Any) -> None:
        raise Postponed("away")

    monkeypatch.setattr(topic, "send", refuse)
    with region.connect() as conn:
        with pytest.raises(Postponed):
            publisher.turn(conn)
        assert position(region, "deadletters") == 0
        monkeypatch.undo()
        assert publisher.turn(conn) == 1
        assert publisher.turn(conn) == 0
    topic.close()


def test_who_waits_too_long_becomes_a_dead_letter(
    region: TestStore, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.roles.clock.BATCH", 2)
    region.submit(*[decide(f"nobody{n}") for n in range(5)], expect="parked")
    late = lambda: datetime.now(UTC) + timedelta(days=31)  # noqa: E731
    first, second = (ClockRole(outer, late, every_s=0.1) for _ in range(2))
    with region.connect() as conn:
        assert ClockRole(outer).turn(conn, region.writer) == 0
    with running(first, second):
        until(lambda: count(region, "SELECT count(*) FROM shenguan.parked") == 0)
    with region.connect() as conn:
        rows = conn.execute("SELECT errors, subject, ciphertext FROM shenguan.dead_letter").fetchall()
        dispositions = conn.execute(
            "SELECT disposition, count(*) FROM shenguan.submission WHERE type = 'case.decide' GROUP BY 1"
        ).fetchall()
    assert dispositions == [("dead", 5)]
    assert len(rows) == 5
    [error] = rows[0][0]
    assert error["rule"] == "parked.expired"
    assert error["found"].startswith(f"case/{APPROVAL}/nobody")
    # its identity is free again
    region.submit(decide("nobody0"), expect="parked")


def test_a_role_that_dies_is_started_again(
    region: TestStore, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = []

    class Mortal(ClockRole):
        def run(self) -> None:
            lives.append(self)
            if len(lives) == 1:
                raise RuntimeError("once")
            super().run()

    monkeypatch.setitem(catalogue.ROLES, "clock", Mortal)
    with supervisor.Crew(outer, ["clock"]) as crew:
        until(lambda: len(lives) == 2)
        with pytest.raises(supervisor.RoleDied, match="once"):
            crew.check()
    with pytest.raises(KeyError, match="nobody"):
        supervisor.Crew(outer, ["nobody"])


def test_all_roles_in_one_process(region: TestStore, outer: TrackedStore) -> None:
    with supervisor.Crew(outer) as crew:
        everything(region)
        until(lambda: unsent(region) == 0)
        names = ("approvals", "attempts", "receipts", "two_way", "log-publisher", "outlet")
        until(lambda: all(position(region, name) == heads(region) for name in names))
        crew.check()
    assert not any(post.thread.is_alive() for post in crew._posts)


def test_topics_come_from_the_registers(outer: TrackedStore) -> None:
    admin = clients.admin(outer.kafka_options)
    names = outer.names
    found = {
        topic["name"]: len(topic["partitions"])
        for topic in admin.describe_topics()
        if f".{outer.settings.store}" in topic["name"]
    }
    admin.close()
    assert found[names.log] == found[names.deadletters] == 1
    assert {found[names.notices(d)] for d in (S1, S2, S3, APPROVAL)} == {1}
    assert {found[names.intake(p)] for p in (S1, APPROVAL, "operator")} == {outer.settings.partitions}
    assert apply_topics(outer) == []
