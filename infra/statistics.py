"""Statistics of two-way notification at the terminal (2.2k): rates with what they were divided by, as known at the end
of any day, ranked or by period, and the notices that are overdue."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, get_args

import typer
from psycopg import Connection

from domain.identifiers import REGIONS, league_of
from domain.notices import About
from domain.registers import Registers
from infra import exporting
from infra.presentation import Column, Context, Shown, columns, names_over
from infra.registers import day, registers_at
from projections.page import Page
from projections.rates import IN_TIME, RATES, mean_receipt_days, summed, totalled
from projections.statistics import Asked, Known, counters, find_overdue
from projections.working_days import CHINA

Counts = Mapping[str, int]
Named = Callable[[Any], tuple[str, str]]
"""Key and name of the line to which a department, a matter or a day belongs."""
REGION = "150000"

RANKED = {
    "department": ("部门", "department"),
    "matter": ("事项", "matter"),
    "region": ("盟市", "league or city"),
}
PERIODS: dict[str, tuple[str, str, Callable[[date], str]]] = {
    "day": ("日", "day", date.isoformat),
    "month": ("月", "month", lambda on: on.isoformat()[:7]),
    "quarter": ("季度", "quarter", lambda on: f"{on.year}Q{(on.month + 2) // 3}"),
    "year": ("年", "year", lambda on: str(on.year)),
}
COUNT = columns("""
    owed | 应告知 | owed
    received | 已签收 | received
    deemed | 视为接收 | deemed
    moved | 已移交 | moved
    outstanding | 未签收 | outstanding
    returned | 退回 | returned
    dispatched | 已推送 | dispatched
    dispatch_due | 应已推送 | dispatch due
    dispatched_in_time | 及时推送 | dispatched in time
    due | 已到期 | fell due
    received_in_time | 按时签收 | received in time
    overdue | 逾期 | overdue
    overdue_outstanding | 逾期未签收 | overdue, not received
    undated | 期限未知 | no due date known
    receipts_dated
    receipt_days
    late_ended
    cases_told | 被告知办件 | cases told
    cases_with_feedback | 有反馈办件 | cases with feedback
    feedback_raised | 反馈 | feedback raised
    feedback_disposed | 已处理反馈 | feedback disposed of
    answer_due | 应已答复 | answer due
    answered_in_time | 及时答复 | answered in time
""")
_STATE = ("owed", "received", "deemed", "moved", "outstanding", "overdue_outstanding")
_MEAN = Column("mean_receipt_days", "平均签收工作日", "mean working days to receipt")
_RATES = {rate.key: Column(rate.key, rate.zh, rate.en) for rate in RATES}
OVERDUE = columns("""
    department | 部门 | department
    serial | 编号 | serial
    case | 办件号 | case
    case_stream
    matter | 事项 | matter
    about | 告知 | about
    owed_on | 应告知 | owed
    due_on | 签收期限 | due
    days_over | 逾期工作日 | working days overdue
    notice
