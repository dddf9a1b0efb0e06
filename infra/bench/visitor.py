"""Somebody who asks the HTTP doors of a store, signed in as an officer of whichever department is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import urllib3

from infra.addresses import web_address
from infra.bench.ground import ScratchStore
from infra.bench.mix import Stalled
from infra.web.entrance import sessions_of
from infra.web.identity import COOKIE

START_S = 60.0
SESSION_S = 3600


class Visitor:
    """Over one connection that stays open."""

    def __init__(self, store: ScratchStore) -> None:
        self.address = web_address(store.settings)
        at = urlsplit(self.address)
        self.host, self.port = str(at.hostname), at.port
        self._http = urllib3.HTTPConnectionPool(self.host, self.port, maxsize=1)
        self._sessions = sessions_of(store.settings)

    def cookie(self, department: str) -> str:
        claims = {"sub": f"bench {department}", "officer": "B01", "name": "压测", "departments": [department]}
        return f"{COOKIE}={self._sessions.make(claims, SESSION_S)}"

    def get(self, path: str, department: str) -> float:
        """Seconds until the whole answer is there. Raises Stalled where it is another than 200."""
        headers = {"Cookie": self.cookie(department), "Accept": "text/html, application/json;q=0.9"}
        begun = time.perf_counter()
        found = self._http.request("GET", path, headers=headers, redirect=False)
        seconds = time.perf_counter() - begun
        if found.status != 200:
            raise Stalled(f"{path} as {department}: {found.status} {found.data[:300]!r}")
        return seconds

    def wait(self, check: Callable[[], None]) -> None:
        """Until the doors are open. Raises Stalled, or what `check` raises."""
        until = time.monotonic() + START_S
        while True:
            try:
                if self._http.request("GET", "/healthz", retries=False, timeout=1).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                if time.monotonic() > until:
                    check()
                    raise Stalled("the HTTP doors do not open") from None
            time.sleep(0.2)
