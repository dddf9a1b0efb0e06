"""Who answers for what in a case, and its tasks, over HTTP: as the terminal has them, to the parties."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.store import Store
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, FORMER, HIGHER, S1, S2, granted, receive
from tests.integration.test_queries import ask_json
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore

CASE = f"/cases/{APPROVAL}"


@pytest.fixture
def region(every: TestStore) -> TestStore:
    return every


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    region.project()
    with doors(outer) as made:
        yield made


@pytest.mark.clause("1.1d")
def test_who_answers_for_what(opened: Doors, region: TestStore) -> None:
    found = opened.get(f"{CASE}/9/liability", APPROVAL)["items"]
    told = ask_json(region, "liability", "9")["items"]
    assert [{**one, "since": one["since"][:10]} for one in told] == found
    assert [(one["side"], one["department"], one["status"]) for one in found] == [
        ("approval", APPROVAL, "granted"), ("supervision", S1, "taken"), ("supervision", S2, "outstanding"),
    ]  # fmt: skip
    assert opened.get(f"{CASE}/9/liability", S1)["items"] == found
    opened.get(f"{CASE}/9/liability", HIGHER, 404)
    opened.get(f"{CASE}/9/liability", "operator", 403)
    assert opened.get(f"{CASE}/9/liability", "jw", as_known_at="2020-01-01")["items"] == []


@pytest.mark.clause("1.1d")
def test_who_answered_as_it_was_known(opened: Doors, region: TestStore) -> None:
    fact = granted(region, "60")
    then = moment_after(region)
    region.submit(receive(S1, fact, region.now))
    region.project()

    def standing(**when: str) -> set[tuple[str, str | None, str]]:
        rows = opened.get(f"{CASE}/60/liability", S2, **when)["items"]
        return {(one["department"], one["officer"], one["status"]) for one in rows if one["side"] == "supervision"}

    assert standing(as_known_at=then) == {(S1, None, "outstanding"), (S2, None, "outstanding")}
    assert standing() == {(S1, "42", "received"), (S2, None, "outstanding")}


@pytest.mark.clause("2.3c")
def test_tasks_of_a_case(opened: Doors, region: TestStore) -> None:
    found = opened.get(f"{CASE}/10/tasks", APPROVAL)["items"]
    told = ask_json(region, "tasks", "10")["tasks"]
    assert [{key: one[key] for key in told[0]} for one in found] == told
    assert [(one["task"], one["work"], one["status"]) for one in found] == [
        ("1", "survey", "pending"), ("2", "survey", "dropped"),
    ]  # fmt: skip
    assert (set(found[0]["parties"]), found[0]["owing"]) == ({APPROVAL, FORMER}, [APPROVAL])
    opened.get(f"{CASE}/10/tasks", HIGHER, 404)
    with region.connect() as conn:
        row = conn.execute("SELECT recorded_at FROM shenguan.stored_events WHERE topic = 'task.completed'").fetchone()
    assert row is not None
    before = (row[0] - timedelta(microseconds=1)).isoformat()
    then = opened.get(f"{CASE}/10/tasks", "jw", as_known_at=before)["items"]
    assert [set(one["owing"]) for one in then] == [{APPROVAL, FORMER}] * 2
