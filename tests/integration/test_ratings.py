"""Ratings asked at the terminal (3.3a–c): figures that are the log's, and every rating with how far it has come."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from adapters.postgres.log import Log
from domain.clock_state import ResumeClock, SuspendClock
from domain.ratings import (
    AppealRating,
    ContactRating,
    DecideAppeal,
    RatingRecorded,
    RectifyRating,
    RevisitRating,
)
from projections.clocks import running_after
from tests.integration.region import APPROVAL, DAY, HIGHER, MATTER, OFFICE, granted, platform, rate
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore


@pytest.fixture
def rated(region: TestStore) -> TestStore:
    """Ratings 5, 4, 2 and 1 of three cases and a counter."""
    platform(region)
    for number in ("1", "2", "3"):
        granted(region, number)
    rate(region, "1", 5)
    rate(region, "2", 4)
    rate(region, "3", 2, tags="窗口张三态度")
    rate(region, "Q17", 1, "counter", window="A1")
    region.project()
    return region


def figures(store: TestStore, *words: str) -> dict[str, Any]:
    store.project()
    [row] = ask_json(store, "ratings", *words)["items"]
    found: dict[str, Any] = row
    return found


@pytest.mark.door("command")
@pytest.mark.clause("3.3a")
def test_counts_by_level_and_the_rate_of_bad_ones(rated: TestStore) -> None:
    row = figures(rated)
    assert [row[f"level_{level}"] for level in (5, 4, 3, 2, 1)] == [1, 1, 0, 1, 1]
    assert (row["group"], row["total"], row["bad"], row["bad_rate"]) == (APPROVAL, 4, 2, "50.0%")
    by = {one["group"]: one["total"] for one in ask_json(rated, "ratings", "--by", "matter")["items"]}
    assert by == {MATTER: 3, "": 1}
    assert figures(rated, "--by", "month")["group"] == "2026-03"
    assert ask_json(rated, "ratings", "--since", "2026-04-01")["items"] == []
    assert figures(rated, "--matter", MATTER, "--until", "2026-03-02")["bad_rate"] == "33.3%"
    text = ask(rated, "ratings")
    assert "差评率" in text
    assert "审批局" in text
    assert "rate of bad" in ask(rated, "ratings", "--lang", "en")
    assert ask_json(rated, "ratings", "--each")["total"] == 4
    steps = [s for s in ask_json(rated, "case", "3")["steps"] if s["kind"] == "rating.recorded"]
    assert [(s["from_department"], s["to_department"]) for s in steps] == [("pt", APPROVAL)]
    assert "rating.recorded" in {event["kind"] for event in ask_json(rated, "replay", "3")["events"]}


@pytest.mark.door("command")
@pytest.mark.clause("3.3b")
def test_how_far_a_bad_one_has_come_now_and_then(rated: TestStore) -> None:
    one: dict[str, Any] = {"organ": APPROVAL, "number": "3", "service": "decision"}
    listed = ask_json(rated, "ratings", "--bad")["items"]
    assert {row["number"]: row["status"] for row in listed} == {"3": "to_contact", "Q17": "to_contact"}
    assert {row["comment"] for row in listed} == {"窗*"}
    assert {row["number"]: row["tags"] for row in listed} == {"3": "窗*", "Q17": None}
    with rated.connect() as conn:
        clear = "SELECT count(*) FROM shenguan.stored_events WHERE position('张三' in convert_from(state, 'UTF8')) > 0"
        assert conn.execute(clear).fetchone() == (0,)
        found = Log(conn).stream(f"rating/{APPROVAL}/3/decision")[0].event
    assert isinstance(found, RatingRecorded)
    assert found.due is not None
    assert {row["due"] for row in listed} == {found.due.on.isoformat() if found.due.on else None}
    contact = ContactRating(department=APPROVAL, **one, contacted_at=rated.now, finding="confirmed", detail="属实")
    rated.submit(contact)
    then = moment_after(rated)
    rated.submit(
        RectifyRating(department=APPROVAL, **one, on=DAY, measures="已培训"),
        RevisitRating(department="pt", **one, on=DAY, satisfied=True),
    )
    row = figures(rated)
    assert (row["contacted"], row["rectified"], row["revisited"], row["satisfied"]) == (1, 1, 1, 1)
    assert (row["rectified_rate"], row["revisited_rate"]) == ("50.0%", "50.0%")
    assert (row["contacted_in_time"], row["contacted_rate"]) == (1, "50.0%")  # long before it was even recorded
    assert (row["rectified_in_time"], row["revisited_in_time"]) == (1, 1)
    before = figures(rated, "--as-known-at", then)
    assert (before["contacted"], before["rectified"], before["revisited"]) == (1, 0, 0)
    status = {row["number"]: row["status"] for row in ask_json(rated, "ratings", "--bad")["items"]}
    assert status == {"3": "settled", "Q17": "to_contact"}
    past = ask_json(rated, "ratings", "--bad", "--as-known-at", then)["items"]
    assert [(row["status"], row["rectified_on"]) for row in past if row["number"] == "3"] == [("to_rectify", None)]
    assert "已办结" in ask(rated, "ratings", "--bad")


@pytest.mark.door("command")
@pytest.mark.clause("3.3c")
def test_what_is_excluded_stays_visible_and_does_not_count(rated: TestStore) -> None:
    one: dict[str, Any] = {"organ": APPROVAL, "number": "Q17", "service": "counter"}
    rated.submit(AppealRating(department=APPROVAL, **one, reason="误评"))
    then = moment_after(rated)
    rated.submit(DecideAppeal(department=APPROVAL, **one, outcome="excluded", reason="自行剔除"), expect="refused")
    assert figures(rated)["excluded"] == 0
    rated.submit(DecideAppeal(department=HIGHER, **one, outcome="excluded", reason="属误评"))
    row = figures(rated)
    assert (row["total"], row["bad"], row["bad_rate"], row["appealed"], row["excluded"]) == (3, 1, "33.3%", 1, 1)
    listed = {row["number"]: (row["status"], row["appeal"]) for row in ask_json(rated, "ratings", "--bad")["items"]}
    assert listed["Q17"] == ("excluded", "excluded")
    before = figures(rated, "--as-known-at", then)
    assert (before["total"], before["excluded"]) == (4, 0)
    past = ask_json(rated, "ratings", "--bad", "--as-known-at", then)["items"]
    assert [row["appeal"] for row in past if row["number"] == "Q17"] == ["appealed"]


@pytest.mark.door("command")
@pytest.mark.clause("3.3a", refused=True)
def test_there_are_no_other_figures(rated: TestStore) -> None:
    ask(rated, "ratings", "--by", "officer", code=2)


@pytest.mark.door("command")
@pytest.mark.clause("3.3b")
def test_lamps_show_what_is_owed_to_a_bad_rating(rated: TestStore) -> None:
    def running(kind: str) -> int:
        rated.project()
        rows = ask_json(rated, "lamps", "--department", APPROVAL, "--kind", kind)["items"]
        return sum(row[lamp] for row in rows for lamp in ("green", "yellow", "red"))

    assert (running("rating_contact"), running("rating_rectify")) == (2, 0)
    one: dict[str, Any] = {"organ": APPROVAL, "number": "3", "service": "decision"}
    rated.submit(ContactRating(department=APPROVAL, **one, contacted_at=rated.now, finding="confirmed", detail="属实"))
    assert (running("rating_contact"), running("rating_rectify")) == (1, 1)
    with closing(rated.connect_reader()) as conn:
        subjects = running_after(conn, None, "", 10)
    assert subjects == [f"rating/{APPROVAL}/3/decision/rectify", f"rating/{APPROVAL}/Q17/counter/contact"]
    rated.submit(AppealRating(department=APPROVAL, organ=APPROVAL, number="Q17", service="counter", reason="误评"))
    rated.submit(
        DecideAppeal(
            department=HIGHER, organ=APPROVAL, number="Q17", service="counter", outcome="excluded", reason="属误评"
        )
    )
    assert (running("rating_contact"), running("rating_rectify")) == (0, 1)


@pytest.mark.door("command")
@pytest.mark.clause("3.3b")
def test_no_time_goes_by_while_the_clock_stands_still(rated: TestStore) -> None:
    """The clock of one bad rating is suspended from the first day on, and that it was contacted then is in time."""
    one: dict[str, Any] = {"organ": APPROVAL, "number": "3", "service": "decision"}
    clock = f"rating/{APPROVAL}/3/decision/contact"
    before = moment_after(rated)
    rated.submit(SuspendClock(department=OFFICE, clock=clock, on=DAY, reason="系统停机"))
    rated.project()
    due = {row["number"]: row["due"] for row in ask_json(rated, "ratings", "--bad")["items"]}
    assert due["3"] is None
    assert due["Q17"]
    assert "计时中止" in ask(rated, "ratings", "--bad")
    then = ask_json(rated, "ratings", "--bad", "--as-known-at", before)["items"]
    assert [(row["status"], row["due"]) for row in then] == [
        ("to_contact", None)
    ] * 2  # what stands now was not so then
    rated.now += timedelta(days=200)
    contact = ContactRating(department=APPROVAL, **one, contacted_at=rated.now, finding="confirmed", detail="属实")
    rated.submit(contact)
    assert (figures(rated)["contacted"], figures(rated)["contacted_in_time"]) == (1, 1)
    rated.submit(ResumeClock(department=OFFICE, clock=clock, on=rated.now.date()))
    assert figures(rated)["contacted_in_time"] == 1
