"""Feedback, inspections and refused attempts over HTTP: whose they are, then and now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from domain.supervision import DisposeFeedback, RaiseFeedback
from infra.store import Store
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, DAY, FORMER, HIGHER, S1, S2, S3, granted
from tests.integration.test_http_cases import inspector
from tests.integration.teststore import TestStore

LATER = "2999-01-01"


@pytest.fixture
def region(full: TestStore) -> TestStore:
    return full


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    inspector(region)
    region.project()
    with doors(outer) as made:
        yield made


def shown(found: Any) -> list[tuple[str, str]]:
    return [(one["number"], one["status"]) for one in found["items"]]


def test_both_sides_and_all_parties_see_a_thread(opened: Doors) -> None:
    for caller in ("jw", APPROVAL, S1):
        assert shown(opened.get("/feedback", caller)) == [("f2", "closed"), ("f1", "disposed")]
    assert shown(opened.get("/feedback", S3)) == [("f1", "disposed")]  # a party to case 9 only
    assert shown(opened.get("/feedback", HIGHER)) == []
    opened.get("/feedback", "operator", 403)


def test_a_thread_in_full(opened: Doors) -> None:
    [thread] = opened.get("/feedback", APPROVAL, status="closed", reveal=True)["items"]
    assert [(one["kind"], one["department"], one["outcome"], one["text"]) for one in thread["exchange"]] == [
        ("feedback.raised", S1, None, "面积不符"),
        ("feedback.disposed", APPROVAL, "not", "不属实"),
        ("feedback.replied", S1, None, "附测绘报告"),
        ("feedback.disposed", APPROVAL, "adopted", "已变更"),
        ("feedback.closed", S1, None, None),
    ]
    assert (thread["case"], thread["outcome"], thread["replies"], thread["lamp"]) == ("1", "adopted", 1, None)
    assert all(one["recorded_at"].endswith("+08:00") for one in thread["exchange"])
    masked = opened.get("/feedback", APPROVAL, status="closed")["items"][0]
    assert masked["exchange"][0]["text"] == "面*"


def test_until_when_an_answer_is_due(opened: Doors, region: TestStore) -> None:
    granted(region, "30")
    region.submit(
        RaiseFeedback(
            department=S1, number="f3", case_organ=APPROVAL, case_number="30", found_on=DAY, suggestion="rectify",
            detail="现场不符",
        )
    )  # fmt: skip
    region.project()
    [thread] = opened.get("/feedback", APPROVAL, status="open")["items"]
    assert thread["number"] == "f3"
    assert thread["lamp"] in ("green", "unknown")  # unknown: the calendar of the year of this test is not published
    assert thread["overdue"] is (False if thread["due_on"] else None)
    region.submit(DisposeFeedback(department=APPROVAL, supervisor=S1, number="f3", outcome="adopted", reason="属实"))
    region.project()
    assert opened.get("/feedback", APPROVAL, status="open")["items"] == []
    assert opened.get("/feedback", APPROVAL, status="disposed", organ=APPROVAL)["items"][0]["number"] == "f3"
    then = opened.get("/feedback", APPROVAL, status="open", as_known_at=thread["recorded_at"])
    assert [one["number"] for one in then["items"]] == ["f3"]
    assert then["scanned"] == 3
    assert [len(one["exchange"]) for one in then["items"]] == [1]


@pytest.mark.parametrize("path", ["/feedback", "/inspections", "/attempts", "/licences", "/cases"])
@pytest.mark.parametrize("caller", ["jw", APPROVAL, FORMER, S1, S2, S3, HIGHER])
def test_what_is_known_now_is_the_same_by_the_log(opened: Doors, path: str, caller: str) -> None:
    now = opened.get(path, caller, limit=500)
    then = opened.get(path, caller, limit=500, as_known_at=LATER)
    assert now["items"] == then["items"]
    assert now["complete"]
    assert then["complete"]
    one = opened.get(path, caller, limit=1, as_known_at=LATER)
    assert one["items"] == now["items"][:1]
    assert (one["next"] is not None) == (len(now["items"]) > 1)


@pytest.mark.parametrize("path", ["/feedback", "/inspections", "/attempts"])
def test_filters(opened: Doors, path: str) -> None:
    every = opened.get(path, "jw")["items"]
    keys = {
        "/feedback": ("department", "organ", "matter", "suggestion", "status"),
        "/inspections": ("department", "matter", "result"),
        "/attempts": ("department", "rule", "clause"),
    }[path]
    for key in keys:
        for value in {one[key] for one in every}:
            expected = [one for one in every if one[key] == value]
            for more in ({}, {"as_known_at": LATER}):
                assert opened.get(path, "jw", **{key: value}, **more)["items"] == expected
        code = 422 if key in ("suggestion", "status", "result", "clause") else 200
        assert opened.get(path, "jw", code, **{key: "nothing"}).get("items", []) == []
    assert opened.get(path, "jw", since="2999-01-01")["items"] == []
    assert opened.get(path, "jw", since="2020-01-01")["items"] == every


def test_inspections_of_a_case_are_seen_by_its_parties(opened: Doors, region: TestStore) -> None:
    [row] = opened.get("/inspections", S1)["items"]
    assert (row["number"], row["case"], row["corrections"], row["result"]) == ("jc1", "1", 1, "failed")
    assert row["retracted_at"] is not None
    for caller in (APPROVAL, S2, "jw"):
        assert opened.get("/inspections", caller, case=row["case_stream"])["items"] == [row]
    assert opened.get("/inspections", S3)["items"] == []
    then = opened.get("/inspections", APPROVAL, as_known_at=row["recorded_at"])["items"]
    assert [(one["corrections"], one["retracted_at"]) for one in then] == [(0, None)]
    day = date.fromisoformat(row["recorded_at"][:10]) - timedelta(days=1)
    assert opened.get("/inspections", APPROVAL, as_known_at=day.isoformat())["items"] == []


def test_attempts_are_seen_by_who_tried_and_by_inspectors(opened: Doors) -> None:
    every = opened.get("/attempts", "jw")["items"]
    assert {one["type"] for one in every} >= {"seal.apply", "seal.demand"}
    assert [one["position"] for one in every] == sorted((one["position"] for one in every), reverse=True)
    for caller in (APPROVAL, FORMER, S1, HIGHER):
        assert opened.get("/attempts", caller)["items"] == [one for one in every if one["department"] == caller]
    assert opened.get("/attempts", S1, department=FORMER)["items"] == []
    then = opened.get("/attempts", "jw", as_known_at=every[-1]["recorded_at"])["items"]
    assert then == every[-1:]
