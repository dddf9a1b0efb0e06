"""Intake topics read again from their start: only the counter of duplicates moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.postgres.log import Log
from domain.system import EpochOpened
from infra import feeding, founding
from infra.generator.year import generate
from infra.rewinding import rewind
from infra.roles.supervisor import Crew
from projections import outcomes
from tests.integration.outlet_kit import TrackedStore, store_for, until
from tests.integration.teststore import MASTER, TestStore


@pytest.fixture
def outer(store: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    """An empty store with a broker."""
    made = store_for(store, MASTER, bootstrap, tmp_path)
    yield made
    made.close()


def facts(store: TrackedStore) -> Counter[str]:
    with store.connect() as conn:
        return Counter(dict(conn.execute("SELECT topic, count(*) FROM shenguan.stored_events GROUP BY 1").fetchall()))


def counts(store: TrackedStore) -> dict[str, int]:
    with store.connect() as conn:
        return outcomes.counts(conn)


def test_rewound_while_it_runs_and_while_it_does_not(outer: TrackedStore, tmp_path: Path) -> None:
    out = tmp_path / "year"
    generate(30, 4, out, rare=False)  # no clock role carries anything out here
    founding.found(outer, founding.read(out / "founding.json"))
    with Crew(outer, ["intake"]):
        total = feeding.feed_year(outer, out, lambda _: None, 60)
        before, known = counts(outer), facts(outer)
        topics = rewind(outer, "演练")  # the intake is idle: it has to notice by itself
        until(lambda: feeding.taken_in(outer) >= 2 * total, 60)
    assert rewind(outer, "再演练") == topics > 20
    with Crew(outer, ["intake"]):
        until(lambda: feeding.taken_in(outer) >= 3 * total, 60)
    assert counts(outer) == {
        **before, "in": before["in"] + 2 * total, "duplicate": before["duplicate"] + 2 * total
    }  # fmt: skip
    assert facts(outer) - known == Counter({EpochOpened.TOPIC: 2 * topics})
    assert feeding.mismatches(outer, out) == []
    with outer.connect() as conn:
        last = [one.event for one in Log(conn).stream(f"intake/{outer.names.intake('reform')}")]
    assert [(one.epoch, one.reason) for one in last if isinstance(one, EpochOpened)] == [
        (1, "first"), (2, "演练"), (3, "再演练")
    ]  # fmt: skip
