"""Integrity-risk signals at the terminal (3.3f): what was measured, by which threshold, and the facts behind it."""

from __future__ import annotations

from contextlib import closing
from typing import Any, get_args

import typer

from domain.risks import UNITS, Signal
from infra.answers import department_names
from infra.presentation import Context, Shown, columns, known_at, moment, names_over
from projections.page import Page
from projections.risks import find_risks

RISK = columns("""
    signal | 信号 | signal
    department | 部门 | department
    officer | 经办人 | officer
    officer_name | 姓名 | name
    about
    case | 办件号 | case
    matter
    party | 相对人 | party
    rule | 拒绝理由 | refused because
    measured | 实测 | measured
    threshold | 阈值 | threshold
    unit | 单位 | unit
    period | 期间 | period
    occurred_at | 发生时间 | occurred
    recorded_at | 记录时间 | recorded
    position
    positions | 日志位置 | log positions
""")
_TITLE = ("廉政风险信号（供核查，不是结论）", "Risk signals (to be looked into, no findings)")


def risks(
    context: Context,
    shown: Shown,
    signal: str | None,
    department: str | None,
    since: str | None,
    as_known_at: str | None,
    limit: int,
) -> None:
    if signal is not None and signal not in get_args(Signal):
        raise typer.BadParameter(f"须是 {'、'.join(get_args(Signal))} 之一", param_hint="--kind")
    with closing(context.connect_reader()) as conn:
        found = find_risks(
            conn,
            signal=signal,
            department=department,
            since=moment(since) if since else None,
            known_at=known_at(as_known_at),
            limit=limit,
        )
    rows = [shown_risk(row) for row in found.rows]
    rows = rows if shown.as_json else names_over(rows, ["department"], department_names(context))
    shown.page(_TITLE, RISK, Page(found.total, rows))


def shown_risk(row: dict[str, Any]) -> dict[str, Any]:
    """With the unit of its measure, and its case's number."""
    return row | {"unit": UNITS[row["signal"]], "case": _case(row["about"])}


def _case(about: str) -> str | None:
    return about.rpartition("/")[2] if about.startswith("case/") else None
