"""What the keeper of clocks finds to do: by the database's day, and in all that runs (2.2j)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import pytest

import infra.roles.keeper as rounds
from adapters.postgres.writer import Writer
from domain.calendars import CalendarYear
from domain.clocks import TimeLimit
from domain.consultations import AskConsultation
from domain.decisions import AcceptCase
from domain.guides import Guide
from domain.supervision import RaiseFeedback
from domain.tasks import CompleteTask, OpenTask, WorkCapability
from infra.roles.keeper import Keeper
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    HIGHER,
    MATTER,
    S1,
    accept,
    case,
    granted,
    platform,
    rate,
    registers,
)
from tests.integration.test_queries import ask_json
from tests.integration.test_registers import enter
from tests.integration.teststore import TestStore, officer

YEAR = CalendarYear(year=2027, off=(date(2027, 1, 1),), worked=())
LATE = date(2026, 12, 31)


class Days:
    """A store whose days a test moves, and its keeper."""

    def __init__(self, store: TestStore) -> None:
        self.store, self.keeper = store, Keeper()
        store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: store.now)
        self.reach(DAY)
        registers(store)

    def reach(self, day: date, *time: int) -> None:
        self.store.now = datetime(day.year, day.month, day.day, *(time or (1,)), tzinfo=UTC)

    def turn(self) -> list[tuple[str, str]]:
        """What the keeper does: topics, and of which clock."""
        before = self._head()
        with closing(self.store.connect()) as conn:
            self.keeper.turn(conn, self.store.writer)
        self.store.project()
        with closing(self.store.connect()) as conn:
            rows = conn.execute(
                "SELECT topic, originator_id FROM shenguan.stored_events WHERE topic LIKE 'clock.%%'"
                " AND notification_id > %s ORDER BY notification_id",
                (before,),
            ).fetchall()
        return [(topic, stream.removeprefix("clock/")) for topic, stream in rows]

    def _head(self) -> int:
        with closing(self.store.connect()) as conn:
            [[head]] = conn.execute("SELECT max(notification_id) FROM shenguan.stored_events").fetchall()
        return int(head)

    def lamps(self, *words: str) -> dict[str, int]:
        """How many of one kind show which lamp today."""
        self.store.project()
        on = self.store.now.date().isoformat()
        rows = ask_json(self.store, "lamps", "--on", on, "--kind", *words)["items"]
        return {name: found for row in rows for name, found in row.items() if isinstance(found, int) and found}


@pytest.fixture
def days(store: TestStore) -> Days:
    return Days(store)


@pytest.mark.clause("2.2j")
def test_what_was_due_on_an_unknown_day_is_pressed_once_it_is_known(days: Days) -> None:
    platform(days.store)
    days.reach(LATE)
    granted(days.store, "1")
    case_of: dict[str, Any] = {"case_organ": APPROVAL, "case_number": "1"}
    finding = RaiseFeedback(
        department=S1, number="F1", **case_of, found_on=LATE, suggestion="rectify", detail="现场不符"
    )
    days.store.submit(finding)
    rate(days.store, "1", 1, "decision")
    days.store.project()
    days.turn()
    enter(days.store, YEAR, since=LATE)
    clocks = {f"feedback/{S1}/F1", f"rating/{APPROVAL}/1/decision/contact"}
    assert {subject for topic, subject in days.turn() if topic == "clock.recomputed"} >= clocks
    days.reach(date(2027, 1, 20))
    assert {subject for topic, subject in days.turn() if topic == "clock.reminded"} >= clocks


@pytest.mark.clause("3.1a")
def test_a_case_promised_beyond_the_calendar_is_pressed(days: Days) -> None:
    enter(days.store, Guide(matter=MATTER, elements=("申请表",), steps=("受理",), promised_days=8), since=DAY)
    days.reach(LATE)
    party = accept("1").party
    days.store.submit(
        AcceptCase(department=APPROVAL, organ=APPROVAL, number="1", matter=MATTER, party=party, accepted_on=LATE)
    )
    assert days.lamps("decide") == {"unknown": 1}
    enter(days.store, YEAR, since=LATE)
    assert days.lamps("decide") == {"green": 1}
    days.reach(date(2027, 1, 14))
    assert days.turn() == [("clock.reminded", f"case/{APPROVAL}/1")]
    assert days.lamps("decide") == {"red": 1}


@pytest.mark.clause("2.2j")
def test_the_day_is_that_of_what_is_recorded(days: Days) -> None:
    """Whatever the clock of the keeper's machine says: in the last second of Thursday, and in the first of Friday."""
    fact = granted(days.store, "1")
    days.store.project()
    for day, *time in ((DAY, 2), (date(2026, 3, 5), 15, 59, 59)):
        days.reach(day, *time)
        assert days.turn() == []
    days.reach(date(2026, 3, 5), 16, 0, 1)
    assert ("clock.reminded", f"notice/{S1}/{fact}") in days.turn()


@pytest.mark.clause("2.2j")
def test_what_the_read_models_had_not_seen_is_recomputed_too(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take it in just after the keeper has looked."""
    days.store.project()
    fact = granted(days.store, "1")
    enter(days.store, TimeLimit(clock="receive", days=9), since=date(2026, 1, 1))
    look = rounds.outstanding_after

    def looked(*of: Any) -> Any:
        found = look(*of)
        days.store.project()
        return found

    monkeypatch.setattr(rounds, "outstanding_after", looked)
    assert days.turn() == []
    assert ("clock.recomputed", f"notice/{S1}/{fact}") in days.turn()
    assert days.turn() == []


@pytest.mark.door("command")
@pytest.mark.clause("3.3d")
def test_lamps_turn_yellow_and_stand_still(days: Days) -> None:
    enter(days.store, WorkCapability(matter=MATTER, work="survey", party="competent"))
    enter(days.store, Guide(matter=MATTER, elements=("申请表",), steps=("受理",), promised_days=20), since=DAY)
    friday = date(2026, 3, 6)
    days.store.submit(
        AskConsultation(department=APPROVAL, number="C1", to=HIGHER, question="如何办理", reply_by=friday),
        accept("1"),
        case(OpenTask, "1", task="1", work="survey", opened_on=DAY, due_on=friday),
    )
    for day, lamp in ((4, "green"), (5, "yellow"), (6, "yellow"), (7, "red")):
        days.reach(date(2026, 3, day))
        assert days.lamps("consultation") == days.lamps("task") == {lamp: 1}, day
    assert days.lamps("decide") == {"paused": 1}
    done = CompleteTask(
        department=FORMER,
        organ=APPROVAL,
        number="1",
        task="1",
        began_at=days.store.now,
        ended_at=days.store.now,
        result="passed",
        conclusion="一致",
        signers=(officer(),),
    )
    days.store.submit(done)
    assert days.lamps("decide") == {"green": 1}
