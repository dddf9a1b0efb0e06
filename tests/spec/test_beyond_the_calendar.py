"""Where the calendar does not reach: unknown days, which are known once the year's table is entered (§4.12)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest

from domain import system
from domain.calendars import CalendarUnknown
from domain.clock_state import Clock, ExtendClock
from domain.event import Event
from domain.ladders import clock_of
from domain.submissions import DECIDERS
from tests.spec.test_clocks import climb, enter, rungs
from tests.spec.test_succession import problems
from tests.unit.spec import MATTER, ORGANISATION, Region

PROMISED: dict[str, Any] = {"kind": "guide", "matter": MATTER, "elements": ["申请表"], "steps": ["受理"]}
YEAR: dict[str, Any] = {"kind": "calendar", "year": 2027, "off": ["2027-01-01"], "worked": []}
CASE = "case/spj/1"


def clock(region: Region, subject: str) -> Clock:
    found = clock_of(subject, region.world)
    assert found is not None
    return found


def reach(region: Region, day: date) -> None:
    """That day comes, also for who hands in."""
    region.door.now = region.when = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def accept(region: Region, accepted_on: str) -> None:
    region.accepted("case.accept", "spj", **region.case(matter=MATTER, party=ORGANISATION, accepted_on=accepted_on))


def recompute(region: Region, subject: str) -> list[Event]:
    return region.record(partial(system.due_recomputed, subject=subject, now=region.door.now))


def test_a_case_that_waited_into_an_unknown_year_is_due_on_an_unknown_day(region: Region) -> None:
    enter(region, **PROMISED, promised_days=5)
    enter(region, kind="work_capability", matter=MATTER, work="survey", party="competent")
    reach(region, date(2026, 12, 28))
    accept(region, "2026-12-21")
    region.accepted("task.open", "spj", **region.case(task="T1", work="survey", opened_on="2026-12-22"))
    reach(region, date(2027, 1, 6))
    times = {"began_at": "2027-01-05T09:00:00+08:00", "ended_at": "2027-01-05T10:00:00+08:00"}
    signers = [{"id": "1", "name": "李"}]
    done = region.case(task="T1", result="passed", conclusion="符合", signers=signers, **times)
    region.accepted("task.complete", "zjj", **done)
    found = clock(region, CASE)
    assert (found.due.on, found.running) == (None, True)
    region.accepted("clock.extend", "sgb", clock=CASE, days=3, reason="系统切换")
    assert climb(region, CASE) == []
    enter(region, **YEAR)
    # Five as promised, nine from 23 December to 5 January on which it waited, and three more.
    assert clock(region, CASE).due.on == date(2027, 1, 14)
    assert problems(region) == []


def test_what_is_promised_beyond_the_calendar_is_promised(region: Region) -> None:
    enter(region, **PROMISED, promised_days=20)
    reach(region, date(2026, 12, 28))
    accept(region, "2026-12-21")
    assert clock(region, CASE).due.on is None
    enter(region, **PROMISED, promised_days=1)  # the version on acceptance stays what was promised
    enter(region, **YEAR)
    found = clock(region, CASE).due
    assert (found.on, found.limit) == (date(2027, 1, 19), f"guide/{MATTER}/1")
    reach(region, date(2027, 1, 20))
    assert rungs(climb(region, CASE)) == [("clock.reminded", 1)]
    assert problems(region) == []


@pytest.mark.clause("2.2j", refused=True)
def test_no_decision_fails_for_want_of_a_calendar(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_knows(*_: object) -> list[Event]:
        raise CalendarUnknown(2027)

    [notice, _] = region.granted()
    more = {"clock": f"notice/{notice}", "days": 1, "reason": "系统切换"}
    with monkeypatch.context() as patch:
        patch.setitem(DECIDERS, ExtendClock, nobody_knows)
        region.dead("*", "calendar.unknown", "clock.extend", "sgb", **more)
    region.accepted("clock.extend", "sgb", **more)


@pytest.mark.clause("2.2j")
def test_a_years_table_is_as_it_was_last_recorded(region: Region) -> None:
    """From whatever day either is said to hold."""

    def works(day: date) -> bool:
        return region.world.registers.calendar.works(day)

    enter(region, **YEAR, since="2027-01-08")
    enter(region, **(YEAR | {"off": ["2027-01-01", "2027-01-04"]}), since="2027-01-01")
    assert not works(date(2027, 1, 4))
    enter(region, **YEAR, since="2026-12-01")
    assert works(date(2027, 1, 4))
    enter(region, kind="calendar", year=2026, off=["2026-06-02"], worked=[])
    assert not works(date(2026, 6, 2))
    region.accepted("register.strike", "sgb", kind="calendar", key="2026", valid_from="2026-03-02", basis="误登记")
    assert works(date(2026, 6, 2))  # as the program's own calendar says


@pytest.mark.clause("2.2j", refused=True)
def test_a_years_table_is_not_struck_from_a_later_day_on(region: Region) -> None:
    enter(region, **YEAR)
    struck = {"kind": "calendar", "key": "2027", "basis": "误登记"}
    region.dead("valid_from", "date.future", "register.strike", "sgb", **struck, valid_from="2026-07-01")
    assert region.world.registers.calendar.works(date(2027, 1, 4))
    region.accepted("register.strike", "sgb", **struck, valid_from="2026-03-02")
    region.refused("entry.none", "register.strike", "sgb", **struck, valid_from="2026-03-02")
