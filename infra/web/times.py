"""Moments in addresses: ISO 8601; without a zone they are Beijing's, a mere date means the day's end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import StringConstraints

from adapters.http.problems import Fault, Problem
from domain.submissions import EARLIEST, LATEST
from infra.presentation import known_at, moment

MomentText = Annotated[str, StringConstraints(max_length=40)]


def known_at_of(text: str | None) -> datetime | None:
    """Raises Problem."""
    return _read("query.as_known_at", known_at, text)


def since_of(text: str | None) -> datetime | None:
    """A mere date means its start. Raises Problem."""
    return _read("query.since", moment, text) if text else None


def _read(field: str, read: Callable[[Any], datetime | None], text: str | None) -> datetime | None:
    try:
        found = read(text)
        if found is not None and not EARLIEST <= found <= LATEST:
            raise OverflowError
        return found
    except (typer.BadParameter, OverflowError):
        fault = Fault(field=field, rule="time.shape", message="must be an ISO 8601 date or time")
        raise Problem(422, "不是 ISO 8601 时间", "not an ISO 8601 time", faults=[fault]) from None
