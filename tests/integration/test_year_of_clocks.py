"""A year goes by for two clock processes that are killed, started again, and let rest for a week (2.2j)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import chinese_calendar
import pytest

from adapters.formats.workdays import published
from adapters.postgres.registers import RegisterCache
from adapters.postgres.writer import Writer
from domain import system
from domain.calendars import CalendarYear
from domain.registering import EnterRegister
from infra.verify import verify
from tests.integration.region import OFFICE, S1, S2, granted, receive, registers
from tests.integration.test_queries import ask, ask_json
from tests.integration.teststore import MASTER, TestStore

FIRST, LAST = date(2026, 1, 5), date(2027, 1, 15)
OFF_2027 = {date(2027, 1, 1)}
"""What the reform office enters for 2027, weekends aside, as late as on 8 January."""
ENTERED = date(2027, 1, 8)
RUNGS = (1, 3, 5)
RESTING = {date(2026, 4, 13) + timedelta(days=n) for n in range(7)}
"""A week in which no clock process lives."""
DAY = timedelta(days=1)


def works(day: date) -> bool:
    """By the library itself, and by hand beyond it."""
    if day.year > 2026:
        return day.weekday() < 5 and day not in OFF_2027
    return bool(chinese_calendar.is_workday(day))


def after(day: date, count: int) -> date:
    while count:
        day += DAY
        count -= works(day)
    return day


@dataclass(slots=True)
class Year:
    """The store, its time, and the processes that keep its clocks."""

    store: TestStore
    path: Path
    today: date = FIRST
    crew: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started: int = 0

    @property
    def now(self) -> datetime:
        return datetime(self.today.year, self.today.month, self.today.day, 1, tzinfo=UTC)

    @property
    def clock(self) -> Path:
        return self.path / "clock"

    def begin(self) -> None:
        """Another process; all write under names of their own."""
        self.started += 1
        done = self.path / f"done-{self.started}"
        done.write_text("")
        command = [sys.executable, "-m", "tests.integration.clock_process"]
        arguments = [self.store.urls.runtime, str(self.path / "key"), str(self.clock), str(done)]
        env = {**os.environ, "PYTHONPATH": os.getcwd()}
        self.crew.append(subprocess.Popen([*command, *arguments], env=env, stdout=subprocess.DEVNULL))

    def end(self, which: int = 0) -> None:
        """Killed, wherever it is."""
        process = self.crew.pop(which)
        process.kill()
        process.wait()

    def tick(self, name: str) -> None:
        """What is recorded by now is projected, and everybody who lives has made its rounds since."""
        self.store.project()
        token = f"{self.now.isoformat()} {name}"
        part = self.path / "clock.part"
        part.write_text(token)
        part.replace(self.clock)
        until = time.monotonic() + 60
        living = {self.path / f"done-{number + 1}" for number in range(self.started)}
        alive = len(self.crew)
        while sum(file.read_text() == token for file in living) < alive:
            assert time.monotonic() < until, "the clocks do not turn"
            assert all(one.poll() is None for one in self.crew), "a clock process has ended"
            time.sleep(0.005)


@pytest.fixture
def year(store: TestStore, tmp_path: Path) -> Iterator[Year]:
    (tmp_path / "key").write_text(MASTER.hex())
    found = Year(store, tmp_path)
    store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: found.now)
    found.clock.write_text(f"{found.now.isoformat()} founding")
    registers(store)
    yield found
    while found.crew:
        found.end()


@contextmanager
def days(year: Year) -> Iterator[Iterator[date]]:
    def each() -> Iterator[date]:
        while year.today <= LAST:
            yield year.today
            year.today += DAY

    yield each()


@pytest.mark.door("command")
@pytest.mark.clause("2.2j")
@pytest.mark.clause("3.3d")
def test_every_rung_is_climbed_once_and_on_its_day(year: Year) -> None:
    """Notices are owed throughout the year, most densely around holidays; each third is received in time, each third
    too late, each third never."""
    store = year.store
    owed: dict[str, date] = {}
    received: dict[str, date] = {}
    due_receipts: dict[date, list[str]] = {}
    year.begin()
    year.begin()
    with days(year) as each:
        for number, today in enumerate(each):
            _staff(year, today)
            if number % 4 == 0 or not works(today) or not works(today + DAY):
                fact = granted(store, str(number))
                owed[fact] = today
                wait = {0: 1, 1: 9}.get(number % 3)
                if wait is not None:
                    due_receipts.setdefault(today + wait * DAY, []).append(fact)
            for fact in due_receipts.pop(today, []):
                store.submit(receive(S1, fact, store.now), receive(S2, fact, store.now))
                received[fact] = today
            if today == ENTERED:
                _beyond(year)
                table = CalendarYear(year=2027, off=tuple(OFF_2027), worked=())
                store.submit(
                    EnterRegister(department=OFFICE, entry=table, valid_from=today, basis="国办发明电〔2026〕9号")
                )
            year.tick(str(number))
    expected = _expected(owed, received)
    assert _climbed(store) == expected
    assert sum(expected.values()) > 500
    with store.connect() as conn:
        ids = conn.execute(
            "SELECT convert_from(state, 'utf8')::jsonb->'meta'->>'id' FROM shenguan.stored_events"
            " WHERE topic IN ('clock.reminded', 'clock.escalated')"
        ).fetchall()
    assert len(ids) == len(set(ids))
    store.project()
    assert verify(SimpleNamespace(migrator_url=store.urls.migrator)).problems == []


def _staff(year: Year, today: date) -> None:
    """Who keeps the clocks today: two as a rule; sometimes one is killed and another begins; for a week nobody."""
    if today == min(RESTING):
        year.end()
        year.end()
    if today == max(RESTING) + DAY:
        year.begin()
        year.begin()
    if today not in RESTING and today.day in (9, 23):
        year.end(today.month % 2)
        year.begin()


def _beyond(year: Year) -> None:
    """Before 2027 is entered: the documented answer, no guess, and nothing lost."""
    assert "工作日历未公布" in ask(year.store, "receipts", "--outstanding", "--limit", "2000")
    unknown = ask_json(year.store, "lamps", "--lamp", "unknown", "--on", year.today.isoformat(), "--limit", "1000")
    assert unknown["total"] > 0
    assert {item["due_on"] for item in unknown["items"]} == {None}


def _expected(owed: dict[str, date], received: dict[str, date]) -> Counter[tuple[str, int, date]]:
    """(notice, rung, day) by hand."""
    found: Counter[tuple[str, int, date]] = Counter()
    for fact, since in owed.items():
        for department in (S1, S2):
            for rung, late in enumerate(RUNGS, 1):
                day = after(after(since, 3), late)
                if day.year > 2026 or after(since, 3).year > 2026:
                    day = max(day, ENTERED)  # until then nobody knew
                while day in RESTING:
                    day += DAY
                if day <= LAST and not (fact in received and received[fact] <= day):
                    found[f"notice/{department}/{fact}", rung, day] += 1
    return found


def _climbed(store: TestStore) -> Counter[tuple[str, int, date]]:
    with store.connect() as conn:
        rows = conn.execute(
            "SELECT said->>'clock', (said->>'rung')::int, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date FROM"
            " (SELECT convert_from(state, 'utf8')::jsonb AS said, recorded_at FROM shenguan.stored_events"
            "  WHERE topic IN ('clock.reminded', 'clock.escalated')) AS one"
        ).fetchall()
    return Counter((str(clock), int(rung), day) for clock, rung, day in rows)


@pytest.mark.clause("2.2j")
def test_the_year_has_the_holidays_of_the_state_council(store: TestStore) -> None:
    """2026 by 国办发明电〔2025〕7号: as the library says and as announced, made-up Saturdays among them."""
    registers(store)
    store.facts(lambda world, now: system.calendar_adopted(world, published(), now))
    with store.connect() as conn:
        calendar = RegisterCache().refresh(conn).calendar
    spring = [date(2026, 2, 15) + DAY * n for n in range(9)]
    october = [date(2026, 10, 1) + DAY * n for n in range(7)]
    for day in (
        date(2026, 1, 1),
        *spring,
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 6, 19),
        date(2026, 9, 25),
        *october,
    ):
        assert not calendar.works(day), day
    for day in ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"):
        assert calendar.works(date.fromisoformat(f"2026-{day}")), day
