"""What surrounds every request: only our own pages act by a cookie, every answer is safe, and can be found again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from infra.settings import Settings
from infra.store import Store
from infra.web.app import create_app
from infra.web.envelope import LARGEST_BODY
from infra.web.identity import COOKIE, Identity, Known
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import TrackedStore
from tests.integration.region import S1
from tests.integration.teststore import TestStore

HOST = "http://testserver"


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    with doors(outer) as made:
        yield made


def cookie(opened: Doors) -> dict[str, str]:
    identity: Identity = opened.app.state.identity
    return {"Cookie": f"{COOKIE}={identity.begin(Known('https://id u', 'W01', '巴特尔', (S1,)), 600)}"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": HOST}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": HOST}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HOST}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example", "Authorization": "Basic YTpi"}, 403),
        ({}, 403),
    ],
)
def test_by_a_cookie_only_our_own_pages_act(opened: Doors, headers: dict[str, str], code: int) -> None:
    found = opened.client.post("/signout", headers={**cookie(opened), **headers}, follow_redirects=False)
    assert found.status_code == code
    if code == 403:
        assert found.json()["rule"] == "http.origin"


def test_programs_need_no_origin(opened: Doors) -> None:
    assert opened.client.post("/signout", headers=opened.headers(S1), follow_redirects=False).status_code == 303
    assert opened.client.post("/signout", follow_redirects=False).status_code == 303
    evil = {"Origin": "http://evil.example"}
    assert opened.client.post("/signout", headers=evil, follow_redirects=False).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/me", "/nowhere", "/static/nothing.js", "/signin", "/metrics"])
def test_every_answer_is_safe(opened: Doors, path: str) -> None:
    found = opened.client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in found["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert found["x-request-id"]
    assert "server" not in found


def test_ids_are_taken_over_or_made(opened: Doors) -> None:
    get = opened.client.get
    assert get("/api/v1/me", headers={"X-Request-ID": "gate-7.abc:1"}).headers["x-request-id"] == "gate-7.abc:1"
    assert get("/api/v1/me", headers={"X-Request-ID": "gate-7.abc:1"}).json()["correlation_id"] == "gate-7.abc:1"
    for wrong in ("short", "x" * 65, "a b c d e f", "身份证".encode(), 'x"},{"y":"z'):
        assert get("/healthz", headers={"X-Request-ID": wrong}).headers["x-request-id"] != wrong
    assert get("/healthz").headers["x-request-id"] != get("/healthz").headers["x-request-id"]


def test_the_log_tells_what_was_asked_and_not_of_whom(opened: Doors) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        query = {"case": "case/spj/巴特尔", "reason": "秘密"}
        opened.client.get("/api/v1/notices", params=query, headers=opened.headers(S1, **{"X-Request-ID": "gate-0001"}))
        opened.client.get(f"/api/v1/departments/{S1}/notices/1", headers=opened.headers(S1))
        opened.client.get("/身份证/150102199001011234")
        opened.client.get("/healthz")
    told = [one for one in lines if one["event"] == "request"]
    assert [(one["method"], one["route"], one["status"], one["department"]) for one in told] == [
        ("GET", "/api/v1/notices", 200, S1),
        ("GET", "/api/v1/departments/{department}/notices/{serial}", 404, S1),
        ("GET", "unknown", 404, None),
    ]
    assert told[0]["correlation_id"] == "gate-0001"
    assert {"method", "route", "status", "ms", "department", "correlation_id", "event", "log_level"} == set(told[0])
    written = json.dumps(lines, ensure_ascii=False)
    assert not [word for word in ("巴特尔", "秘密", "W01", "199001011234", "testclient") if word in written]


def test_what_breaks_is_a_problem_without_its_message(region: TestStore, outer: Store) -> None:
    app = create_app(outer)
    personal = f"150102{19900101}1234"

    @app.get("/breaks")
    def breaks() -> None:
        raise RuntimeError(personal)

    with TestClient(app, raise_server_exceptions=False) as client, capture_logs() as lines:
        found = client.get("/breaks")
        assert found.status_code == 500
        assert found.headers["content-type"] == "application/problem+json"
        assert found.json()["correlation_id"] == found.headers["x-request-id"]
        assert "content-security-policy" in found.headers
        assert (
            'shenguan_http_requests_total{method="GET",route="/breaks",status="500"} 1.0' in client.get("/metrics").text
        )
    [failed] = [one for one in lines if one["event"] == "request_failed"]
    assert failed["error"] == "RuntimeError"
    assert "199001011234" not in json.dumps(lines) + found.text


@pytest.fixture
def demo(region: TestStore, outer: TrackedStore, tmp_path: Path) -> Iterator[TestClient]:
    """The same store, as if its servers were embedded."""
    key = {"master_key_file": outer.settings.master_key_file}
    settings = Settings(store=outer.settings.store, data_dir=tmp_path, **key)
    assert settings.sign_in == "demo"
    store = TrackedStore(settings, outer.servers)
    with TestClient(create_app(store), base_url="http://127.0.0.1:8300", follow_redirects=False) as client:
        yield client
    store.close()


def test_the_demonstration_signs_in_who_is_in_the_register(demo: TestClient) -> None:
    for strange in ("nowhere", "", "S1", "s1 ", "s1'--", "*"):
        assert demo.post("/signin", data={"department": strange}).status_code in (403, 422)
        assert demo.post("/signin/token", data={"department": strange}).status_code in (403, 422)
    assert demo.get("/api/v1/me").status_code == 401
    assert demo.post("/signin", data={"department": S1}).status_code == 303
    assert demo.get("/api/v1/me").json()["department"] == S1
    assert demo.post("/signout", headers={"Origin": "http://127.0.0.1:8300"}).headers["location"] == "/"
    assert demo.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"X-Forwarded-For": "10.0.0.9"}, {"Forwarded": "for=10.0.0.9"}, {"Via": "1.1 proxy"}],
)
def test_the_demonstration_is_for_this_machine_alone(demo: TestClient, headers: dict[str, Any]) -> None:
    assert demo.post("/signin/token", data={"department": S1}, headers=headers).status_code == 421
    assert demo.get("/healthz", headers={"Host": "localhost:8300"}).status_code == 200
    assert demo.get("/healthz", headers={"Host": "[::1]:8300"}).status_code == 200


def test_a_session_of_the_demonstration_is_none_elsewhere(demo: TestClient, opened: Doors) -> None:
    token = demo.post("/signin/token", data={"department": S1}).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert demo.get("/api/v1/me", headers=bearer).status_code == 200
    assert opened.client.get("/api/v1/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("counted", [True, False])
def test_nobody_sends_more_than_may_be_sent(opened: Doors, counted: bool) -> None:
    """Before it is asked who he is."""
    body = b'{"type": "' + b"x" * LARGEST_BODY + b'"}'
    found = opened.client.post("/api/v1/submissions", content=body if counted else iter([body[:9], body[9:]]))
    assert ("content-length" in found.request.headers) == counted
    assert (found.status_code, found.headers["content-type"]) == (413, "application/problem+json")
    assert opened.client.post("/api/v1/submissions", content=b"{}").status_code in (401, 403, 422)
