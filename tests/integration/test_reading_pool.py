"""Reading in another process: the same arrivals, and nothing lost or twice when that process is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters.kafka.records import RawRecord
from adapters.postgres.writer import Written
from domain.arrivals import Arrival
from domain.personal import unseal
from infra import feeding, founding
from infra.generator.feed import record
from infra.generator.year import generate
from infra.roles import intake
from infra.roles.decoding import FEW, Decoder
from infra.roles.intake import IntakeRole
from infra.roles.reading_pool import ReadingPool
from infra.topics import apply_topics
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, running, store_for, until
from tests.integration.teststore import MASTER, TestStore


@pytest.fixture
def empty(store: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    made = store_for(store, MASTER, bootstrap, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("year")
    generate(120, 5, out)
    return out


def records(store: TrackedStore, year: Path) -> list[RawRecord]:
    found = []
    for offset, line in enumerate((year / "submissions.jsonl").read_text().splitlines()):
        principal, key, headers, value = record(json.loads(line))
        found.append(RawRecord(store.names.intake(principal), 0, offset, key, value, tuple(headers), 0))
    return found


def plain(arrival: Arrival, store: TrackedStore) -> tuple[Any, ...]:
    """All that is not random."""
    submission = arrival.submission
    payload = submission and (type(submission.payload), unseal(submission.payload, store.open))
    raw = arrival.raw and arrival.raw()
    return (
        *(arrival.place, arrival.topic, arrival.principal, arrival.auth, arrival.content, arrival.source, arrival.id),
        *(arrival.type, arrival.retry_of, arrival.errors, payload, raw),
        submission and (submission.source, submission.id, submission.occurred_at, submission.classified),
    )


def test_what_another_process_reads_is_what_is_read_here(empty: TrackedStore, year: Path) -> None:
    found = records(empty, year)
    ids = {r.topic: f"id-of-{r.topic}" for r in found}
    pool = ReadingPool(empty, 1)
    decoder = Decoder(empty.names, empty.sealer(), "acl", pool)
    try:
        there = decoder.start(found, ids)
        here = decoder.decode(found, ids)
        assert len(found) > FEW
        assert [plain(a, empty) for a in there()] == [plain(a, empty) for a in here]
        assert any(a.errors for a in here)
        assert any(a.submission and a.submission.classified for a in here)
    finally:
        decoder.close()


def test_a_killed_process_is_told_of_and_replaced(empty: TrackedStore, year: Path) -> None:
    found = records(empty, year)
    ids = {r.topic: f"id-of-{r.topic}" for r in found}
    decoder = Decoder(empty.names, empty.sealer(), "none", ReadingPool(empty, 1))
    try:
        decoder.start(found, ids)()
        (process,) = reading_processes()
        asked = [decoder.start(found, ids) for _ in range(5)]
        os.kill(process, signal.SIGKILL)
        with pytest.raises(BrokenExecutor):
            asked[-1]()
        decoder.forget()
        assert len(decoder.start(found, ids)()) == len(found)
    finally:
        decoder.close()


def reading_processes() -> list[int]:
    return [p.pid for p in multiprocessing.active_children() if p.pid is not None]


def test_intake_survives_the_death_of_its_reader(
    empty: TrackedStore, year: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BACK_OFF", (2.0,))  # time enough to take, and lose, what nobody asked for
    founding.found(empty, founding.read(year / "founding.json"))
    total = 0
    with running(IntakeRole(empty)):
        heard: set[str] = set()
        while speaking := feeding.known_principals(empty) - heard:  # those whom the registers have named come after
            apply_topics(empty)
            total += feeding.send(empty, year, ["registers.jsonl"], speaking.__contains__)
            until(lambda total=total: feeding.taken_in(empty) >= total, 60)
            heard |= speaking
    total += feeding.send(empty, year, ["submissions.jsonl"])
    kills: list[int] = []

    def kill(_: Written) -> None:
        if len(kills) < 2 and (found := reading_processes()):
            os.kill(found[0], signal.SIGKILL)
            kills.append(found[0])

    empty.settings = empty.settings.model_copy(update={"batch_max_records": FEW})
    with running(IntakeRole(empty, kill)):
        until(lambda: feeding.taken_in(empty) >= total, 60)
    assert len(kills) == 2
    assert feeding.mismatches(empty, year) == []
    assert verify(empty).problems == []
