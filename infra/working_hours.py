"""When people are at work, on a working day: in Beijing time."""

from __future__ import annotations

from datetime import datetime, time

from domain.calendars import Calendar
from projections.working_days import CHINA

Hours = tuple[tuple[time, time], ...]
"""From when until when."""


def parse_hours(text: str) -> Hours:
    """`08:30-12:00,14:30-17:30`. Raises ValueError."""
    found = []
    for part in text.split(","):
        begin, end = (time.fromisoformat(one.strip()) for one in part.split("-"))
        if begin >= end:
            raise ValueError(part)
        found.append((begin, end))
    return tuple(found)


def at_work(now: datetime, hours: Hours, calendar: Calendar) -> bool:
    """Raises CalendarUnknown."""
    there = now.astimezone(CHINA)
    return calendar.works(there.date()) and any(begin <= there.time() < end for begin, end in hours)
