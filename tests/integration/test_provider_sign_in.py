"""Signing in with a browser at a real provider, and out again; what only looks like it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from infra.store import Store
from infra.web.identity import COOKIE
from tests.integration.http_role import browser, served
from tests.integration.region import S1, S2
from tests.integration.teststore import TestStore
from tests.servers.oidc import ProviderProcess, mock_provider, own_provider

Served = tuple[Store, httpx2.Client]


@pytest.fixture(scope="module")
def shared() -> Iterator[ProviderProcess]:
    with own_provider() as one:
        yield one


@pytest.fixture
def doors(shared: ProviderProcess, region: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[Served]:
    shared.post("/tell", {"sub": "u-1", "claims": {"departments": [S1], "officer": "W01", "name": "巴特尔"}})
    settings = {"oidc_issuer": shared.issuer, "oidc_client_id": "shenguan", "oidc_client_secret": "s3cret"}
    with served(region, bootstrap, tmp_path, **settings) as made:
        yield made


def at_provider(url: str, form: dict[str, str] | None = None) -> str:
    """Where the provider sends the browser back to."""
    found = httpx2.post(url, data=form, trust_env=False) if form else httpx2.get(url, trust_env=False)
    assert found.status_code in (302, 303), found.text
    return found.headers["location"]


def begin(client: httpx2.Client, path: str = "/signin") -> str:
    found = client.get(path)
    assert found.status_code == 303, found.text
    return found.headers["location"]


def test_with_the_provider_from_pypi(region: TestStore, bootstrap: str, tmp_path: Path) -> None:
    user = mock_provider("u-7", departments=[S1, S2], officer="K7", name="其其格")
    settings = {"oidc_issuer": user.issuer, "oidc_client_id": "pages", "oidc_client_secret": "any :/secret"}
    with user, served(region, bootstrap, tmp_path, **settings) as (_, client):
        assert client.get("/api/v1/me").status_code == 401
        back = at_provider(begin(client, "/signin?next=/inbox%3Flamp%3Dred"), {"sub": "u-7"})
        found = client.get(back)
        assert (found.status_code, found.headers["location"]) == (303, "/inbox?lamp=red")
        me = client.get("/api/v1/me").json()
        assert (me["subject"], me["officer"], me["name"], me["departments"]) == (
            f"{user.issuer} u-7",
            "K7",
            "其其格",
            [S1, S2],
        )
        out = client.post("/signout", headers={"Origin": str(client.base_url).rstrip("/")})
        assert out.status_code == 303
        assert out.headers["location"].startswith(f"{user.issuer}/")  # where it ends its own session
        assert client.get("/api/v1/me").status_code == 401
        assert client.get(back).status_code == 403  # an answer is good once


def test_whoever_has_no_claims_is_not_signed_in(region: TestStore, bootstrap: str, tmp_path: Path) -> None:
    user = mock_provider("u-8", officer="K7")
    settings = {"oidc_issuer": user.issuer, "oidc_client_id": "pages", "oidc_client_secret": "any"}
    with user, served(region, bootstrap, tmp_path, **settings) as (_, client):
        found = client.get(at_provider(begin(client), {"sub": "u-8"}))
        assert found.status_code == 403
        assert "登录未成功" in found.text
        assert COOKIE not in client.cookies


def test_with_pkce_a_secret_and_keys_of_another_kind(doors: Served) -> None:
    _, client = doors
    asked = parse_qs(urlsplit(begin(client)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce"} < asked.keys()
    found = client.get(at_provider(begin(client)))
    assert (found.status_code, found.headers["location"]) == (303, "/")
    cookie = next(one for one in found.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert client.get("/api/v1/me").json()["department"] == S1


def test_two_tabs_do_not_disturb_each_other(doors: Served) -> None:
    _, client = doors
    first, second = begin(client), begin(client)
    assert client.get(at_provider(second)).status_code == 303
    assert client.get(at_provider(first)).status_code == 303


def test_the_answer_to_another_browser_is_refused(doors: Served) -> None:
    """Else somebody could sign a victim in as himself, and read what the victim then writes."""
    store, mine = doors
    with browser(store) as another:
        assert another.get(at_provider(begin(mine))).status_code == 403
        begin(another)
        assert another.get(at_provider(begin(mine))).status_code == 403
        assert COOKIE not in another.cookies


def test_a_code_of_another_sign_in_is_refused(doors: Served) -> None:
    """A stolen code, put into an answer to one's own question: neither verifier nor nonce is its own."""
    store, thief = doors
    with browser(store) as victim:
        stolen = parse_qs(urlsplit(at_provider(begin(victim))).query)["code"][0]
    state = parse_qs(urlsplit(begin(thief)).query)["state"][0]
    found = thief.get("/signin/callback", params={"state": state, "code": stolen})
    assert found.status_code == 403
    assert COOKIE not in thief.cookies


