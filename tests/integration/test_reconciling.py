"""Counts per source and day (2.6b): what was declared as sent against what came."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.counts import DeclareCount
from tests.integration.region import APPROVAL, DAY, S1, accept
from tests.integration.test_queries import ask, ask_json
from tests.integration.teststore import TestStore

SOURCE = f"{APPROVAL}.windows"


def declare(store: TestStore, count: int, source: str = SOURCE, expect: str = "accepted", by: str = APPROVAL) -> None:
    store.submit(DeclareCount(department=by, counted_source=source, day=DAY, count=count), expect=expect)


@pytest.mark.door("command")
@pytest.mark.clause("2.6b")
def test_what_is_missing_shows_until_it_has_come(region: TestStore) -> None:
    for number in ("1", "2"):
        region.submit(accept(number), source=SOURCE)
    region.submit(accept("1"), source=SOURCE, id_="again", expect="refused")
    declare(region, 0, source=SOURCE)  # is not counted itself
    region.submit(accept("0"), source=SOURCE, occurred_at=region.now - timedelta(days=1), expect=None)
    declare(region, 4)
    found = ask_json(region, "reconcile", "--day", "2026-03-02")["items"]
    assert [(one["source"], one["declared"], one["came"], one["missing"]) for one in found] == [(SOURCE, 4, 3, 1)]
    assert "差数" in ask(region, "reconcile", "--differing")
    region.submit(accept("3"), source=SOURCE)
    assert ask_json(region, "reconcile", "--source", SOURCE, "--differing")["items"] == []
    declare(region, 9)  # counted again
    assert ask_json(region, "reconcile")["items"][0]["missing"] == 5


@pytest.mark.clause("2.6b", refused=True)
def test_nobody_declares_for_another(region: TestStore) -> None:
    declare(region, 4, by=S1, expect="refused")
    declare(region, 4, source=f"{S1}x", by=S1, expect="refused")
    assert ask_json(region, "reconcile")["items"] == []
    late = DeclareCount(department=APPROVAL, counted_source=SOURCE, day=DAY + timedelta(days=1), count=1)
    region.submit(late, expect="dead")
