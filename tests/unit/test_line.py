"""One request to a server that nobody controls: its time is bounded from the look-up of the name to the answer's end,
and nothing is sent once it is over."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from adapters.channels.http import Line, NotReached, trusting
from tests.servers.web import Server, silence, status

SECONDS = 0.3
SOON = 1.0


@contextmanager
def accepting(drips: bytes) -> Iterator[str]:
    """A server that answers to nothing with a byte now and then; its address."""
    ending = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(drips)
                while not ending.wait(0.05):
                    try:
                        peer.sendall(b"\0")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}/"
        ending.set()
        thread.join()


def post(url: str, seconds: float = SECONDS) -> tuple[NotReached, float]:
    began = time.monotonic()
    with Line(url, trusting(None), seconds) as line, pytest.raises(NotReached) as found:
        line.post(b"{}", {})
    return found.value, time.monotonic() - began


def test_a_handshake_that_never_ends() -> None:
    """Every single read is answered in time."""
    with accepting(b"\x16\x03\x03\x40\0") as url:  # a long record begins
        why, took = post(url)
    assert (str(why), why.asked) == ("timeout", False)
    assert took < SOON


def test_nothing_is_sent_after_a_look_up_that_took_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    there = socket.getaddrinfo

    def slow(*args: Any, **more: Any) -> Any:
        time.sleep(2 * SECONDS)
        return there(*args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with Server().running() as server:
        why, took = post(server.url)
        time.sleep(2 * SECONDS)
    assert (str(why), why.asked) == ("timeout", False)
    assert took < 2 * SECONDS
    assert server.requests == []


def test_whether_it_was_asked_is_known() -> None:
    with Server().running() as server:
        server.usual = silence
        why, _ = post(server.url)
        assert (str(why), why.asked, len(server.requests)) == ("timeout", True, 1)
    why, _ = post(server.url)  # nobody listens any more
    assert (str(why), why.asked) == ("connection", False)


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first leads nowhere."""
    with Server().running() as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        there = socket.getaddrinfo

        def two(*args: Any, **more: Any) -> Any:
            [(*kind, address)] = there(*args, **more)
            return [(*kind, nobody.getsockname()), (*kind, address)]

        monkeypatch.setattr(socket, "getaddrinfo", two)
        with Line(server.url, trusting(None), 2.0) as line:
            assert [line.post(b"{}", {}).status for _ in range(2)] == [200, 200]
            server.acts.append(status(503, connection="close"))
            assert [line.post(b"{}", {}).status for _ in range(2)] == [503, 200]
