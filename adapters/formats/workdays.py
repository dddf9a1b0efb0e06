"""The State Council's working days as `chinese-calendar` has them."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from typing import Any, Final

from chinese_calendar.constants import holidays, workdays

from domain.calendars import Published

_DISTRIBUTION = "chinese-calendar"
_SATURDAY = 5
FIRST: Final = 2020
"""The year of the notice: no clock runs from before."""


def published() -> Published:
    """As far as the library goes."""

    def among(days: dict[date, Any], weekend: bool) -> tuple[date, ...]:
        return tuple(sorted(d for d in days if d.year >= FIRST and (d.weekday() >= _SATURDAY) == weekend))

    edition = f"chinese-calendar {version(_DISTRIBUTION)}"
    return Published(edition, FIRST, max(holidays).year, among(holidays, False), among(workdays, True))
