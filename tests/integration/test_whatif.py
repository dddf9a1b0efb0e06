"""What another limit or calendar would change: the same as reckoning everything once more by hand (2.2j)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import chinese_calendar
import pytest

from adapters.postgres.log import Log
from adapters.postgres.writer import Writer
from domain.calendars import CalendarYear
from domain.clock_state import ClockExtended, ExtendClock
from domain.clocks import TimeLimit
from domain.notices import NoticeMoved, NoticeOwed, NoticeReceived
from domain.submissions import local_date
from domain.supervision import FeedbackDisposed, FeedbackRaised
from tests.integration.region import APPROVAL, MATTER, OFFICE, OWN_MATTER, S1, S2, granted, receive, registers
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import enter
from tests.integration.teststore import TestStore

FIRST = date(2026, 1, 26)
DAYS = 60
LIMITED = FIRST + timedelta(days=20)
"""After this day four working days are given for a receipt."""
ENTERED_OFF = {date(2026, 3, 10)}
"""Entered last of all, and nothing was recomputed since."""
EXTRA_OFF = {date(2026, 3, 3), date(2026, 3, 4)}
WORKED = {date(2026, 3, 7)}
Works = Callable[[date], bool]


@pytest.fixture
def quarter(store: TestStore) -> TestStore:
    """Notices and findings of sixty days around the Spring Festival, received and answered or not, by chance."""
    rng, today = Random(7), FIRST
    store.writer = Writer(
        store.connect, store.sealer.seal_all, clock=lambda: datetime(today.year, today.month, today.day, 1, tzinfo=UTC)
    )
    registers(store)
    open_: list[tuple[str, str]] = []
    for number in range(DAYS):
        today = FIRST + timedelta(days=number)
        fact = granted(store, str(number))
        open_ += [(department, fact) for department in (S1, S2)]
        for department, one in rng.sample(open_, len(open_) // 4):
            store.submit(receive(department, one, store.now))
            open_.remove((department, one))
        if number % 7 == 3:
            store.submit(_finding(number, fact))
        if number % 11 == 5:
            department, one = rng.choice(open_)
            more = ExtendClock(department=OFFICE, clock=f"notice/{department}/{one}", days=2, reason="系统切换")
            store.submit(more)
        if number % 14 == 10:
            store.submit(_answer(number - 7))
        if today == LIMITED:
            enter(store, TimeLimit(clock="receive", days=4), since=today + timedelta(days=1))
    enter(store, CalendarYear(**_year(ENTERED_OFF)))
    store.project()
    return store


def _finding(number: int, fact: str) -> Any:
    from domain.supervision import RaiseFeedback

    of = {"case_organ": APPROVAL, "case_number": fact.rpartition("-")[2]}
    return RaiseFeedback(
        department=S1, number=f"F{number}", **of, found_on=date(2026, 3, 2), suggestion="rectify", detail="不符"
    )


def _answer(number: int) -> Any:
    from domain.supervision import DisposeFeedback

    return DisposeFeedback(department=APPROVAL, supervisor=S1, number=f"F{number}", outcome="adopted", reason="已改")


@pytest.mark.door("command")
@pytest.mark.clause("2.2j")
@pytest.mark.parametrize("which", ["limit", "calendar", "both", "elsewhere"])
def test_the_answer_is_that_of_reckoning_everything_anew(quarter: TestStore, tmp_path: Path, which: str) -> None:
    limit: dict[str, Any] = {"kind": "time_limit", "clock": "receive", "days": 5}
    calendar = _year(EXTRA_OFF, WORKED)
    reply = {"kind": "time_limit", "clock": "reply", "region": "150100", "days": 2}
    other = {"kind": "time_limit", "clock": "receive", "matter": OWN_MATTER, "days": 1}
    supposed = {"limit": [limit], "calendar": [calendar], "both": [limit, calendar, reply], "elsewhere": [other]}[which]
    file = tmp_path / "supposed.json"
    file.write_text(json.dumps(supposed))
    found = ask_json(quarter, "whatif", str(file), "--since", FIRST.isoformat(), "--limit", "5000")
    works = _altered if calendar in supposed else _entered
    days = {"receive": 5} if limit in supposed else {}
    if reply in supposed:
        days["reply"] = 2
    expected, touched = _by_hand(quarter, days, works)
    assert {
        (i["subject"], i["due_on"], i["would_be"], i["was_overdue"], i["would_be_overdue"]) for i in found["items"]
    } == {row for row in expected if row[1] != row[2] and row[0] in touched}
    assert (found["compared"], found["changed"]) == (len(expected), len(found["items"]))
    assert bool(found["items"]) == (which != "elsewhere")
    counted = sum(row["newly_overdue"] for row in found["departments"])
    assert counted == sum(not row[3] and row[4] for row in expected if row[0] in touched)
    assert MATTER
    before = ask_json(quarter, "whatif", str(file), "--since", FIRST.isoformat(), "--limit", "5000")
    assert before == found, "nothing is recorded"


@pytest.mark.door("command")
@pytest.mark.clause("2.2j", refused=True)
def test_what_cannot_be_supposed(quarter: TestStore, tmp_path: Path) -> None:
    file = tmp_path / "supposed.json"
    for supposed, rule in (
        ({"kind": "time_limit", "clock": "receive", "days": 0}, "greater_than_equal"),
        ({"kind": "calendar", "year": 2027, "off": ["2027-01-02"], "worked": []}, "calendar.weekday"),
    ):
        file.write_text(json.dumps(supposed))
        assert rule in ask(quarter, "whatif", str(file), "--since", FIRST.isoformat(), code=1)
    file.write_text("{")
    assert "JSON" in ask(quarter, "whatif", str(file), "--since", FIRST.isoformat(), code=1)


def _every_day() -> list[date]:
    return [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


def _year(off: set[date], worked: set[date] | None = None) -> dict[str, Any]:
    """The year as published, but for these days."""
    free = {day for day in _every_day() if day.weekday() < 5 and not chinese_calendar.is_workday(day)}
    made_up = {day for day in _every_day() if day.weekday() > 4 and chinese_calendar.is_workday(day)}
    days = {"off": free | off, "worked": made_up | (worked or set())}
    return {"kind": "calendar", "year": 2026, **{k: [day.isoformat() for day in sorted(v)] for k, v in days.items()}}


def _entered(day: date) -> bool:
    return day not in ENTERED_OFF and bool(chinese_calendar.is_workday(day))


def _altered(day: date) -> bool:
    return day in WORKED or (day not in EXTRA_OFF and bool(chinese_calendar.is_workday(day)))


def _after(day: date, count: int, works: Works) -> date:
    while count:
        day += timedelta(days=1)
        count -= works(day)
    return day


def _by_hand(
    store: TestStore, days: dict[str, int], works: Works
) -> tuple[set[tuple[str, str, str, bool, bool]], set[str]]:
    """(what, due, would be due, was overdue, would be) of every clock, from the log alone; and which of them would be
    due on another day than by what is on record today."""
    since: dict[str, tuple[str, date]] = {}
    ended: dict[str, date] = {}
    extra: dict[str, int] = {}
    with store.connect() as conn:
        for recorded in Log(conn).all():
            event, on = recorded.event, local_date(recorded.recorded_at)
            match event:
                case NoticeOwed():
                    since[f"notice/{event.notice}"] = ("receive", on)
                case FeedbackRaised():
                    since[event.originator_id] = ("reply", on)
                case NoticeReceived():
                    ended[event.originator_id] = local_date(event.received_at)
                case NoticeMoved() | FeedbackDisposed():
                    ended.setdefault(event.originator_id, on)
                case ClockExtended():
                    extra[event.clock] = extra.get(event.clock, 0) + event.days
    today, found, touched = local_date(datetime.now(UTC)), set(), set()
    for subject, (kind, begun) in since.items():
        more, until = extra.get(subject, 0), ended.get(subject, today)
        given = {"receive": 4 if begun > LIMITED else 3, "reply": 5}[kind]
        due = _after(begun, given + more, chinese_calendar.is_workday)
        would_be = _after(begun, days.get(kind, given) + more, works)
        if would_be != _after(begun, given + more, _entered):
            touched.add(subject)
        found.add((subject, due.isoformat(), would_be.isoformat(), until > due, until > would_be))
    return found, touched
