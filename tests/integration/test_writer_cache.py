"""The writer's caches: what is dropped, and what others wrote, is read again; nothing else is."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace

import pytest

from adapters.postgres import writer as writing
from adapters.postgres.log import Log
from domain.event import Event
from infra.verify import verify
from tests.integration.region import APPROVAL, S1, accept, decide, receive
from tests.integration.teststore import TestStore


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The streams that were read from the log, by query."""
    found: list[set[str]] = []
    really = Log.streams

    def streams(self: Log, wanted: Iterable[str]) -> dict[str, list[Event]]:
        names = set(wanted)
        found.append(names)
        return really(self, names)

    monkeypatch.setattr(Log, "streams", streams)
    return found


def test_what_others_write_is_read_again_and_nothing_else(region: TestStore, read: list[set[str]]) -> None:
    ours = region.writer
    region.submit(accept("1"), accept("2"))
    other = writing.Writer(region.connect, region.sealer.seal_all)
    other.write([region.arrival(decide("1"), id_="d1")])
    read.clear()
    ours.write([region.arrival(decide("2"), id_="d2"), region.arrival(receive(S1, "test/d1", region.now))])
    other.close()
    streams = set[str]().union(*read)
    assert f"notice/{S1}/test/d1" in streams
    assert f"case/{APPROVAL}/2" not in streams
    region.project()
    assert verify(SimpleNamespace(migrator_url=region.urls.migrator)).problems == []


def test_a_cache_that_is_always_full_changes_nothing(
    region: TestStore, read: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "STATES_KEPT", 4)
    numbers = [str(number) for number in range(12)]
    for number in numbers:
        region.submit(accept(number))
    read.clear()
    for number in numbers:
        region.writer.write([region.arrival(decide(number), id_=f"d{number}")])
    assert f"case/{APPROVAL}/0" in set[str]().union(*read)
    again = [names for names in read if any(name.startswith("ledger/") for name in names)]
    assert len(again) <= 2  # each ledger once
    for number in numbers:
        region.submit(receive(S1, f"test/d{number}", region.now))
    region.project()
    assert verify(SimpleNamespace(migrator_url=region.urls.migrator)).problems == []
