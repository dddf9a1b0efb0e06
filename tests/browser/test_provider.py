"""Signing in at an OpenID Connect provider and out again, as somebody at a desk does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from adapters.postgres.migrate import migrate
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import READER, RUNTIME, EmbeddedPostgres
from infra.web.identity import COOKIE
from tests.integration.http_role import served
from tests.integration.region import S1, S2
from tests.integration.stages import ordinary
from tests.integration.teststore import MASTER, TestStore
from tests.servers.oidc import ProviderProcess, mock_provider

SUB = "u-7"


@pytest.fixture
def provider(browser: Browser) -> Iterator[ProviderProcess]:
    """Asked for after the browser, so that nothing is started where there is none."""
    with mock_provider(SUB, departments=[S1, S2], officer="K7", name="其其格") as one:
        yield one


@pytest.fixture
def address(
    provider: ProviderProcess, postgres_server: EmbeddedPostgres, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> Iterator[str]:
    """The role `api` alone, over a store in which something has happened."""
    urls = postgres_server.create_database("at_provider")
    migrate(urls.migrator, RUNTIME, READER)
    store = TestStore(urls, MASTER)
    ordinary(store)
    settings = {"oidc_issuer": provider.issuer, "oidc_client_id": "pages", "oidc_client_secret": "any"}
    try:
        with served(store, embedded_broker.bootstrap_servers, tmp_path, **settings) as (made, _):
            yield f"http://127.0.0.1:{made.settings.http_port}"
    finally:
        store.close()
        postgres_server.drop_database(urls.name)


def test_in_at_the_provider_and_out(browser: Browser, provider: ProviderProcess, address: str) -> None:
    context = browser.new_context(base_url=address, locale="zh-CN")
    context.route(re.compile(r"^(?!http://127\.0\.0\.1:)"), lambda route: route.abort())  # what its pages ask for
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and message.location["url"].startswith(address):
            wrong.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: wrong.append(str(error)))

    page.goto("/inbox?about=decision")
    expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/")))
    page.get_by_role("button", name=SUB).click()
    expect(page).to_have_url(f"{address}/inbox?about=decision")
    expect(page.locator(".who")).to_contain_text("其其格（K7）")
    page.get_by_label("以何部门的身份").select_option(S2)
    page.get_by_role("button", name="切换").click()
    expect(page.get_by_label("以何部门的身份")).to_have_value(S2)

    [copied] = [one["value"] for one in context.cookies() if one["name"] == COOKIE]
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/oauth2/end_session")))
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("button", name=SUB)).to_be_visible()  # back at our first page, which asks to sign in
    assert COOKIE not in {one["name"] for one in context.cookies()}
    thief = browser.new_context(base_url=address)
    thief.add_cookies([{"name": COOKIE, "value": copied, "url": address}])
    assert thief.request.get("/api/v1/me").status == 401
    thief.close()
    context.close()
    assert not wrong, wrong
