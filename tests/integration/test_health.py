"""Health, readiness and metrics: what monitoring sees of a store at work, behind, and without its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from adapters.kafka.cloudevents import encode
from domain.submissions import cloud_event
from infra.handing_in import Record, hand_in
from infra.roles.clock import ClockRole
from infra.roles.intake import IntakeRole
from infra.roles.projector import ProjectorRole
from infra.servers.postgres import EmbeddedPostgres
from infra.web import vitals
from infra.web.identity import COOKIE
from projections import outcomes
from projections.catalogue import PROJECTIONS
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import TrackedStore, running, until
from tests.integration.region import APPROVAL, S1, accept, decide, usual
from tests.integration.teststore import TestStore

READ_MODELS = {one.name for one in PROJECTIONS}


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vitals, "KEPT_S", 0.0)


@pytest.fixture
def opened(region: TestStore, outer: TrackedStore) -> Iterator[Doors]:
    with doors(outer) as made:
        yield made


def figures(opened: Doors) -> dict[tuple[str, ...], float]:
    """By name and the labels' values."""
    families = text_string_to_metric_families(opened.client.get("/metrics").text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def ready(opened: Doors, code: int) -> Any:
    found = opened.client.get("/readyz")
    assert found.status_code == code, found.text
    return found.json()


@contextmanager
def away(region: TestStore, server: EmbeddedPostgres) -> Iterator[None]:
    """Its database lets nobody in while the block lasts."""
    name = region.urls.name
    with psycopg.connect(server.superuser_url, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield
        conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_ready_once_the_read_models_have_come_as_far_as_the_log(
    opened: Doors, region: TestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened.client.get("/healthz").json() == {"status": "alive"}
    never = ready(opened, 503)
    assert set(never["reasons"]) == {f"missing:{name}" for name in READ_MODELS}
    region.project()
    assert ready(opened, 200)["reasons"] == []
    usual(region)
    late = ready(opened, 200)  # behind, but not for long
    assert min(one["behind_s"] for one in late["followers"] if one["name"] in READ_MODELS) > 0
    monkeypatch.setattr(vitals, "BEHIND_S", 0.0)
    assert set(ready(opened, 503)["reasons"]) == {f"behind:{name}" for name in READ_MODELS}
    region.project()
    there = ready(opened, 200)
    assert {one["position"] for one in there["followers"] if one["name"] in READ_MODELS} == {there["position"]}
    assert {one["behind_s"] for one in there["followers"]} == {0.0}


def test_roles_show_life_and_its_end(opened: Doors, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def alive(role: str) -> bool | None:
        return next(one["alive"] for one in opened.client.get("/readyz").json()["roles"] if one["role"] == role)

    assert [alive(role) for role in ("intake", "clock", "projector", "outlet")] == [None] * 4
    with running(IntakeRole(outer), ClockRole(outer), ProjectorRole(outer)):
        for role in ("intake", "clock", "projector"):
            until(lambda role=role: alive(role))
        assert figures(opened)["shenguan_alive", "role.intake", "intake"] == 1.0
    monkeypatch.setattr(vitals, "ALIVE_S", 0.0)
    assert [alive(role) for role in ("intake", "clock", "projector", "outlet")] == [False, False, False, None]
    assert ready(opened, 200)  # nothing is behind yet


def test_without_the_database(
    opened: Doors, outer: TrackedStore, region: TestStore, postgres_server: EmbeddedPostgres
) -> None:
    region.project()
    ready(opened, 200)
    with away(region, postgres_server):
        gone = ready(opened, 503)
        assert (gone["reasons"], gone["database"]) == (["database"], False)
        assert opened.client.get("/healthz").status_code == 200
        refused = opened.client.get("/api/v1/notices", headers=opened.headers(S1))
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert figures(opened)["shenguan_database_up",] == 0.0
    ready(opened, 200)
    assert figures(opened)["shenguan_database_up",] == 1.0


def test_pages_without_the_database(
    opened: Doors, outer: TrackedStore, region: TestStore, postgres_server: EmbeddedPostgres
) -> None:
    region.project()
    html = opened.headers(S1, Accept="text/html")
    assert opened.client.get("/inbox", headers=html).status_code == 200
    with away(region, postgres_server):
        for path in ("/inbox", "/overview?lang=zh", "/cases/spj/1"):
            found = opened.client.get(path, headers=html)
            assert (found.status_code, found.headers["content-type"]) == (503, "text/html; charset=utf-8"), found.text
            assert int(found.headers["retry-after"]) > 0
            assert "服务暂不可用" in found.text
            assert f'<a href="{path.partition("?")[0]}">再试一次</a>' in found.text
            assert found.headers["x-request-id"] in found.text
        english = opened.client.get("/inbox?lang=en", headers=html).text
        assert '<html lang="en">' in english
        assert "Try again in some seconds" in english
        assert opened.client.get("/nowhere", headers=html).status_code == 404  # what needs no database is as ever
        acted = opened.client.post("/inbox/receive", data={"key": "0" * 36}, headers=html)
        assert acted.status_code == 503, acted.text
        assert "it is done once" in acted.text
        with doors(outer) as begun_meanwhile:
            assert "服务暂不可用" in begun_meanwhile.client.get("/inbox", headers=html).text
        for accept in ("application/json", "text/html"):
            api = opened.client.get("/api/v1/notices", headers={**html, "Accept": accept})
            assert (api.status_code, api.headers["content-type"]) == (503, "application/problem+json")
    until(lambda: opened.client.get("/inbox", headers=html).status_code == 200)


def test_signing_out_without_the_database(opened: Doors, region: TestStore, postgres_server: EmbeddedPostgres) -> None:
    """Takes at least the cookie away, and says in the log that this is all."""
    token = opened.headers(S1)["Authorization"].removeprefix("Bearer ")
    mine = {"Cookie": f"{COOKIE}={token}", "Sec-Fetch-Site": "same-origin"}
    with away(region, postgres_server), capture_logs() as lines:
        left = opened.client.post("/signout", headers=mine, follow_redirects=False)
        assert (left.status_code, left.headers["location"]) == (303, "/")
        assert f'{COOKIE}="";' in left.headers["set-cookie"]
    assert "session_not_ended" in [one["event"] for one in lines]


def test_figures(opened: Doors, region: TestStore) -> None:
    usual(region)
    region.submit(accept("usual"), expect=None)  # something that is no more than a duplicate or a refusal
    region.project()
    opened.get("/me", S1)
    opened.client.get("/api/v1/me")
    found = figures(opened)
    with region.connect() as conn:
        counted = outcomes.counts(conn)
        head = conn.execute("SELECT max(notification_id) FROM shenguan.stored_events").fetchone()
        waiting = dict(
            conn.execute("SELECT channel, count(*) FROM shenguan.delivery WHERE sent_at IS NULL GROUP BY 1").fetchall()
        )
    told = {key[1]: value for key, value in found.items() if key[0] == "shenguan_submissions_total"}
    assert told
    assert told == {name: count for name, count in counted.items() if count and name != "in"}
    assert found["shenguan_log_position",] == head[0]
    for name in READ_MODELS:
        assert found["shenguan_follower_position", name, "projector"] == head[0]
        assert found["shenguan_follower_lag_seconds", name, "projector"] == 0.0
    assert {key[1]: value for key, value in found.items() if key[0] == "shenguan_deliveries_waiting"} == waiting
    assert found["shenguan_parked",] == counted["parked"]
    assert found["shenguan_dead_letters_total",] == counted["dead"] + counted["conflict"]
    assert found["shenguan_http_requests_total", "GET", "/api/v1/me", "200"] == 1.0
    assert found["shenguan_http_requests_total", "GET", "/api/v1/me", "401"] == 1.0
    assert found["shenguan_http_request_seconds_count", "GET", "/api/v1/me"] == 2.0
    assert found["shenguan_live_subscribers",] == 0.0


def test_what_is_parked_and_dead(opened: Doors, region: TestStore) -> None:
    region.submit(decide("late"), expect="parked")
    found = figures(opened)
    assert (found["shenguan_parked",], found["shenguan_submissions_total", "parked"]) == (1.0, 1.0)
    region.submit(accept("late"))
    found = figures(opened)
    assert (found["shenguan_parked",], found["shenguan_submissions_total", "parked"]) == (0.0, 1.0)


def test_names_of_metrics_are_bounded(opened: Doors) -> None:
    for path in ("/nowhere", "/api/v1/nothing", "/巴特尔", "/static/none.js"):
        opened.client.get(path)
    opened.client.request("BREW", "/healthz")
    routes = {key[2] for key in figures(opened) if key[0] == "shenguan_http_requests_total"}
    assert routes <= {"unknown", "/static", "/healthz", "/metrics"}
    methods = {key[1] for key in figures(opened) if key[0] == "shenguan_http_requests_total"}
    assert methods == {"GET", "other"}


def test_a_submission_is_followed_from_the_request_to_the_log(opened: Doors, outer: TrackedStore) -> None:
    now = datetime.now(UTC)

    def record(id_: str, correlation: str | None) -> Record:
        payload = accept(id_)
        more = {"correlationid": correlation} if correlation else {}
        attributes = {**cloud_event(type(payload), APPROVAL, id_, now), **more}
        return Record(id_, *encode(attributes, payload.model_dump_json(exclude_none=True).encode()))

    with capture_logs() as lines, running(IntakeRole(outer)):
        sent = [record("1", "gate-0001"), record("2", None), record("3", "not fit"), record("1", "gate-0002")]
        hand_in(outer.kafka_options, outer.names, APPROVAL, sent)
        until(lambda: figures(opened).get(("shenguan_submissions_total", "duplicate")))
        told = until(lambda: [one for one in lines if one["event"] == "submission_decided"][1:] and list(lines))
    decided = {
        one["correlation_id"]: (one["source"], one["id"], one["type"], one["disposition"], one["rule"])
        for one in told
        if one["event"] == "submission_decided"
    }
    assert decided == {
        "gate-0001": (APPROVAL, "1", "case.accept", "accepted", None),
        "gate-0002": (APPROVAL, "1", "case.accept", "duplicate", None),
    }
