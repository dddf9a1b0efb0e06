"""Working days with 调休, as far as the published calendar goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import chinese_calendar

RECEIVE_WITHIN = 3
"""Working days to receive a notice in, where no local rule says otherwise."""
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


class CalendarUnknown(Exception):
    """The State Council has not published (or this program does not know) the working days of a year that is needed.

    Never answered with plain weekends: shown as 「工作日历未公布」 in the place of the date.
    """

    def __init__(self, year: int) -> None:
        super().__init__(f"working days of {year} are not known")
        self.year = year


def is_working_day(day: date) -> bool:
    """Raises CalendarUnknown."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        raise CalendarUnknown(day.year) from None


def due_on(since: datetime, working_days: int = RECEIVE_WITHIN) -> date:
    """The last day in time: the n-th working day after the day (in China) of `since`. Raises CalendarUnknown."""
    day = since.astimezone(CHINA).date()
    is_working_day(day)
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day


def working_days_between(since: date, until: date) -> int:
    """The working days after one day, as far as another, that one included. Raises CalendarUnknown."""
    return sum(is_working_day(since + timedelta(days=n + 1)) for n in range((until - since).days))


def overdue_before(now: datetime, working_days: int = RECEIVE_WITHIN) -> datetime:
    """What has been owed since before this moment is overdue; only days gone by count. May raise CalendarUnknown."""
    day = now.astimezone(CHINA).date()
    left = working_days
    while left:
        day -= timedelta(days=1)
        left -= is_working_day(day)
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)
