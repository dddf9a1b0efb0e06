"""A client of live streams: what it was told, read in a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2


class Told(NamedTuple):
    id: int
    event: str
    data: dict[str, Any]


class Listener:
    """`told`: every event so far; `beats`: how many heartbeats; `ended`: the server has ended the stream well."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.beats = 0
        self.ended = False
        self.status = 0

    @property
    def events(self) -> list[str]:
        return [one.event for one in self.told]

    def of(self, event: str) -> list[Told]:
        return [one for one in self.told if one.event == event]


@contextmanager
def listening(url: str, headers: dict[str, str], seconds: float = 60) -> Iterator[Listener]:
    """While the block lasts."""
    listener = Listener()
    opened = threading.Event()
    client = httpx2.Client(timeout=seconds)

    def listen() -> None:
        try:
            with client.stream("GET", url, headers=headers) as response:
                listener.status = response.status_code
                opened.set()
                _read(listener, response.iter_lines())
                listener.ended = True
        except (httpx2.HTTPError, RuntimeError, OSError):
            pass  # closed by the block's end
        finally:
            opened.set()

    thread = threading.Thread(target=listen)
    thread.start()
    opened.wait(seconds)
    try:
        yield listener
    finally:
        client.close()
        thread.join(1)


def _read(listener: Listener, lines: Iterator[str]) -> None:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            listener.beats += 1
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            listener.told.append(Told(int(fields["id"]), fields["event"], json.loads(fields["data"])))
            fields = {}
