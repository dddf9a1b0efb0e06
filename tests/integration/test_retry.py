"""Dead letters through Kafka: kept whole, explained by field, and decided again when an operator asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.kafka.cloudevents import encode
from adapters.kafka.outbox import Outbox, Sent
from adapters.postgres.desk import dead_letters
from domain.arrivals import Place
from domain.submissions import full_type
from infra.operating import retry_dead_letter
from infra.roles.clock import ClockRole
from infra.roles.intake import IntakeRole
from infra.store import Store
from tests.integration.outlet_kit import TrackedStore, count, running, until
from tests.integration.region import APPROVAL, granted
from tests.integration.teststore import TestStore


def send(store: Store, principal: str, type_: str, id_: str, data: dict[str, Any] | bytes, **more: str) -> None:
    attributes = {
        "specversion": "1.0", "id": id_, "source": principal, "type": full_type(type_),
        "time": datetime.now(UTC).isoformat(), **more,
    }  # fmt: skip
    headers, value = encode(attributes, data if isinstance(data, bytes) else json.dumps(data).encode())
    outbox = Outbox(store.kafka_options)
    handle = outbox.send(store.names.intake(principal), b"k", value, headers)
    assert [type(fate) for fate in outbox.flush(10)] == [Sent], handle
    outbox.close()


def disposition(test: TestStore, id_: str) -> Any:
    rows = test.connect().execute("SELECT disposition FROM shenguan.submission WHERE id = %s", (id_,)).fetchall()
    return rows[-1][0] if rows else None


def place_of(test: TestStore, id_: str) -> str:
    query = 'SELECT topic_id, partition, "offset" FROM shenguan.submission WHERE id = %s'
    row = test.connect().execute(query, (id_,)).fetchone()
    assert row is not None
    return str(Place(*row))


CORRECTION = {
    "department": APPROVAL, "organ": APPROVAL, "number": "9", "target": "valid_to", "on": "2026-03-02",
    "reason": "笔误", "authorised_by": "局长办公会",
}  # fmt: skip


def test_a_letter_is_decided_again_verbatim_once_what_it_lacked_is_there(
    region: TestStore, outer: TrackedStore
) -> None:
    granted(region, "9")
    with running(IntakeRole(outer)):
        send(outer, APPROVAL, "case.correct", "second", {**CORRECTION, "old": "2031-01-01", "new": "2032-01-01"})
        until(lambda: disposition(region, "second") == "dead")
        assert count(region, "SELECT count(retried_at) FROM shenguan.dead_letter") == 0
        old = region.connect().execute(
            "SELECT convert_from(state, 'UTF8')::jsonb ->> 'valid_to' FROM shenguan.stored_events"
            " WHERE topic = 'case.decided' AND originator_id = %s", (f"case/{APPROVAL}/9",)
        ).fetchone()  # fmt: skip
        assert old is not None
        send(outer, APPROVAL, "case.correct", "first", {**CORRECTION, "old": old[0] or "—", "new": "2031-01-01"})
        until(lambda: disposition(region, "first") == "accepted")
        retry_dead_letter(outer, place_of(region, "second"))
        until(lambda: disposition(region, "second") == "accepted")
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'deadletter.retried'") == 1
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'case.corrected'") == 2
    assert count(region, "SELECT count(*) FROM shenguan.dead_letter WHERE retried_at >= dead_at") == 1


def test_what_died_waiting_can_be_retried_when_its_predecessor_came_after_all(
    region: TestStore, outer: TrackedStore
) -> None:
    data = {"department": APPROVAL, "organ": APPROVAL, "number": "7", "licence_number": "L7",
            "certificate": "许可证", "issued_on": "2026-03-02"}  # fmt: skip
    with running(IntakeRole(outer)):
        send(outer, APPROVAL, "case.issue_licence", "early", data)
        until(lambda: disposition(region, "early") == "parked")
        with running(ClockRole(outer, clock=lambda: datetime.now(UTC) + timedelta(days=31), every_s=0.1)):
            until(lambda: disposition(region, "early") == "dead")
        granted(region, "7")
        retry_dead_letter(outer, place_of(region, "early"))
        until(lambda: disposition(region, "early") == "accepted")


def test_bytes_are_kept_sealed_and_nobody_but_an_operator_retries(region: TestStore, outer: TrackedStore) -> None:
    with running(IntakeRole(outer)):
        send(outer, APPROVAL, "case.accept", "broken", '{"name": "王小明"'.encode())
        until(lambda: disposition(region, "broken") == "dead")
        place = Place.parse(place_of(region, "broken"))
        letter = dead_letters(region.connect(), [place])[0]
        assert "王小明" not in letter.kept.ciphertext
        kept = json.loads(outer.open(letter.kept) or "")
        assert set(kept) == {"key", "headers", "value"}
        send(outer, APPROVAL, "deadletter.retry", "not-mine", {"department": "operator", "place": str(place)})
        until(lambda: disposition(region, "not-mine") == "refused")
        send(outer, "operator", "deadletter.retry", "nothing", {"place": "nowhere/0/0"})
        until(lambda: disposition(region, "nothing") == "dead")
        assert disposition(region, "broken") == "dead"
        retried = "SELECT count(*) FROM shenguan.dead_letter WHERE retried_at IS NOT NULL"
        assert count(region, retried) == 0
        retry_dead_letter(outer, str(place))
        until(lambda: count(region, retried))  # decided again, and dead again
        assert disposition(region, "broken") == "dead"


def test_a_mended_one_comes_anew_and_names_what_it_mends(region: TestStore, outer: TrackedStore) -> None:
    data = {"department": APPROVAL, "organ": APPROVAL, "number": "8", "target": "valid_to"}
    with running(IntakeRole(outer)):
        send(outer, APPROVAL, "case.correct", "mine", data)
        until(lambda: disposition(region, "mine") == "dead")
        granted(region, "8")
        mended = {"department": APPROVAL, "organ": APPROVAL, "number": "8", "licence_number": "L8",
                  "certificate": "许可证", "issued_on": "2026-03-02"}  # fmt: skip
        send(outer, APPROVAL, "case.issue_licence", "mine", mended, retryof=f"{APPROVAL}/mine")
        # A dead letter does not claim its id: the mended one may have the same.
        until(lambda: count(region, "SELECT count(*) FROM shenguan.submission WHERE id = 'mine'") == 2)
        found = (
            region.connect()
            .execute("SELECT disposition, retry_of FROM shenguan.submission WHERE id = 'mine' ORDER BY arrived_at")
            .fetchall()
        )
    assert found == [("dead", None), ("accepted", f"{APPROVAL}/mine")]
