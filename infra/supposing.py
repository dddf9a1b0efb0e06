"""What somebody supposes: entries of the lists of limits and of calendars, from a file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from domain.calendars import CalendarYear
from domain.clocks import TimeLimit
from domain.submissions import field_errors
from infra.presentation import Shown
from infra.registers import day

_SUPPOSED = TypeAdapter[TimeLimit | CalendarYear](Annotated[TimeLimit | CalendarYear, Field(discriminator="kind")])


def read(file: Path, shown: Shown) -> list[TimeLimit | CalendarYear]:
    """One entry or several. Says what is wrong with them, field by field, and ends."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise shown.fail(f"读不了 {file}：不是可读的 JSON 文件。", f"{file} is no readable JSON file.") from error
    try:
        entries = [_SUPPOSED.validate_python(one) for one in (found if isinstance(found, list) else [found])]
    except ValidationError as error:
        wrong = [f"{one.field}：{one.message}（{one.rule}）" for one in field_errors(error)]
        raise shown.fail(
            f"不能这样假设：{'；'.join(wrong)}。", f"This cannot be supposed: {'; '.join(wrong)}."
        ) from error
    return entries


def window(since: str, until: str | None) -> tuple[date, date | None]:
    """The days between which clocks began."""
    return day(since), day(until) if until else None
