"""Moments in addresses: ISO 8601; without a zone they are Beijing's, a mere date means the day's end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import typer
from pydantic import StringConstraints

from adapters.http.problems import Fault, Problem
from domain.submissions import EARLIEST, LATEST
from infra.presentation import known_at, moment
from infra.registers import day

MomentText = Annotated[str, StringConstraints(max_length=40)]
T = TypeVar("T")
YEARS = range(1900, 9000)
"""Beyond them a time cannot be said in every zone."""


def known_at_of(text: str | None) -> datetime | None:
    """Raises Problem."""
    return _read("query.as_known_at", known_at, text)


def since_of(text: str | None) -> datetime | None:
    """A mere date means its start. Raises Problem."""
    return _read("query.since", moment, text) if text else None


def until_of(text: str | None) -> datetime | None:
    """A mere date means its end. Raises Problem."""
    return _read("query.until", known_at, text)


def true_on(text: str | None, field: str = "query.as_true_at") -> date:
    """The date for which an answer is to hold; today where none is given. Raises Problem."""
    return _read(field, day, text or None)


def _read(field: str, read: Callable[[Any], T], text: str | None) -> T:
    try:
        found = read(text)
        if isinstance(found, datetime) and not EARLIEST <= found <= LATEST:
            raise OverflowError
        if isinstance(found, date) and found.year not in YEARS:
            raise OverflowError
        return found
    except (typer.BadParameter, OverflowError):
        fault = Fault(field=field, rule="time.shape", message="must be an ISO 8601 date or time")
        raise Problem(422, "不是 ISO 8601 时间", "not an ISO 8601 time", faults=[fault]) from None
