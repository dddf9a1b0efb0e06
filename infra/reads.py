"""Who has read what as an inspector (3.3e), and what was refused to whom: asked at the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from adapters.postgres.log import Log
from domain.event import Recorded
from domain.identifiers import holds_resident_id
from domain.personal import Sealed
from domain.reads import Parameter, ReadRecorded
from infra.answers import ATTEMPT, department_names
from infra.presentation import Context, Shown, columns, known_at, moment, names_over
from projections.attempts import find_attempts
from projections.page import Page

READ = columns("""
    position
    recorded_at | 时间 | time
    department | 部门 | department
    principal | 接入方 | principal
    caller
    officer | 查阅人 | officer
    officer_name | 姓名 | name
    command | 查阅 | command
    parameters | 参数 | parameters
    as_known_at | 时点 | as known at
    revealed | 显示个人信息 | persons in clear
    reason | 事由 | reason
    rows | 条数 | rows
""")

_CODE = re.compile(r"[A-Za-z0-9_./:+-]{1,64}")


def reads(
    context: Context, shown: Shown, department: str | None, since: str | None, as_known_at: str | None, limit: int
) -> None:
    """The latest first, as the log has them."""
    with closing(context.connect()) as conn:
        found = Log(conn).recorded_under("read", known_at(as_known_at))
    after = moment(since) if since else None
    rows = []
    for one in sorted(found, key=lambda one: -one.position):
        row = read_row(one, context.open)
        if row is None or department not in (None, row["department"]):
            continue
        if after is not None and one.recorded_at < after:
            continue
        if not shown.as_json:
            row["parameters"] = [f"{k}={shown.plain(v)}" for k, v in row["parameters"].items()]
        rows.append(row)
    total, rows = len(rows), rows[:limit]
    rows = rows if shown.as_json else names_over(rows, ["department"], department_names(context))
    shown.page(("监察查阅记录", "Inspectors' reads"), READ, Page(total, rows))


def read_row(one: Recorded, open_: Callable[[Sealed], str | None]) -> dict[str, Any] | None:
    """A read as it is shown; None where the event is none. `open_` gives a personal value in clear, by which it is seen
    whether it is one."""
    event, officer = one.event, one.event.meta.officer
    if not isinstance(event, ReadRecorded):
        return None
    values = event.model_dump(include={"department", "principal", "command", "as_known_at", "revealed", "rows"})
    return values | {
        "position": one.position,
        "recorded_at": one.recorded_at,
        "caller": event.meta.caller,
        "officer": officer.id if officer else None,
        "officer_name": officer.name if officer else None,
        "parameters": {parameter.name: _said(open_, parameter) for parameter in event.parameters},
        "reason": event.reason,
    }


def _said(open_: Callable[[Sealed], str | None], parameter: Parameter) -> Any:
    """Codes, numbers and dates in clear; all else is personal data until it is shown to be none."""
    value = parameter.value
    opened = open_(value) if isinstance(value, Sealed) else value
    return opened if opened is not None and _CODE.fullmatch(opened) and not holds_resident_id(opened) else value


def attempts(
    context: Context,
    shown: Shown,
    department: str | None,
    rule: str | None,
    since: str | None,
    as_known_at: str | None,
    limit: int,
) -> None:
    with closing(context.connect_reader()) as conn:
        found = find_attempts(
            conn,
            department=department,
            rule=rule,
            since=moment(since) if since else None,
            known_at=known_at(as_known_at),
            limit=limit,
        )
    rows = found.rows if shown.as_json else names_over(found.rows, ["department"], department_names(context))
    shown.page(("被拒绝的尝试", "Refused attempts"), ATTEMPT, Page(found.total, rows))
