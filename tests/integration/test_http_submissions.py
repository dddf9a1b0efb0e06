"""Writing over HTTP: what is handed in, what becomes of it, and what is refused at the door; with a real intake."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.departments import RegisterDepartment
from domain.submissions import Payload
from infra.roles.clock import ClockRole
from infra.roles.intake import IntakeRole
from infra.store import Store
from tests.integration.doors import ISSUER, Doors, doors
from tests.integration.outlet_kit import TrackedStore, count, messages, running, until
from tests.integration.region import APPROVAL, FORMER, OFFICE, S1, S2, accept, decide, granted
from tests.integration.teststore import TestStore, department

WAIT = {"Prefer": "wait=20"}


@pytest.fixture(autouse=True)
def _sockets_left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """kafka-python leaves the sockets of refused connections to the collector, which warns."""
    yield
    caplog.get_records("call").clear()  # their tracebacks hold them
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    region.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委", "DISCIPLINE")))
    with doors(outer) as made:
        yield made


@pytest.fixture
def intake(outer: TrackedStore) -> Iterator[None]:
    with running(IntakeRole(outer)):
        yield


def data(payload: Payload) -> dict[str, Any]:
    """As a caller writes it: without department and officer."""
    return payload.model_dump(mode="json", exclude_none=True, exclude={"department", "officer"})


def post(doors: Doors, path: str, caller: str, body: Any, code: int = 200, **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    found = doors.client.post(f"/api/v1{path}", json=body, headers=doors.headers(caller, **{**WAIT, **headers}))
    assert found.status_code == code, found.text
    return found.json() | {"headers": found.headers}


def submit(doors: Doors, caller: str, payload: Payload, code: int = 200, **headers: str) -> Any:
    return post(doors, "/submissions", caller, {"type": payload.TYPE, "data": data(payload)}, code, **headers)


def faults(problem: Any) -> list[tuple[str, str]]:
    return [(one["field"], one["rule"]) for one in problem["faults"]]


def test_what_is_handed_in_is_decided_and_names_who_did_it(region: TestStore, opened: Doors, intake: None) -> None:
    made = submit(opened, APPROVAL, accept("1"))
    assert (made["disposition"], made["events"]) == ("accepted", ["case.accepted"])
    assert made["headers"]["preference-applied"] == "wait=20"
    decided = submit(opened, APPROVAL, decide("1"))
    assert {one["addressee"] for one in decided["notices"]} == {S1, S2}
    with region.connect() as conn:
        query = "SELECT state::text FROM shenguan.stored_events WHERE topic = 'case.decided'"
        state = conn.execute(query.replace("state::text", "convert_from(state, 'UTF8')::jsonb -> 'meta'")).fetchone()
    assert state is not None
    meta = state[0]
    assert (meta["principal"], meta["auth"], meta["caller"]) == ("api", "token", f"{ISSUER} {APPROVAL}.W01")
    assert (meta["department"], meta["officer"]["id"]) == (APPROVAL, "W01")
    assert "巴特尔" not in str(meta)
    again = opened.get(f"/submissions/{decided['id']}", APPROVAL)
    assert again == {name: value for name, value in decided.items() if name != "headers"}
    opened.get(f"/submissions/{decided['id']}", S1, 404)
    opened.get(f"/submissions/{decided['id']}", "operator", 404)
    opened.get("/submissions/none", APPROVAL, 404)


def test_an_inspector_sees_what_became_of_it_and_that_is_on_record(
    region: TestStore, opened: Doors, intake: None
) -> None:
    made = submit(opened, APPROVAL, accept("1"))
    assert opened.get(f"/submissions/{made['id']}", "jw")["disposition"] == "accepted"
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'read.recorded'") == 1


def test_a_refusal_says_the_rule_in_both_languages_and_is_on_record(
    region: TestStore, opened: Doors, intake: None
) -> None:
    granted(region, "1")
    demand = {"organ": APPROVAL, "number": "1", "demanded_of": APPROVAL, "seal": "住建局印章"}
    found = post(opened, "/submissions", FORMER, {"type": "seal.demand", "data": demand})
    assert found["disposition"] == "refused"
    assert found["rule"] == {
        "code": "seal.demand",
        "clause": "2.7c",
        "zh": "不得要求再加盖印章",
        "en": "a further seal may not be demanded",
    }
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'attempt.refused'") == 1


def test_what_waits_says_for_what_and_is_decided_later(region: TestStore, opened: Doors, intake: None) -> None:
    early = submit(opened, APPROVAL, decide("1"))
    assert (early["disposition"], early["waits_for"]) == ("parked", f"case/{APPROVAL}/1")
    assert early["waiting"]["zh"] == f"办件 {APPROVAL}/1"
    assert datetime.fromisoformat(early["expires_at"]) > datetime.now(UTC)
    submit(opened, APPROVAL, accept("1"))
    assert opened.get(f"/submissions/{early['id']}", APPROVAL)["disposition"] == "accepted"


def test_what_cannot_be_a_fact_says_field_and_rule_and_is_retried(
    region: TestStore, opened: Doors, intake: None
) -> None:
    granted(region, "9")
    fix = {"organ": APPROVAL, "number": "9", "target": "valid_to", "on": "2026-03-02", "reason": "笔误"}
    wrong = fix | {"old": "2031-01-01", "new": "2032-01-01", "authorised_by": "局长办公会"}
    dead = post(opened, "/submissions", APPROVAL, {"type": "case.correct", "data": wrong})
    assert dead["disposition"] == "dead"
    [error] = dead["errors"]
    assert (error["field"], error["rule"]) == ("old", "correction.old")
    assert "更正前的值与记录不符" in error["zh"]
    assert "the old value differs from the record" in error["en"]
    post(opened, "/deadletters/retry", APPROVAL, {"place": dead["place"]}, 403)
    retried = post(opened, "/deadletters/retry", "operator", {"place": dead["place"]})
    assert (retried["disposition"], retried["department"]) == ("accepted", "operator")
    assert count(region, "SELECT count(retried_at) FROM shenguan.dead_letter") == 1
    assert opened.get(f"/submissions/{dead['id']}", APPROVAL)["disposition"] == "dead"


def test_the_same_key_is_the_same_submission(region: TestStore, opened: Doors, outer: Store, intake: None) -> None:
    first = submit(opened, APPROVAL, accept("1"), Idempotency_Key="K 1".replace(" ", "-"))
    again = submit(opened, APPROVAL, accept("1"), Idempotency_Key="K-1", Prefer="wait=0")
    assert {**again, "headers": None} == {**first, "headers": None}
    assert len(messages(outer, outer.names.intake("api"))) == 1  # it is known what became of it: not sent again
    other = submit(opened, APPROVAL, accept("2"), 422, Idempotency_Key="K-1")
    assert faults(other) == [("header.Idempotency-Key", "idempotency.body")]
    stranger = submit(opened, FORMER, accept("3", organ=FORMER), Idempotency_Key="K-1")
    assert stranger["id"] != first["id"]
    unnamed = [submit(opened, APPROVAL, accept("4"))["disposition"] for _ in range(2)]
    assert unnamed == ["accepted", "refused"]
    submit(opened, APPROVAL, accept("5"), 422, Idempotency_Key="x" * 256)


@pytest.mark.parametrize("zone", [None, timedelta(hours=8), timedelta(hours=-5)])
def test_sent_twice_before_it_was_decided_it_happens_once(
    region: TestStore, opened: Doors, outer: TrackedStore, zone: timedelta | None
) -> None:
    """Whoever lost the first answer asks again, while no intake is there."""
    body = {"type": "case.accept", "data": data(accept("1"))}
    if zone is not None:
        body["time"] = datetime.now(timezone(zone)).isoformat()
    first = post(opened, "/submissions", APPROVAL, body, 202, Idempotency_Key="K", Prefer="wait=0")
    assert first["disposition"] is None
    assert first["headers"]["location"] == f"/api/v1/submissions/{first['id']}"
    assert opened.get(f"/submissions/{first['id']}", APPROVAL)["disposition"] is None
    second = post(opened, "/submissions", APPROVAL, body, 202, Idempotency_Key="K", Prefer="wait=1")
    assert (second["id"], second["occurred_at"]) == (first["id"], first["occurred_at"])
    with running(IntakeRole(outer)):
        found = until(lambda: (one := opened.get(f"/submissions/{first['id']}", APPROVAL))["disposition"] and one)
        assert found["disposition"] == "accepted"
        until(lambda: count(region, "SELECT count(*) FROM shenguan.submission WHERE disposition = 'duplicate'") == 1)
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'case.accepted'") == 1


def test_nobody_speaks_for_others_and_roles_keep_to_their_own(opened: Doors, outer: Store) -> None:
    body = {"type": "case.accept", "data": data(accept("1"))}
    other = body | {"data": body["data"] | {"department": S1}}
    assert faults(post(opened, "/submissions", APPROVAL, other, 403)) == [("body.data.department", "caller.department")]
    other = body | {"data": body["data"] | {"officer": {"id": "007", "name": "张三"}}}
    assert faults(post(opened, "/submissions", APPROVAL, other, 403)) == [("body.data.officer", "caller.officer")]
    post(opened, "/submissions", "jw", body, 403)
    post(opened, "/submissions", "operator", body, 403)
    principal = {"type": "principal.register", "data": {"principal": "x", "acts_for": ["s1"]}}
    post(opened, "/submissions", OFFICE, principal, 403)
    assert opened.client.post("/api/v1/submissions", json=body).status_code == 401
    assert messages(outer, outer.names.intake("api")) == []


def test_what_is_plainly_wrong_names_field_and_rule_and_is_not_handed_in(opened: Doors, outer: Store) -> None:
    good = {"type": "case.accept", "data": data(accept("1"))}
    bad = good | {"data": {**good["data"], "accepted_on": "2026-02-30", "colour": "red"}}
    del bad["data"]["number"]
    said = post(opened, "/submissions", APPROVAL, bad, 422)
    assert {("body.data.number", "missing"), ("body.data.(未知字段)", "extra_forbidden")} <= set(faults(said))
    assert said["title"] == "所填内容有误，未提交"
    assert faults(post(opened, "/submissions", APPROVAL, good | {"type": "case.acept"}, 422)) == [
        ("body.type", "type.unknown")
    ]
    late = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    assert faults(post(opened, "/submissions", APPROVAL, good | {"time": late}, 422)) == [("body.time", "time.future")]
    retry = good | {"retry_of": "两 个"}
    assert faults(post(opened, "/submissions", APPROVAL, retry, 422)) == [("body.retryof", "retryof.shape")]
    english = opened.client.post("/api/v1/submissions?lang=en", json=bad, headers=opened.headers(APPROVAL)).json()[
        "faults"
    ]
    assert any("a required field is missing" in one["message"] for one in english)
    for raw in (
        b'{"type": "case.accept", "data": {"number": NaN}}',
        b'{"type": "case.accept", "data": {"a": "\\ud800"}}',
    ):
        headers = opened.headers(APPROVAL, **{"Content-Type": "application/json"})
        assert opened.client.post("/api/v1/submissions", content=raw, headers=headers).status_code == 422
    deep = b'{"type": "case.accept", "data": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}"
    assert opened.client.post("/api/v1/submissions", content=deep, headers=headers).status_code in (400, 422)
    big = good | {"data": {**good["data"], "number": "x" * 950_000}}
    post(opened, "/submissions", APPROVAL, big, 413)
    assert messages(outer, outer.names.intake("api")) == []


def test_with_the_broker_away_it_says_so_and_nothing_is_lost(region: TestStore, outer: TrackedStore) -> None:
    outer.kafka_options["bootstrap_servers"] = "127.0.0.1:1"
    with doors(outer) as opened:
        said = submit(opened, APPROVAL, accept("1"), 503, Idempotency_Key="K")
        assert said["headers"]["retry-after"] == "5"
        assert said["headers"]["content-type"] == "application/problem+json"
    outer.kafka_options["bootstrap_servers"] = outer.servers.bootstrap
    with doors(outer) as opened, running(IntakeRole(outer)):
        made = submit(opened, APPROVAL, accept("1"), Idempotency_Key="K")
        assert made["disposition"] == "accepted"
        assert made["headers"]["location"] == said["headers"]["location"]


def test_a_key_is_kept_for_its_time_and_no_longer(
    region: TestStore, outer: TrackedStore, opened: Doors, intake: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.roles.clock.BATCH", 2)
    first = submit(opened, APPROVAL, accept("1"), Idempotency_Key="k1")
    for number in ("2", "3"):
        submit(opened, APPROVAL, accept(number))
    days = outer.settings.idempotency_days
    soon, late = (
        ClockRole(outer, lambda days=days: datetime.now(UTC) + timedelta(days=days), every_s=0.1)
        for days in (days - 1, days + 1)
    )
    with region.connect() as conn:
        assert soon.forget(conn) == 0
    assert submit(opened, APPROVAL, accept("1"), Idempotency_Key="k1")["id"] == first["id"]
    with running(late):
        until(lambda: count(region, "SELECT count(*) FROM shenguan.http_request") == 0)
    opened.get(f"/submissions/{first['id']}", APPROVAL, 404)
    again = submit(opened, APPROVAL, accept("1"), Idempotency_Key="k1")
    assert (again["id"] != first["id"], again["disposition"]) == (
        True,
        "refused",
    )  # by what is known of the case itself