""")


class Wanted(NamedTuple):
    """What was asked for, as given."""

    by: str | None = None
    department: str | None = None
    matter: str | None = None
    about: str | None = None
    since: str | None = None
    until: str | None = None
    as_known_at: str | None = None
    rank: str = IN_TIME.key
    limit: int = 50
    file: Path | None = None


class Part(NamedTuple):
    """One line: of what, by code and name, and its counters."""

    key: str
    name: str
    counts: Counts


def statistics(context: Context, shown: Shown, wanted: Wanted) -> None:
    if wanted.by not in (None, *RANKED, *PERIODS):
        raise typer.BadParameter(f"须是 {'、'.join((*RANKED, *PERIODS))} 之一", param_hint="--by")
    if wanted.rank not in _RATES:
        raise typer.BadParameter(f"须是 {'、'.join(_RATES)} 之一", param_hint="--rank")
    known, asked = known_on(wanted.as_known_at), _asked(wanted)
    registers = registers_at(context, wanted.as_known_at)
    with closing(context.connect_reader()) as conn:
        parts, total = parts_of(conn, registers, wanted.by, asked, known, shown.zh)
    rows = [{"key": one.key, "name": one.name, **figures(one.counts)} for one in parts]
    if wanted.by in RANKED:
        rows = ranked(rows, wanted.rank)
    whole = figures(total)
    if wanted.file is not None:
        lines = [flat(row) for row in rows or [whole]]
        exporting.save(shown, wanted.file, exported(wanted.by), len(lines), lines)
        return
    if shown.as_json:
        shown.json(
            {
                "as_known_at": known.on,
                "limits_ended": known.ended,
                "from": asked.since,
                "to": asked.until,
                "by": wanted.by,
                "items": rows,
                "total": whole,
            }
        )
        return
    _say(shown, known, asked, whole)
    name = Column("name", *_heading(wanted.by))
    lines = [_line(row) for row in [*rows, {"name": "合计" if shown.zh else "total", **whole}]]
    rank = [Column("rank", "名次", "rank")] if wanted.by in RANKED else []
    told = [name, *(c for c in COUNT if c.key in _STATE), *(_RATES[rate.key] for rate in RATES[:4]), _MEAN]
    shown.table(("告知与签收", "Notices and receipts"), [*rank, *told], lines)
    shown.table(("监管反馈", "Feedback"), [name, *(_RATES[rate.key] for rate in RATES[4:])], lines)
    shown.say(
        "比率后为 分子/分母；分母为零则无比率（—）。", "After each rate part/whole; of nothing there is no rate (—)."
    )


def overdue(context: Context, shown: Shown, wanted: Wanted) -> None:
    known, asked = known_on(wanted.as_known_at), _asked(wanted)
    registers = registers_at(context, wanted.as_known_at)
    limit = wanted.limit if wanted.file is None else exporting.SHEET_ROWS
    with closing(context.connect_reader()) as conn:
        found = find_overdue(conn, asked, known, limit)
    rows = [overdue_row(row, registers, known) for row in found.rows]
    if not shown.as_json:
        names = {code: one.name for code, one in registers.departments.items()}
        rows = names_over(rows, ["department"], names)
    if wanted.file is not None:
        exporting.save(shown, wanted.file, OVERDUE, len(rows), rows)
        return
    shown.page(
        (f"逾期未签收，{known.on} 所知", f"Overdue and not received, as known on {known.on}"),
        OVERDUE,
        Page(found.total, rows),
    )


def overdue_row(row: dict[str, Any], registers: Registers, known: Known) -> dict[str, Any]:
    """With its case's number, and since how many working days it is overdue."""
    return row | {
        "case": row["case_stream"].rpartition("/")[2],
        "days_over": registers.waited(row["due_on"], known.on),
    }


def known_on(text: str | None) -> Known:
    """The end of a day gone by; today, as far as it goes, where none is given. Counters know of days only."""
    today = datetime.now(CHINA).date()
    if text is None:
        return Known(today, today - timedelta(days=1))
    if not re.fullmatch(r"\d{4}-?\d\d-?\d\d", text):
        raise typer.BadParameter("统计按日：只给日期 (by days: give a date only)", param_hint="--as-known-at")
    on = day(text)
    if on > today:
        raise typer.BadParameter(f"{on} 尚未到 (is yet to come)", param_hint="--as-known-at")
    return Known(on, on if on < today else today - timedelta(days=1))


def _asked(wanted: Wanted) -> Asked:
    if wanted.about not in (None, *get_args(About)):
        raise typer.BadParameter(f"须是 {'、'.join(get_args(About))} 之一", param_hint="--about")
    since, until = (day(text) if text else None for text in (wanted.since, wanted.until))
    if since is not None and until is not None and since > until:
        raise typer.BadParameter(f"{until} 早于 {since} (is before it)", param_hint="--to")
    return Asked(wanted.department, wanted.matter, wanted.about, since, until)


def parts_of(
    conn: Connection[Any],
    registers: Registers,
    by: str | None,
    asked: Asked,
    known: Known,
    zh: bool,
    but: Collection[str] = (),
) -> tuple[list[Part], Counts]:
    """The lines, by key, and their sum, without the matters `but`. Regions are those of the register as it was known
    then."""
    if by in PERIODS:
        label = PERIODS[by][2]
        parts = gathered(counters(conn, "cohort", asked, known, but), lambda on: (label(on), label(on)))
    elif by == "matter":
        parts = gathered(counters(conn, "matter", asked, known, but), matter_of(registers, zh))
    else:
        named = region_of(registers, zh) if by == "region" else department_of(registers)
        parts = gathered(counters(conn, "department", asked, known, but), named)
    return parts if by is not None else [], summed([one.counts for one in parts])


