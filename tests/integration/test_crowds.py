"""More wait for one thing than a batch releases: each batch reads only what it can release, and all get their turn."""

from __future__ import annotations

import pytest

from adapters.postgres import desk as reading
from adapters.postgres import writer as writing
from adapters.postgres.log import Log
from domain import arrivals as business
from domain.arrivals import Arrival
from domain.cases import case_stream
from domain.permits import CaseChanged, ChangeCase
from tests.integration.region import APPROVAL, DAY, S1, accept, case, decide, receive
from tests.integration.test_crash_points import in_row, sound
from tests.integration.teststore import TestStore

LIMIT = 3


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was read of the parked ones since the list was last emptied."""
    for module in (business, writing):
        monkeypatch.setattr(module, "RELEASES_PER_BATCH", LIMIT)
    found: list[object] = []
    really = reading._arrival

    def noted(row: object) -> Arrival:
        found.append(row)
        return really(row)

    monkeypatch.setattr(reading, "_arrival", noted)
    return found


def change(store: TestStore, case_number: str, number: int) -> Arrival:
    said = case(ChangeCase, case_number, document_number=f"变{number:02d}", on=DAY, content="变")
    return store.arrival(said, id_=f"c{case_number}-{number:02d}")


def changes(store: TestStore, number: str) -> list[str]:
    with store.connect() as conn:
        stream = [one.event for one in Log(conn).stream(case_stream(APPROVAL, number))]
    return [one.document_number for one in stream if isinstance(one, CaseChanged)]


@pytest.mark.parametrize("late", [0, 5])
def test_a_crowd_is_read_in_portions_and_released_in_order(region: TestStore, read: list[object], late: int) -> None:
    """Who comes while the crowd goes by, `late`, comes after it."""
    crowd = [change(region, "1", n) for n in range(20)]
    other = [change(region, "2", n) for n in range(20)]
    coming = [change(region, "1", n) for n in range(20, 20 + late)]
    opening = [region.arrival(payload) for payload in (accept("1"), decide("1"), accept("2"), decide("2"))]
    rows = in_row([*crowd, *other, *opening, *coming])
    region.writer.write(rows[:40])
    assert read == []

    more = region.writer.write(rows[40:44]).more
    assert more
    turns, coming = 1, rows[44:]
    while more:
        # Those released, one that cuts, and as many of the ready ones: of both crowds together.
        assert len(read) <= 2 * (LIMIT + 1) + LIMIT
        read.clear()
        more = region.writer.write(coming[:1]).more
        coming = coming[1:]
        turns += 1
    region.writer.write(coming)
    assert turns >= 40 / LIMIT
    assert changes(region, "1") == [f"变{n:02d}" for n in range(20 + late)]
    assert changes(region, "2") == [f"变{n:02d}" for n in range(20)]
    with region.connect() as conn:
        assert conn.execute("SELECT count(*) FROM shenguan.parked").fetchone() == (0,)
    sound(region)


def test_a_long_chain_of_those_who_wait_is_followed_link_by_link(region: TestStore) -> None:
    """Each waits for a notice that the next one would owe, if it owed any."""
    links = 1500
    chain = [region.arrival(receive(S1, f"test/k{n + 1}", region.now), id_=f"k{n}") for n in range(links)]
    region.writer.write(in_row(chain))
    last = [region.arrival(accept("1")), region.arrival(decide("1"), id_=f"k{links}")]
    written = region.writer.write(in_row([*chain, *last])[links:])
    dispositions = [result.outcome.disposition for result in written.results]
    assert dispositions == ["accepted", "accepted", "accepted"]
    assert written.results[-1].released
    sound(region)
