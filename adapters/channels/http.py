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
from concurrent.futures import Future
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

ANSWER_MAX = 64 * 1024
"""More of an answer is not read."""
WAIT_MAX = 24 * 3600.0


class NotReached(Exception):
    """There was no answer: a word for why, such as `timeout`, `certificate`, `connection`. `asked`: the request, or a
    part of it, went out, so that it may have been taken all the same."""

    def __init__(self, why: str, *, asked: bool) -> None:
        super().__init__(why)
        self.asked = asked


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
        """`seconds`: for a whole exchange, from the look-up of the name to the answer's end."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._seconds = seconds
        self._trust = trust if secure else None
        self._connection: HTTPConnection = (HTTPSConnection if secure else HTTPConnection)(
            parts.hostname or "", parts.port, timeout=seconds
        )
        self._sock: socket.socket | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises NotReached."""
        return self._ask("POST", body, headers)

    def get(self, headers: Mapping[str, str]) -> Answer:
        """Raises NotReached."""
        return self._ask("GET", None, headers)

    def _ask(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        over = threading.Event()
        ends = time.monotonic() + self._seconds
        watch = threading.Timer(self._seconds, self._cut, (over,))
        watch.daemon = True
        watch.start()
        asked = False
        try:
            if self._connection.sock is None:
                self._connection.sock = self._connect(ends)
            asked = True
            self._connection.request(method, self._target, body=body, headers=headers, preload_content=False)
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
            raise NotReached("timeout" if timed_out else _word(error), asked=asked) from None
        finally:
            watch.cancel()

    def _connect(self, ends: float) -> socket.socket:
        """Ready for a request; nothing is sent once the time is over. Raises OSError."""
        host, port = self._connection.host, self._connection.port
        found = _addresses(host, port, ends)
        problem = OSError(f"no address: {host}")
        for at, (family, kind, protocol, _, address) in enumerate(found):
            sock = self._sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(_left(ends) / (len(found) - at))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._trust is not None:
                    sock = self._sock = self._trust.wrap_socket(
                        sock, server_hostname=host, do_handshake_on_connect=False
                    )
                    sock.settimeout(_left(ends))  # and if the time ends later, `_cut` finds it
                    sock.do_handshake()
                _left(ends)
            except OSError as error:
                sock.close()
                if isinstance(error, ssl.SSLError):
                    raise
                problem = error
            else:
                return sock
        raise problem

    def _cut(self, over: threading.Event) -> None:
        over.set()
        if self._sock is not None:
            with contextlib.suppress(OSError):  # it has just ended by itself
                # Whoever reads from it, through TLS or not, wakes up.
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


def _left(ends: float) -> float:
    """Raises TimeoutError where nothing is."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _addresses(host: str, port: int, ends: float) -> list[Any]:
    """As the system's resolver says, which knows no deadline: it is asked in a thread. Raises OSError."""
    found: Future[list[Any]] = Future()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            found.set_exception(error)

    threading.Thread(target=look_up, daemon=True).start()
    return found.result(_left(ends))


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