def gathered(found: Mapping[Any, Counts], named: Named) -> list[Part]:
    """Counters that go by one key and name, in one line."""
    parts: dict[tuple[str, str], list[Counts]] = {}
    for key, counts in found.items():
        parts.setdefault(named(key), []).append(counts)
    return [Part(*name, summed(counts)) for name, counts in sorted(parts.items())]


def department_of(registers: Registers) -> Named:
    def named(code: str) -> tuple[str, str]:
        entry = registers.departments.get(code)
        return code, entry.name if entry else code

    return named


def matter_of(registers: Registers, zh: bool) -> Named:
    def named(code: str) -> tuple[str, str]:
        history = registers.matters.get(code)
        return code, history.entry.name if history else code or ("无事项" if zh else "no matter")

    return named


def region_of(registers: Registers, zh: bool) -> Named:
    """In which league or city a department is; beside these the region itself, or what lies outside it."""

    def named(code: str) -> tuple[str, str]:
        entry = registers.departments.get(code)
        if entry is None:
            return "", "未登记" if zh else "not on record"
        league = league_of(entry.region)
        if league is not None:
            return league, REGIONS[league]
        province = f"{entry.region[:2]}0000"
        return province, ("自治区本级" if zh else "the region itself") if province == REGION else province

    return named


def figures(counts: Counts) -> dict[str, Any]:
    """Counters, and each rate with its part and whole."""
    found: dict[str, Any] = totalled(counts)
    for rate in RATES:
        found[rate.key] = {"rate": rate.of(counts), "part": counts[rate.part], "whole": counts[rate.whole]}
    found[_MEAN.key] = {"days": mean_receipt_days(counts), "receipts": counts["receipts_dated"]}
    return found


def ranked(rows: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The highest rate first, those without one last; like rates share a rank."""
    rates = sorted((row[key]["rate"] for row in rows if row[key]["rate"] is not None), reverse=True)
    placed = [{"rank": None if (rate := row[key]["rate"]) is None else rates.index(rate) + 1, **row} for row in rows]
    return sorted(placed, key=lambda row: (row["rank"] is None, row["rank"], row["key"]))


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """For people: `95.0% 19/20`, and — where there is no rate."""
    shown = dict(row)
    for key in _RATES:
        one = row[key]
        shown[key] = "—" if one["rate"] is None else f"{one['rate']:.1%} {one['part']}/{one['whole']}"
    mean = row[_MEAN.key]
    shown[_MEAN.key] = "—" if mean["days"] is None else f"{mean['days']:.1f} /{mean['receipts']}"
    return shown


def exported(by: str | None) -> list[Column]:
    """One column a figure: rates as fractions, parts and wholes beside them."""
    keys = [Column("key", "编码", "key"), Column("name", *_heading(by))] if by is not None else []
    rank = [Column("rank", "名次", "rank")] if by in RANKED else []
    return [*rank, *keys, *COUNT, *_RATES.values(), _MEAN]


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    rates = {key: _rounded(row[key]["rate"]) for key in _RATES}
    return {**row, **rates, _MEAN.key: _rounded(row[_MEAN.key]["days"])}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _heading(by: str | None) -> tuple[str, str]:
    return ("", "") if by is None else RANKED[by] if by in RANKED else PERIODS[by][:2]


def _say(shown: Shown, known: Known, asked: Asked, whole: Mapping[str, Any]) -> None:
    """As of when, of what period, and what could not be dated."""
    since, until = asked.since or "…", asked.until or "…"
    shown.say(
        f"{known.on} 所知；期限计到 {known.ended}；{since} 至 {until} 应告知、提出的。",
        f"As known on {known.on}, time limits as far as {known.ended}; owed or raised from {since} to {until}.",
    )
    if whole["undated"]:
        shown.say(
            f"{whole['undated']} 件的工作日历未公布，未计期限。",
            f"Of {whole['undated']} the calendar is not published: they have no due date.",
        )
