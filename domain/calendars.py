"""Working days 工作日 with 调休: a published calendar taken over whole, and tables of years beyond it (§4.12).

A year that neither knows has no working days: dates there are unknown, and never reckoned by plain weekends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.entries import Entry
from domain.event import Event
from domain.rules import BadField
from domain.submissions import Day

STREAM = "calendar"
_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarUnknown(Exception):
    """A year's working days are not known: the State Council has not published them, or nobody has entered them."""

    def __init__(self, year: int) -> None:
        super().__init__(f"working days of {year} are not known")
        self.year = year


class CalendarYear(Entry):
    """A year's table, written by the reform office: the weekdays that are off, the days of weekends that are worked."""

    kind: Literal["calendar"] = "calendar"
    year: Annotated[int, Field(ge=2000, le=2200)]
    off: Annotated[tuple[Day, ...], Field(max_length=120)]
    worked: Annotated[tuple[Day, ...], Field(max_length=60)]

    @model_validator(mode="after")
    def _agrees(self) -> CalendarYear:
        for name, days, weekend in (("off", self.off, False), ("worked", self.worked, True)):
            if any(day.year != self.year for day in days):
                raise BadField(name, "calendar.year", "日期不在该年之内")
            if any((day.weekday() >= _SATURDAY) != weekend for day in days):
                raise BadField(name, "calendar.weekday", "放假日须为周一至周五，上班日须为周六、周日")
            if len(set(days)) < len(days):
                raise BadField(name, "calendar.twice", "同一天列了两次")
        return self

    def key(self) -> str:
        return str(self.year)


class CalendarAdopted(Event):
    """The calendar that came with this program holds from now on, for the years `first` to `last`."""

    TOPIC = "calendar.adopted"
    edition: str
    first: int
    last: int
    off: tuple[Day, ...]
    worked: tuple[Day, ...]


class Published(NamedTuple):
    """A calendar as it came with this program."""

    edition: str
    first: int
    last: int
    off: tuple[date, ...]
    worked: tuple[date, ...]


class Calendar:
    """What is known of working days. `years` are the tables entered, each with its version's name; they come first."""

    def __init__(
        self, adopted: CalendarAdopted | None = None, years: Mapping[int, tuple[CalendarYear, str]] | None = None
    ) -> None:
        self._adopted = adopted
        self._years = years or {}
        self._off = frozenset(adopted.off) if adopted else frozenset()
        self._worked = frozenset(adopted.worked) if adopted else frozenset()
        self._tables = {year: (frozenset(t.off), frozenset(t.worked)) for year, (t, _) in self._years.items()}

    def edition(self, year: int) -> str:
        """By what the year's days are known. Raises CalendarUnknown."""
        if year in self._years:
            return self._years[year][1]
        if self._adopted is None or not self._adopted.first <= year <= self._adopted.last:
            raise CalendarUnknown(year)
        return self._adopted.edition

    def works(self, day: date) -> bool:
        """Raises CalendarUnknown."""
        table = self._tables.get(day.year)
        if table is None:
            self.edition(day.year)
        off, worked = table or (self._off, self._worked)
        return day in worked if day.weekday() >= _SATURDAY else day not in off

    def after(self, day: date, count: int) -> date:
        """The count-th working day after a day; the day itself for 0. Raises CalendarUnknown."""
        self.edition(day.year)
        return self._walk(day, count, _DAY)

    def before(self, day: date, count: int) -> date:
        """The count-th working day before a day. Raises CalendarUnknown."""
        return self._walk(day, count, -_DAY)

    def between(self, since: date, until: date) -> int:
        """The working days after one day, as far as another, that one included. Raises CalendarUnknown."""
        return sum(self.works(since + _DAY * (n + 1)) for n in range((until - since).days))

    def _walk(self, day: date, count: int, step: timedelta) -> date:
        while count:
            day += step
            count -= self.works(day)
        return day
