"""What time does in the story: limits and a calendar on record, reminders and what comes after them, a permit's end."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from domain import system
from domain.calendars import CalendarYear
from domain.clock_state import ExtendClock, ResumeClock, SuspendClock
from domain.clocks import LADDER, TimeLimit
from domain.notices import NoticeOwed
from domain.registering import AnyEntry, EnterRegister
from domain.submissions import BEIJING
from infra.example_lives import granted
from infra.teller import APPROVAL, OFFICE, TODAY, Teller

_HOLIDAYS = ("01-01", "02-08", "02-09", "02-10", "02-11", "04-05", "05-03", "06-09", "09-15", "10-01", "10-04", "10-05")


def clocks(teller: Teller) -> None:
    """Told ahead of the rest of the story, which goes on where it was."""
    now = teller.now
    first = _owed(teller, granted(teller, "2026030200050", "呼审批许字〔2026〕50号", date(2026, 12, 31)))[0]
    clock = f"notice/{first}"
    teller.tell(ExtendClock(department=OFFICE, clock=clock, days=5, reason="系统迁移，延期签收。"))
    teller.tell(SuspendClock(department=OFFICE, clock=clock, on=TODAY, reason="系统停机。"))
    _at(teller, 4)
    teller.tell(ResumeClock(department=OFFICE, clock=clock, on=date(2026, 3, 4)))
    holidays = tuple(date.fromisoformat(f"2027-{day}") for day in _HOLIDAYS)
    _entered(teller, CalendarYear(year=2027, off=holidays, worked=(date(2027, 2, 6), date(2027, 10, 9))))
    _entered(teller, TimeLimit(clock="receive", region="150100", days=2, ladder=LADDER, deemed_after=10))
    second = _owed(teller, granted(teller, "2026030200051", "呼审批许字〔2026〕51号"))[0]
    _at(teller, 16)
    for _ in LADDER:
        teller.world.append(system.rung_climbed(teller.world, clock, teller.now))
    _at(teller, 25)
    for _ in (*LADDER, "deemed"):
        teller.world.append(system.rung_climbed(teller.world, f"notice/{second}", teller.now))
    third = _owed(teller, granted(teller, "2026030200052", "呼审批许字〔2026〕52号"))[0]
    _entered(teller, TimeLimit(clock="receive", matter=teller.world.notice(third).owed.matter, days=5))  # type: ignore[union-attr]
    teller.world.append(system.due_recomputed(teller.world, f"notice/{third}", teller.now))
    teller.now = teller.world.now = datetime(2027, 1, 4, 9, tzinfo=BEIJING)
    teller.world.append(system.permit_expired(teller.world, f"case/{APPROVAL}/2026030200050", teller.now))
    teller.now = now


def _entered(teller: Teller, entry: AnyEntry) -> None:
    basis = "呼政办发〔2026〕8号"
    teller.tell(EnterRegister(department=OFFICE, entry=entry, valid_from=TODAY, basis=basis), key=entry.key())


def _owed(teller: Teller, fact: str) -> list[str]:
    """The notices that the fact owes."""
    return [one.notice for one in teller.world.pending if isinstance(one, NoticeOwed) and one.meta.fact == fact]


def _at(teller: Teller, day: int) -> None:
    """Time moves on to a day of that March."""
    teller.now = datetime(2026, 3, day, 9, tzinfo=BEIJING) + timedelta(minutes=len(teller.world.pending) % 60)
    teller.world.now = teller.now
