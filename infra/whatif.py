"""`shenguan whatif`: the same notices and findings under another limit or calendar, differences listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

from domain.calendars import CalendarYear
from domain.clocks import TimeLimit
from domain.submissions import local_date
from domain.whatif import Difference, differences, suppose
from infra.presentation import Context, Shown, columns, names_over
from infra.registers import registers_at
from projections.clocks import past_clocks
from projections.page import Page
from projections.receipts import past_notices

SUMMARY = columns("""
    department | 部门 | department
    changed | 期限有变 | due otherwise
    newly_overdue | 将逾期 | would be overdue
    no_longer_overdue | 不再逾期 | no longer overdue
    unknown | 日历未公布 | calendar unknown
""")
DIFFERENCE = columns("""
    subject | 对象 | what
    kind | 时限 | clock
    department | 部门 | department
    since | 起算 | since
    due_on | 原期限 | due
    would_be | 若如此 | would be due
    held | 办结 | done
    was_overdue | 原逾期 | was overdue
    would_be_overdue | 将逾期 | would be overdue
    limit | 时限规定 | limit
    calendar | 工作日历 | calendar
""")


def whatif(
    context: Context,
    shown: Shown,
    supposed: Iterable[TimeLimit | CalendarYear],
    since: date,
    until: date | None,
    department: str | None,
    limit: int,
) -> None:
    """Of what began in the time: what would be due on another day. Nothing is recorded."""
    registers, today = registers_at(context, None), local_date(datetime.now(UTC))
    with closing(context.connect_reader()) as conn:
        window = (conn, since, until or today, department)
        compared = [*past_notices(*window), *past_clocks(*window)]
    found = list(differences(compared, registers, suppose(registers, supposed, since), today))
    names = {code: one.name for code, one in registers.departments.items()}
    rows = [_row(one) for one in found[:limit]]
    if shown.as_json:
        shown.json({"compared": len(compared), "changed": len(found), "departments": _summary(found), "items": rows})
        return
    shown.say(
        f"比较 {len(compared)} 件，期限不同 {len(found)} 件；不作任何记录。",
        f"{len(compared)} compared, {len(found)} due on another day; nothing is recorded.",
    )
    summary = _summary(found)
    shown.page(("按部门", "By department"), SUMMARY, Page(len(summary), names_over(summary, ["department"], names)))
    shown.page(("差异", "Differences"), DIFFERENCE, Page(len(found), names_over(rows, ["department"], names)))


def _summary(found: Iterable[Difference]) -> list[dict[str, Any]]:
    counted: dict[str, Counter[str]] = {}
    for one in found:
        counts = counted.setdefault(one.past.department, Counter())
        counts["changed"] += 1
        counts["newly_overdue"] += one.would_be_overdue is True and one.was_overdue is not True
        counts["no_longer_overdue"] += one.was_overdue is True and one.would_be_overdue is False
        counts["unknown"] += one.would_be_overdue is None
    return [
        {"department": code, **{c.key: counts[c.key] for c in SUMMARY[1:]}} for code, counts in sorted(counted.items())
    ]


def _row(one: Difference) -> dict[str, Any]:
    past = one.past
    return {
        "subject": past.subject,
        "kind": past.kind,
        "department": past.department,
        "since": past.since,
        "due_on": past.due_on,
        "would_be": one.due.on,
        "held": past.held,
        "was_overdue": one.was_overdue,
        "would_be_overdue": one.would_be_overdue,
        "limit": one.due.limit,
        "calendar": one.due.calendar,
    }
