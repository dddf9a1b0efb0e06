"""Working time: when people in offices do things, by the real calendar with its shifted days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from random import Random
from typing import Final

import chinese_calendar

SHANGHAI: Final = timezone(timedelta(hours=8))


@lru_cache(maxsize=1024)
def next_workday(day: date) -> date:
    """The day itself where people work on it, else the first after it on which they do."""
    while not chinese_calendar.is_workday(day):
        day += timedelta(days=1)
    return day


def office_hours(rng: Random, day: date) -> datetime:
    """A moment of the first working day from `day` on."""
    nine = datetime.combine(next_workday(day), time(9), tzinfo=SHANGHAI)
    return nine + timedelta(seconds=rng.randrange(7 * 3600))
