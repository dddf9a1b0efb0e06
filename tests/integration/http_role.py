"""The role `api` of a store as it runs in service: uvicorn at a port, asked over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from infra.roles.api import ApiRole
from infra.store import Store
from tests.integration.outlet_kit import running, store_on
from tests.integration.teststore import MASTER, TestStore
from tests.servers.oidc import free_port


@contextmanager
def served(test: TestStore, bootstrap: str, path: Path, **more: Any) -> Iterator[tuple[Store, httpx2.Client]]:
    """The store, and a client that follows no redirections and keeps cookies as a browser does."""
    store = store_on(test.urls, MASTER, bootstrap, path, http_port=free_port(), **more)
    try:
        with running(ApiRole(store)), browser(store) as client:
            until = time.monotonic() + 20
            while True:
                try:
                    client.get("/healthz")
                    break
                except httpx2.ConnectError:
                    assert time.monotonic() < until
                    time.sleep(0.02)
            yield store, client
    finally:
        store.close()


def browser(store: Store) -> httpx2.Client:
    base = f"http://127.0.0.1:{store.settings.http_port}"
    return httpx2.Client(base_url=base, trust_env=False, timeout=20)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
