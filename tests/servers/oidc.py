"""OpenID Connect providers for the tests, each a process of its own at a free port."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import Any

import httpx2

START_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ProviderProcess:
    """Ends with the block, or when it is stopped; may be started again at the same address."""

    def __init__(self, *command: str) -> None:
        """`{port}` in the command becomes the port."""
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, *(part.format(port=self.port) for part in command)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_S
        while True:
            try:
                httpx2.get(f"{self.issuer}/.well-known/openid-configuration", trust_env=False)
                return
            except httpx2.HTTPError:
                assert time.monotonic() < until
                assert self._process.poll() is None
                time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> ProviderProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def post(self, path: str, body: Any = None) -> Any:
        found = httpx2.post(self.issuer + path, json=body, trust_env=False)
        assert found.status_code == 200, found.text
        return found.json()

    def asked(self) -> int:
        return int(httpx2.get(f"{self.issuer}/asked", trust_env=False).text)

    def sign(self, by: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of these claims; None leaves one out."""
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "sub": "u-1",
            "aud": "shenguan",
            "iat": now,
            "exp": now + 300,
            "departments": ["s1"],
            "officer": "W01",
            "name": "巴特尔",
        }
        whole = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return str(self.post("/sign", {"claims": whole, "header": header or {}, "by": by}))


def own_provider() -> ProviderProcess:
    """Signs whatever it is told to."""
    return ProviderProcess("-m", "tests.servers.provider", "{port}")


def mock_provider(sub: str, **claims: Any) -> ProviderProcess:
    """From PyPI: `oidc-provider-mock`."""
    # The port is put in by format: the braces of the claims must come through.
    said = json.dumps({"sub": sub, **claims}).replace("{", "{{").replace("}", "}}")
    return ProviderProcess("-m", "oidc_provider_mock", "--port", "{port}", "--require-nonce", "--user-claims", said)
