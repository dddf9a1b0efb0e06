"""Who fetches answers slowly, or not at all, keeps nobody else from being answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from infra.store import Store
from infra.web.reading import READERS
from tests.integration.http_role import served
from tests.integration.region import S1
from tests.integration.teststore import TestStore
from tests.servers.oidc import ProviderProcess, own_provider

LOOK_S = 4


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderProcess]:
    with own_provider() as one:
        yield one


@pytest.fixture
def doors(
    provider: ProviderProcess, full: TestStore, bootstrap: str, tmp_path: Path
) -> Iterator[tuple[Store, httpx2.Client]]:
    with served(full, bootstrap, tmp_path, oidc_issuer=provider.issuer, oidc_client_id="shenguan") as made:
        yield made


class Deaf:
    """A client that asks and never reads: its buffers, and what the server keeps for it, are soon full."""

    def __init__(self, port: int, *requests: bytes) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # the server's buffer follows from it
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(b"".join(requests))

    def __enter__(self) -> Deaf:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def get(path: str, token: str, accept: str = "*/*") -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: {accept}\r\n\r\n"
    return head.encode()


@pytest.mark.parametrize(
    "path", ["/api/v1/notices", "/inbox", "/api/v1/notices?format=csv", "/api/v1/registers/departments"]
)
def test_nobody_waits_for_who_does_not_read(
    doors: tuple[Store, httpx2.Client], provider: ProviderProcess, path: str
) -> None:
    store, client = doors
    token = provider.sign(departments=[S1])
    port = store.settings.http_port
    # The first answer fills the buffers, so that the second, a read, cannot be sent.
    asked = [get("/api/v1/openapi.json", token), get(path, token, "text/html")]
    with ExitStack() as deaf:
        for _ in range(READERS + 1):
            deaf.enter_context(Deaf(port, *asked))
        until = time.monotonic() + LOOK_S
        while time.monotonic() < until:
            assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
