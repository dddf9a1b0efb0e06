"""Licences over HTTP: where they stand, who answers for them, then and now, for each of their parties alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from domain.matters import RouteMatter, Supervisor
from domain.notices import ReturnNotice
from domain.penalties import ImposePenalty
from domain.permits import CancelCase
from infra.store import Store
from tests.integration.doors import Doors, doors
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    HIGHER,
    MATTER,
    OFFICE,
    OWN_MATTER,
    S1,
    S2,
    S3,
    accept,
    case,
    decide,
    granted,
    receive,
)
from tests.integration.test_http_cases import inspector
from tests.integration.test_licences import PENALTY, inspect
from tests.integration.test_queries import ask_json
from tests.integration.teststore import TestStore

LATER = "2999-01-01"
ON = {"as_true_at": "2026-03-05"}


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    """1 in force, received by S1 and never inspected by it; 2 suspended; 3 revoked; 4 cancelled; 5 of a matter that was
    not transferred; 6 stock; 7 of which a supervisor disputes its duty and the other has ceased."""
    inspector(region)
    fact = granted(region, "1")
    for number in ("2", "3", "4"):
        granted(region, number)
    until = DAY + timedelta(days=9)
    region.submit(
        receive(S1, fact, region.now),
        case(ImposePenalty, "2", by=S1, penalty="1", measure="permit_suspension", until=until, **PENALTY),
        case(ImposePenalty, "3", by=S1, penalty="2", measure="permit_revocation", **PENALTY),
        case(CancelCase, "4", on=DAY, document_number="注1", reason="申请"),
        accept("5", organ=FORMER, matter=OWN_MATTER),
        decide("5", organ=FORMER),
        accept("6"),
        decide("6", basis="legacy"),
    )
    for supervisor in (S1, S2):
        granted(region, f"7-{supervisor}")
    disputed = granted(region, "8")
    region.submit(ReturnNotice(department=S2, notice=f"{S2}/{disputed}", proposed=S3, reason="不归我"))
    region.project()
    with doors(outer) as made:
        yield made


def find(found: Any, *keys: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(one[key] for key in keys) for one in found["items"])


def test_the_doors_say_what_the_terminal_says(opened: Doors, region: TestStore) -> None:
    keys = ("organ", "number", "matter", "standing", "supervisors", "bases", "valid_to", "never_inspected_by")
    for on, more, chosen in (
        ("2026-03-05", (), {}),
        ("2026-03-12", ("--status", "in_force"), {"status": "in_force"}),
        ("2030-01-01", (), {}),
        ("2026-03-05", ("--department", S2), {"department": S2}),
        ("2026-03-05", ("--department", FORMER), {"department": FORMER}),
        ("2026-03-05", ("--unsupervised",), {"unsupervised": True}),
        ("2026-03-05", ("--never-inspected",), {"never_inspected": True}),
        ("2026-03-05", ("--matter", OWN_MATTER), {"matter": OWN_MATTER}),
    ):
        told = ask_json(region, "licences", "--as-true-at", on, *more)
        expected = find(told, *keys)
        for then in ({}, {"as_known_at": LATER}):
            found = opened.get("/licences", "jw", as_true_at=on, **chosen, **then)
            assert find(found, *keys) == expected, (more, then)
    assert opened.get("/licences", "jw", as_true_at="2026-03-01")["items"] == []


def test_a_partys_answer_is_as_whole_as_the_organs(opened: Doors) -> None:
    """Who else supervises is on the record that all parties see, though the others' notices are not theirs."""
    every = {one["number"]: one for one in opened.get("/licences", "jw", **ON)["items"]}
    seen = {caller: opened.get("/licences", caller, **ON)["items"] for caller in (APPROVAL, FORMER, S1, S2, S3, HIGHER)}
    assert [one["number"] for one in seen[S3]] == ["8"]
    assert [one["number"] for one in seen[FORMER]] == ["5"]
    assert "6" not in [one["number"] for one in seen[S1]]
    assert len(seen[APPROVAL]) == len(every) - 1
    assert seen[HIGHER] == []
    for rows in seen.values():
        assert all(one == every[one["number"]] for one in rows)
    assert every["1"]["never_inspected_by"] == [S1]
    for caller in (APPROVAL, S2):
        found = opened.get("/licences", caller, never_inspected=True, **ON)["items"]
        assert [one["number"] for one in found] == ["1"]
        assert [one["number"] for one in opened.get("/licences", caller, department=S3, **ON)["items"]] == ["8"]


def test_what_was_inspected_is_known_from_then_on(opened: Doors, region: TestStore) -> None:
    inspect(region, "jc1")
    region.project()
    asked = {"never_inspected": True, "as_true_at": "2026-03-12"}
    assert opened.get("/licences", APPROVAL, **asked)["items"] == []
    [inspection] = opened.get("/inspections", APPROVAL)["items"]
    assert opened.get("/licences", APPROVAL, as_known_at=inspection["recorded_at"], **asked)["items"] == []
    steps = opened.get(f"/cases/{APPROVAL}/1/steps", APPROVAL)["items"]
    before = next(one for one in steps if one["kind"] == "notice.received")["recorded_at"]
    then = opened.get("/licences", APPROVAL, as_known_at=before, **asked)["items"]
    assert [(one["number"], one["never_inspected_by"]) for one in then] == [("1", [S1])]
    assert opened.get("/licences", APPROVAL, as_known_at=before, as_true_at="2026-03-12")["scanned"] >= len(then)


def test_of_which_nobody_answers(opened: Doors, region: TestStore) -> None:
    for caller in ("jw", APPROVAL, S2):  # of 8 S2 sees only its own notice, that has moved on
        assert opened.get("/licences", caller, unsupervised=True, **ON)["items"] == []
    region.submit(
        RouteMatter(
            department=OFFICE, matter=MATTER, valid_from=date(2026, 1, 1), basis="二",
            supervisors=(Supervisor(department=S1),),
        )
    )  # fmt: skip
    fact = granted(region, "10")
    region.submit(ReturnNotice(department=S1, notice=f"{S1}/{fact}", proposed=S2, reason="不归我"), id_="r1")
    region.submit(ReturnNotice(department=S2, notice=f"{S2}/test/r1", proposed=S3, reason="不归我"), id_="r2")
    region.project()
    for caller in ("jw", APPROVAL, S1, S2, OFFICE):
        for then in ({}, {"as_known_at": LATER}):
            found = opened.get("/licences", caller, unsupervised=True, **ON, **then)["items"]
            assert [one["number"] for one in found] == ["10"], caller
    assert opened.get("/licences", S3, unsupervised=True, **ON)["items"] == []
    assert opened.get("/licences", "jw", unsupervised=True, as_true_at="2030-01-01")["items"] == []


def test_what_cannot_be_asked(opened: Doors) -> None:
    opened.get("/licences", "jw", 422, status="valid")
    opened.get("/licences", "jw", 422, as_true_at="tomorrow")
    opened.get("/licences", "operator", 403)
    opened.get("/licences", "jw", limit=2, as_known_at="2020-01-01")
