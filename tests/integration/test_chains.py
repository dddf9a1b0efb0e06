"""Chains of parked submissions longer than one batch releases, and dead letters that are retried more than once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.kafka.names import TopicNames
from adapters.kafka.records import RawRecord
from adapters.postgres import writer as writing
from adapters.postgres.log import Log
from adapters.postgres.writer import Writer
from domain import arrivals as business
from domain.arrivals import Arrival, Place
from domain.cases import CaseChanged, case_stream
from domain.deadletters import RetryDeadLetter
from domain.notices import TakeNotice
from domain.permits import ChangeCase
from domain.rules import FieldError
from infra.roles.decoding import Decoder
from tests.integration.region import APPROVAL, DAY, S1, accept, case, decide, receive
from tests.integration.test_crash_points import at, in_row, sound
from tests.integration.teststore import TestStore


@pytest.fixture
def short_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (business, writing):
        monkeypatch.setattr(module, "RELEASES_PER_BATCH", 3)


@pytest.mark.usefixtures("short_chains")
@pytest.mark.parametrize("together", [True, False])
def test_a_chain_longer_than_a_batch_is_released_to_its_end(region: TestStore, together: bool) -> None:
    """Each once and in order; who comes meanwhile takes its turn behind them, and nothing is left."""

    def change(number: int) -> Arrival:
        said = case(ChangeCase, "1", document_number=f"变{number:02d}", on=DAY, content=f"第{number}次")
        return region.arrival(said, id_=f"c{number:02d}")

    early = [change(number) for number in range(11)]
    takes = [region.arrival(TakeNotice(department=S1, notice=f"{S1}/test/d"), id_="t")]
    decided = [region.arrival(accept("1"), id_="a"), region.arrival(decide("1"), id_="d")]
    late = [change(number) for number in range(11, 16)]
    rows = in_row([*early, *takes, *decided, *late])
    writer = region.writer
    batches = [rows] if together else [rows[:5], rows[5:14], rows[14:16], rows[16:]]
    for batch in batches:
        more = writer.write(batch).more
    turns = 0
    while more:
        turns += 1
        more = writer.write([]).more
    assert turns >= 2

    end = writer.write([at(90, region.arrival(receive(S1, "test/d", region.now), id_="r"))])
    assert [r.outcome.disposition for r in end.results] == ["accepted", "accepted"]  # with the taking it releases
    with region.connect() as conn:
        changes = [
            one.event.document_number for one in Log(conn).stream(case_stream(APPROVAL, "1"))
            if isinstance(one.event, CaseChanged)
        ]  # fmt: skip
        left = conn.execute("SELECT count(*) FROM shenguan.parked").fetchone()
    assert changes == [f"变{number:02d}" for number in range(16)]
    assert left == (0,)
    sound(region)


@pytest.mark.usefixtures("short_chains")
def test_who_comes_while_a_chain_is_cut_overtakes_nobody(region: TestStore) -> None:
    """Batch after batch arrives while more are ready than one batch releases."""
    rows = [region.arrival(case(ChangeCase, "1", document_number=f"变{n:02d}", on=DAY, content="变"), id_=f"c{n:02d}")
            for n in range(24)]  # fmt: skip
    decided = [region.arrival(accept("1"), id_="a"), region.arrival(decide("1"), id_="d")]
    placed = in_row([*rows[:12], *decided, *rows[12:]])
    region.writer.write(placed[:14])
    for start in range(14, len(placed), 2):
        more = region.writer.write(placed[start : start + 2]).more
    while more:
        more = region.writer.write([]).more
    with region.connect() as conn:
        stream = [one.event for one in Log(conn).stream(case_stream(APPROVAL, "1"))]
    assert [one.document_number for one in stream if isinstance(one, CaseChanged)] == [f"变{n:02d}" for n in range(24)]
    sound(region)


def letters(store: TestStore) -> tuple[Arrival, dict[Place, Arrival]]:
    """A dead letter whose content has been mended since (by registering what it lacked, say), ready to be retried."""
    mended = store.arrival(accept("5"), id_="letter")
    broken = replace(mended, submission=None, errors=(FieldError("organ", "x", "坏", "空"),))
    store.writer.write([broken])
    return mended, {mended.place: mended}


def retry(store: TestStore, place: Place) -> Arrival:
    return store.arrival(RetryDeadLetter(department="operator", place=str(place)), principal="operator")


def disposition(store: TestStore, place: Place) -> str:
    with store.connect() as conn:
        row = conn.execute(
            'SELECT disposition FROM shenguan.submission WHERE (topic_id, partition, "offset") = (%s, %s, %s)', place
        ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("together", [True, False])
def test_a_letter_retried_twice_is_decided_once(region: TestStore, together: bool) -> None:
    """In one batch, or by two workers who both read it while it was dead."""
    letter, found = letters(region)
    one, other = retry(region, letter.place), retry(region, letter.place)
    if together:
        results = region.writer.write([one, other], letters=found).results
    else:
        results = region.writer.write([one], letters=found).results
        results += Writer(region.connect, region.sealer.seal_all).write([other], letters=found).results
    assert disposition(region, letter.place) == "accepted"
    assert [r.outcome.disposition for r in results if r.arrival.place == letter.place] == ["accepted"]
    assert [r.outcome.disposition for r in results if r.arrival.place == other.place] == ["dead"]
    sound(region)


def test_a_letter_that_stays_unreadable_leaves_the_claim_of_its_mended_twin(region: TestStore) -> None:
    """The twin, sent under the same id, holds it; a copy of the twin in the same batch is a duplicate still."""
    letter, _ = letters(region)
    broken = replace(letter, submission=None, errors=(FieldError("organ", "x", "坏", "空"),))
    twin = region.arrival(accept("5"), id_="letter")
    region.writer.write([twin])
    copy = replace(twin, place=Place(twin.place.topic_id, 0, 9_000))
    written = region.writer.write([retry(region, letter.place), copy], letters={letter.place: broken})
    assert [r.outcome.disposition for r in written.results] == ["accepted", "dead", "duplicate"]
    sound(region)


@pytest.mark.parametrize("later", [True, False])
def test_what_parks_together_is_released_in_the_order_of_its_coming(region: TestStore, later: bool) -> None:
    """Whatever topics it came by, and whether what it waits for comes in its batch or in a later one."""
    records = [RawRecord(topic, 0, 0, None, b"", (), 0) for topic in ("z", "a", "m")]
    read = Decoder(TopicNames("150000"), region.sealer, "none").decode(
        records, {one.topic: one.topic for one in records}
    )
    early = [
        replace(
            region.arrival(case(ChangeCase, "1", document_number=one.topic, on=DAY, content="变更")),
            place=one.place,
            topic=one.topic,
            arrived_at=one.arrived_at,
        )
        for one in read
    ]
    decided = [region.arrival(accept("1")), region.arrival(decide("1"))]
    for batch in [early, decided] if later else [early + decided]:
        region.writer.write(batch)
    with region.connect() as conn:
        stream = [one.event for one in Log(conn).stream(case_stream(APPROVAL, "1"))]
    assert [one.document_number for one in stream if isinstance(one, CaseChanged)] == ["z", "a", "m"]
