"""Bearer tokens of a real provider: which are believed, and that none is while nobody can tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapters.http import provider as provider_module
from tests.integration.http_role import bearer, served
from tests.integration.region import S1, S2
from tests.integration.teststore import TestStore
from tests.servers.oidc import ProviderProcess, own_provider

PAUSE_S = 0.3


@pytest.fixture(scope="module")
def shared() -> Iterator[ProviderProcess]:
    with own_provider() as one:
        yield one


@pytest.fixture
def client(shared: ProviderProcess, region: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[httpx2.Client]:
    with served(region, bootstrap, tmp_path, oidc_issuer=shared.issuer, oidc_client_id="shenguan") as (_, client):
        yield client


def status(client: httpx2.Client, token: str) -> int:
    return client.get("/api/v1/me", headers=bearer(token)).status_code


@pytest.mark.parametrize("by", ["RS256", "ES256", "EdDSA"])
def test_what_the_provider_signed_is_believed(shared: ProviderProcess, client: httpx2.Client, by: str) -> None:
    token = shared.sign(by, departments=[S1, S2], aud=["other", "shenguan"])
    me = client.get("/api/v1/me", headers=bearer(token)).json()
    assert (me["subject"], me["officer"], me["name"]) == (f"{shared.issuer} u-1", "W01", "巴特尔")
    assert (me["department"], me["departments"], me["roles"]) == (S1, [S1, S2], ["SUPERVISION"])
    other = client.get("/api/v1/me", headers={**bearer(token), "Shenguan-Department": S2})
    assert other.json()["department"] == S2
    assert client.get("/api/v1/me", headers={**bearer(token), "Shenguan-Department": "spj"}).status_code == 403


@pytest.mark.parametrize(
    ("by", "header", "claims"),
    [
        pytest.param("RS256", {}, {"exp": -40}, id="expired"),
        pytest.param("RS256", {}, {"exp": None}, id="never expires"),
        pytest.param("RS256", {}, {"exp": "tomorrow"}, id="expires in words"),
        pytest.param("RS256", {}, {"nbf": 90}, id="not yet"),
        pytest.param("RS256", {}, {"aud": "another"}, id="another audience"),
        pytest.param("RS256", {}, {"aud": None}, id="no audience"),
        pytest.param("RS256", {}, {"iss": "https://id.example"}, id="another issuer"),
        pytest.param("RS256", {}, {"sub": None}, id="no subject"),
        pytest.param("RS256", {}, {"sub": "u 1"}, id="subject with a space"),
        pytest.param("RS256", {}, {"sub": "cn:11010519491231002X"}, id="an identity number as subject"),
        pytest.param("RS256", {}, {"departments": None}, id="no department"),
        pytest.param("RS256", {}, {"departments": []}, id="empty departments"),
        pytest.param("RS256", {}, {"departments": {"s1": True}}, id="departments of another shape"),
        pytest.param("RS256", {}, {"departments": ["s1", 7]}, id="a number among departments"),
        pytest.param("RS256", {}, {"officer": None}, id="no officer"),
        pytest.param("RS256", {}, {"officer": "巴特尔"}, id="officer by name"),
        pytest.param("RS256", {"kid": "unheard-of"}, {}, id="unknown kid"),
        pytest.param("none", {}, {}, id="alg none"),
        pytest.param("public", {}, {}, id="HS256 with the public key"),
        pytest.param("other", {}, {}, id="another's key"),
    ],
)
def test_what_is_not_valid_is_refused(
    shared: ProviderProcess, client: httpx2.Client, by: str, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    now = int(time.time())
    timed = {name: now + v if name in ("exp", "nbf") and isinstance(v, int) else v for name, v in claims.items()}
    token = shared.sign(by, header, **timed)
    found = client.get("/api/v1/me", headers=bearer(token))
    assert found.status_code == 401
    assert found.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert found.headers["content-type"] == "application/problem+json"
    assert status(client, shared.sign()) == 200


def test_clocks_may_differ_a_little_and_names_are_no_must(shared: ProviderProcess, client: httpx2.Client) -> None:
    now = int(time.time())
    assert status(client, shared.sign(exp=now - 10, nbf=now + 10, iat=now + 10)) == 200
    system = client.get("/api/v1/me", headers=bearer(shared.sign(name=None, departments=S1))).json()
    assert (system["name"], system["department"]) == ("W01", S1)


def test_what_was_changed_is_refused(shared: ProviderProcess, client: httpx2.Client) -> None:
    head, said, signature = shared.sign().split(".")
    other_head, other_said, _ = shared.sign("ES256", departments=[S2]).split(".")
    assert status(client, f"{head}.{other_said}.{signature}") == 401
    assert status(client, f"{other_head}.{said}.{signature}") == 401
    assert status(client, f"{head}.{said}.") == 401


def test_nonsense_is_refused(client: httpx2.Client) -> None:
    for token in ("-", "a", "a.b.c", "." * 10, "x" * 20_000, "eyJhbGciOlsiUlMyNTYiXX0.e30.AA"):
        assert status(client, token) == 401


def test_a_department_that_the_register_does_not_know_may_nothing(
    shared: ProviderProcess, client: httpx2.Client
) -> None:
    assert status(client, shared.sign(departments=["nowhere"])) == 403


def test_the_audience_may_be_another_than_the_pages(
    shared: ProviderProcess, region: TestStore, bootstrap: str, tmp_path: Path
) -> None:
    settings = {"oidc_issuer": shared.issuer, "oidc_client_id": "shenguan", "oidc_audience": "shenguan-api"}
    with served(region, bootstrap, tmp_path, **settings) as (_, client):
        assert status(client, shared.sign(aud="shenguan-api")) == 200
        assert status(client, shared.sign(aud="shenguan")) == 401


def test_keys_rotate_and_strange_tokens_do_not_flood_the_provider(
    region: TestStore, bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "PAUSE_S", PAUSE_S)
    with own_provider() as own:
        with served(region, bootstrap, tmp_path, oidc_issuer=own.issuer, oidc_client_id="shenguan") as (_, client):
            old = own.sign()
            assert status(client, old) == 200
            own.post("/rotate")
            time.sleep(PAUSE_S)
            assert status(client, own.sign()) == 200
            assert status(client, old) == 401  # its key is withdrawn
            before, begun = own.asked(), time.monotonic()
            strange = own.sign(header={"kid": "unheard-of"})
            assert {status(client, strange) for _ in range(50)} == {401}
            assert own.asked() - before <= (time.monotonic() - begun) / PAUSE_S + 1


def test_while_the_provider_is_away_nobody_is_believed_wrongly(
    region: TestStore, bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "PAUSE_S", PAUSE_S)
    own = own_provider()
    with own, served(region, bootstrap, tmp_path, oidc_issuer=own.issuer, oidc_client_id="shenguan") as (_, client):
        good, strange = own.sign(), own.sign(header={"kid": "unheard-of"})
        bad = own.sign(aud="another")
        assert status(client, good) == 200
        own.stop()
        time.sleep(PAUSE_S)
        assert status(client, good) == 200  # its key is known
        assert status(client, bad) == 401
        away = client.get("/api/v1/me", headers=bearer(strange))
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        assert away.headers["content-type"] == "application/problem+json"
        monkeypatch.setattr(provider_module, "FRESH_S", 0.0)
        assert status(client, good) == 200
        monkeypatch.setattr(provider_module, "LAST_S", 0.0)
        assert status(client, good) == 503  # keys do not last for ever
        own.start()
        monkeypatch.setattr(provider_module, "FRESH_S", 300.0)
        time.sleep(PAUSE_S)
        assert status(client, own.sign()) == 200
        assert status(client, good) == 401  # it has come back with other keys


def test_who_poses_as_the_provider_is_not_believed(
    shared: ProviderProcess, region: TestStore, bootstrap: str, tmp_path: Path
) -> None:
    """Its metadata names another issuer than the one that was configured."""
    posing = shared.issuer.replace("127.0.0.1", "localhost")
    with served(region, bootstrap, tmp_path, oidc_issuer=posing, oidc_client_id="shenguan") as (_, client):
        assert status(client, shared.sign(iss=posing)) == 503
