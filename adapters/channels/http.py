"""One request to a server that nobody here controls: verified, bounded in time and size, never redirected.

Built on urllib3's connection and not on its pool: the deadline for the whole exchange needs the socket, for a server
that sends a byte now and then keeps within every time-out for a single read.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

ANSWER_MAX = 64 * 1024
"""More of an answer is not read."""
WAIT_MAX = 24 * 3600.0


class NotReached(Exception):
    """There was no answer: a word for why, such as `timeout`, `certificate`, `connection`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by lower-case name. `retry_after`: seconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    retry_after: float | None


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Verifies server certificates against these authorities; None: those of the system. Raises OSError."""
    return ssl.create_default_context(cafile=ca_file)


class Line:
    """A connection to one server, kept between requests. For one thread."""

    def __init__(self, url: str, trust: ssl.SSLContext, seconds: float) -> None:
        """`seconds`: for a whole exchange."""
        parts = urlsplit(url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._seconds = seconds
        host = parts.hostname or ""
        self._connection: HTTPConnection = (
            HTTPSConnection(host, parts.port, timeout=seconds, ssl_context=trust)
            if parts.scheme == "https"
            else HTTPConnection(host, parts.port, timeout=seconds)
        )

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises NotReached."""
        over = threading.Event()
        ends = time.monotonic() + self._seconds
        watch = threading.Timer(self._seconds, self._cut, (over,))
        watch.daemon = True
        watch.start()
        try:
            self._connection.request("POST", self._target, body=body, headers=headers, preload_content=False)
            response = self._connection.getresponse()
            read = response.read(ANSWER_MAX + 1, decode_content=False)
            if len(read) > ANSWER_MAX or response.headers.get("connection", "").lower() == "close":
                self._connection.close()
            if over.is_set():  # headers that were cut off look like short ones
                raise TimeoutError
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, read[:ANSWER_MAX], _wait(found.get("retry-after")))
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self._connection.close()
            timed_out = over.is_set() or time.monotonic() >= ends
            raise NotReached("timeout" if timed_out else _word(error)) from None
        finally:
            watch.cancel()

    def _cut(self, over: threading.Event) -> None:
        over.set()
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):  # it has just ended by itself
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # whoever reads from it, through TLS or not, wakes up


def _word(error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return "certificate"
        if isinstance(seen, ssl.SSLError):
            return "tls"
        if isinstance(seen, TimeoutError):
            return "timeout"
        args = [one for one in seen.args if isinstance(one, BaseException)]
        seen = seen.__cause__ or seen.__context__ or (args[0] if args else None)
    return "connection"


def _wait(value: str | None) -> float | None:
    """Seconds; a date is counted from now."""
    if value is None:
        return None
    try:
        seconds = float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), WAIT_MAX)
