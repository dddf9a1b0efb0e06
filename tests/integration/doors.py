"""The HTTP doors of a store, and callers with sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from infra.store import Store
from infra.web.app import create_app
from infra.web.identity import Identity, Known

ISSUER = "https://id.example"


class Doors:
    """The application and a client for it."""

    def __init__(self, app: FastAPI, client: TestClient) -> None:
        self.app = app
        self.client = client

    def headers(self, department: str, officer: str = "W01", name: str = "巴特尔", **more: str) -> dict[str, str]:
        """Those of somebody of that department who has signed in."""
        identity: Identity = self.app.state.identity
        known = Known(f"{ISSUER} {department}.{officer}", officer, name, (department,))
        return {"Authorization": f"Bearer {identity.begin(known, 600)}", **more}

    def get(self, path: str, caller: str, code: int = 200, **params: Any) -> Any:
        """The JSON of an answer; checks its status."""
        found = self.client.get(f"/api/v1{path}", params=params, headers=self.headers(caller))
        assert found.status_code == code, found.text
        return found.json()


@contextmanager
def doors(store: Store) -> Iterator[Doors]:
    app = create_app(store)
    with TestClient(app, raise_server_exceptions=True) as client:
        yield Doors(app, client)
