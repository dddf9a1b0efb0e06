"""Ratings at the terminal (3.3a–c): figures by level and of what became of the bad ones, or the ratings themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from typing import Any, NamedTuple, get_args

import typer

from domain.ratings import BAD, RatingStatus
from infra.answers import department_names
from infra.presentation import Context, Shown, columns, known_at, moment, names_over
from projections.page import Page
from projections.ratings import By, find_ratings, rating_figures

FIGURES = columns("""
    group | 分组 | of
    total | 评价 | ratings
    level_5 | 非常满意 | very content
    level_4 | 满意 | content
    level_3 | 基本满意 | fairly content
    level_2 | 不满意 | discontent
    level_1 | 非常不满意 | very discontent
    bad | 差评 | bad
    bad_rate | 差评率 | rate of bad
    contacted | 已联系 | contacted
    contacted_in_time | 按时联系 | in time
    contacted_rate | 按时联系率 | rate contacted in time
    rectified | 已整改 | put right
    rectified_in_time | 按时整改 | in time
    rectified_rate | 整改率 | rate put right
    revisited | 已回访 | asked again
    revisited_in_time | 按时回访 | in time
    revisited_rate | 回访率 | rate asked again
    satisfied | 回访满意 | content then
    appealed | 申诉 | appealed
    excluded | 剔除 | excluded
""")
RATING = columns("""
    department | 部门 | department
    number | 编号 | number
    service | 服务 | service
    case_stream
    matter
    level | 等级 | level
    tags | 标签 | tags
    comment | 意见 | comment
    window | 窗口 | window
    rated_at | 评价时间 | rated
    status | 状态 | status
    appeal | 申诉 | appeal
    due | 期限 | due
    contacted_at | 联系核实 | contacted
    finding | 核实结果 | finding
    rectified_on | 整改 | put right
    revisited_on | 回访 | asked again
    satisfied | 回访满意 | content then
    recorded_at
    position
""")


class Wanted(NamedTuple):
    """Which ratings are asked for; all of them where nothing is said."""

    department: str | None = None
    matter: str | None = None
    since: str | None = None
    until: str | None = None

    def conditions(self) -> dict[str, Any]:
        return {
            "department": self.department,
            "matter": self.matter,
            "since": moment(self.since) if self.since else None,
            "until": moment(self.until, end_of_day=True) if self.until else None,
        }


def figures(context: Context, shown: Shown, wanted: Wanted, by: str, as_known_at: str | None) -> None:
    group = next((one for one in get_args(By) if one == by), None)
    if group is None:
        raise typer.BadParameter(f"须是 {'、'.join(get_args(By))} 之一", param_hint="--by")
    with closing(context.connect_reader()) as conn:
        rows = rating_figures(conn, group, **wanted.conditions(), known_at=known_at(as_known_at))
    for row in rows:
        row["bad_rate"] = _rate(row["bad"], row["total"])
        row["contacted_rate"] = _rate(row["contacted_in_time"], row["bad"])
        row["rectified_rate"] = _rate(row["rectified"], row["bad"])
        row["revisited_rate"] = _rate(row["revisited"], row["bad"])
    if not shown.as_json and by == "department":
        rows = names_over(rows, ["group"], department_names(context))
    shown.page(("好差评", "Ratings"), FIGURES, Page(len(rows), rows))


def _rate(part: int, whole: int) -> str | None:
    """In percent; none of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else None


def ratings(
    context: Context, shown: Shown, wanted: Wanted, bad: bool, as_known_at: str | None, limit: int
) -> None:  # fmt: skip
    at: datetime | None = known_at(as_known_at)
    with closing(context.connect_reader()) as conn:
        found = find_ratings(conn, **wanted.conditions(), bad=bad, known_at=at, limit=limit)
    rows = [as_known(row) | {"due": None if at else _due(row, not shown.as_json)} for row in found.rows]
    if not shown.as_json:
        rows = names_over(rows, ["department"], department_names(context))
    shown.page(("评价", "Ratings"), RATING, Page(found.total, rows))


def as_known(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without the steps that were not known then."""
    made = dict(row) | {"status": _status(row), "appeal": None}
    if not row["contacted"]:
        made |= {"contacted_at": None, "finding": None}
    if not row["rectified"]:
        made["rectified_on"] = None
    if not row["revisited"]:
        made |= {"revisited_on": None, "satisfied": None}
    if row["appealed"]:
        made["appeal"] = row["appeal"] if row["judged"] else "appealed"
    return made


def _due(row: Mapping[str, Any], in_words: bool) -> date | str | None:
    """Until when the next step is to be taken, as it stands now; in words, why there is no such day."""
    clock = _CLOCKS.get(_status(row))
    if clock is None:
        return None
    if row[f"{clock}_suspended_on"] is not None:
        return "clock.suspended" if in_words else None
    due: date | None = row[f"{clock}_due"]
    return due or ("unknown" if in_words else None)


_CLOCKS = {"to_contact": "contact", "to_rectify": "rectify", "to_revisit": "revisit"}


def _status(row: Mapping[str, Any]) -> RatingStatus:
    if row["level"] > BAD:
        return "good"
    if row["excluded"]:
        return "excluded"
    if not row["contacted"]:
        return "to_contact"
    if not row["rectified"]:
        return "to_rectify"
    return "settled" if row["revisited"] else "to_revisit"