def test_a_token_made_for_another_question_is_refused(doors: Served, shared: ProviderProcess) -> None:
    _, client = doors
    shared.post("/tell", {"claims": {"departments": [S1], "officer": "W01", "nonce": "of another"}})
    assert client.get(at_provider(begin(client))).status_code == 403
    shared.post("/tell", {"claims": {"departments": [S1], "officer": "W01", "aud": ["shenguan", "b"], "azp": "b"}})
    assert client.get(at_provider(begin(client))).status_code == 403


@pytest.mark.parametrize("more", [{"iss": "https://id.example", "code": "c"}, {"error": "access_denied"}])
def test_another_issuers_answer_and_a_refusal(doors: Served, more: dict[str, str]) -> None:
    _, client = doors
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    assert client.get("/signin/callback", params={"state": state, **more}).status_code == 403
    assert client.get("/signin/callback", params={"state": "a;b=c" * 8, **more}).status_code == 422


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "inbox"])
def test_one_goes_on_within_our_pages_only(doors: Served, path: str) -> None:
    _, client = doors
    found = client.get("/signin", params={"next": path})
    assert client.get(at_provider(found.headers["location"])).headers["location"] == "/"


def test_a_cookie_that_somebody_planted_is_replaced(doors: Served) -> None:
    _, client = doors
    client.cookies.set(COOKIE, "planted", domain="127.0.0.1", path="/")
    assert client.get("/api/v1/me").status_code == 401
    assert client.get(at_provider(begin(client))).status_code == 303
    assert "planted" not in [one.value for one in client.cookies.jar if one.name == COOKIE]


def test_the_cookie_of_a_sign_in_under_way_is_no_session(doors: Served) -> None:
    _, client = doors
    begin(client)
    [begun] = [one.value for one in client.cookies.jar if one.name != COOKIE]
    assert client.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={begun}"}).status_code == 401


def test_the_provider_away(region: TestStore, bootstrap: str, tmp_path: Path) -> None:
    gone = own_provider()
    with served(region, bootstrap, tmp_path, oidc_issuer=gone.issuer, oidc_client_id="shenguan") as (_, client):
        assert client.get("/signin").status_code == 503
        assert client.post("/signout").headers["location"] == "/"
        assert client.get("/healthz").status_code == 200


def test_without_a_provider_nobody_signs_in(region: TestStore, bootstrap: str, tmp_path: Path) -> None:
    with served(region, bootstrap, tmp_path) as (_, client):
        assert client.get("/signin").status_code == 503
        assert client.post("/signin", data={"department": S1}).status_code == 405
        assert client.post("/signin/token", data={"department": S1}).status_code in (404, 405)


def test_over_tls_cookies_are_secure(
    shared: ProviderProcess, region: TestStore, bootstrap: str, tmp_path: Path
) -> None:
    settings = {"oidc_issuer": shared.issuer, "oidc_client_id": "shenguan", "public_url": "https://sg.example"}
    with served(region, bootstrap, tmp_path, **settings) as (_, client):
        found = client.get("/signin")
        asked = parse_qs(urlsplit(found.headers["location"]).query)
        assert asked["redirect_uri"] == ["https://sg.example/signin/callback"]
        assert "Secure" in found.headers["set-cookie"]
