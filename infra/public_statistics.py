"""Anonymised public statistics (5.4a): of a quarter that is over, as known at its end, by region or matter and month.

There is one table for each quarter and breakdown, which never changes, and nothing else to be asked for: what is hidden
in one answer would be the difference of two others. Nothing in it is about a person or a case, and what is small is
hidden with whatever would betray it (`domain/disclosure.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from domain.disclosure import Cell, hidden, with_totals
from domain.registers import Registers
from domain.rules import Rejection, rejection
from infra import exporting
from infra.explaining import explained
from infra.presentation import Column, Context, Shown, columns
from infra.registers import registers_at
from infra.statistics import RANKED, Counts, Wanted, gathered, matter_of, region_of
from projections.rates import DISPOSED, IN_TIME, RECEIVED
from projections.statistics import Asked, Known, counters
from projections.working_days import CHINA

TOGETHER = ((RECEIVED, IN_TIME), (DISPOSED,))
"""Rates of the same facts, of which much is known of one by the others; the first has the greatest whole."""
RATES = tuple(rate for rates in TOGETHER for rate in rates)
PUBLIC = columns("""
    key
    name
    month | 月 | month
    owed | 应告知 | owed
    received | 已签收 | received
    receipt_rate | 签收率 | receipt rate
    due | 已到期 | fell due
    received_in_time | 按时签收 | received in time
    timely_receipt_rate | 按时签收率 | timely receipt rate
    feedback_raised | 反馈 | feedback raised
    feedback_disposed | 已处理反馈 | feedback disposed of
    disposition_rate | 处理率 | disposition rate
""")
HIDDEN = "＊"
Grid = list[list[int]]


def public(context: Context, shown: Shown, wanted: Wanted, overdue: bool, quarter: str | None, smallest: int) -> None:
    try:
        by, months = required(wanted, overdue, quarter, datetime.now(CHINA).date())
    except Rejection as error:
        [wrong] = error.errors
        said = [explained(asdict(wrong), zh) for zh in (True, False)]
        raise shown.fail(*said, field=wrong.field, rule=wrong.rule) from None
    end = last_day(months[-1])
    registers = registers_at(context, end.isoformat())
    with closing(context.connect_reader()) as conn:
        rows = rows_of(conn, registers, shown.zh, by, months, smallest)
    shape = [Column("name", *RANKED[by]) if one.key == "name" else one for one in PUBLIC]
    if wanted.file is not None:
        written = rows if wanted.file.suffix == ".jsonl" else starred(rows)
        exporting.save(shown, wanted.file, shape, len(rows), written)
        return
    if shown.as_json:
        quarter = f"{end.year}Q{end.month // 3}"
        shown.json({"quarter": quarter, "as_known_at": end, "by": by, "smallest": smallest, "items": rows})
        return
    shown.table((f"公开统计，{end} 所知", f"Public statistics, as known on {end}"), shape, starred(rows))
    shown.say(
        f"{HIDDEN} 小于 {smallest}，或会使小于 {smallest} 的数被推算出来。",
        f"{HIDDEN} is less than {smallest}, or would betray what is.",
    )


def required(wanted: Wanted, overdue: bool, quarter: str | None, today: date) -> tuple[str, list[date]]:
    """The breakdown and the quarter's months, by their first days. Raises Rejection."""
    by = wanted.by or "region"
    if by not in ("region", "matter"):
        raise rejection("by", "public.breakdown", by)
    chosen = {
        "department": wanted.department,
        "matter": wanted.matter,
        "about": wanted.about,
        "from": wanted.since,
        "to": wanted.until,
        "as_known_at": wanted.as_known_at,
        "overdue": overdue or None,
    }
    for field, value in chosen.items():
        if value is not None:
            raise rejection(field, "public.selection", value)
    if quarter is None:
        before = _first(today).replace(month=(today.month - 1) // 3 * 3 + 1) - timedelta(days=1)
        first = _first(before).replace(month=before.month - 2)
    else:
        written = re.fullmatch(r"(20\d\d)Q([1-4])", quarter)
        if written is None:
            raise rejection("quarter", "public.quarter", quarter)
        first = date(int(written[1]), int(written[2]) * 3 - 2, 1)
    months = [first.replace(month=first.month + n) for n in range(3)]
    if last_day(months[-1]) >= today:
        raise rejection("quarter", "public.quarter", quarter)
    return by, months


def rows_of(
    conn: Connection[Any], registers: Registers, zh: bool, by: str, months: Sequence[date], smallest: int
) -> list[dict[str, Any]]:
    """A line for each part and month and for their totals, by the registers as known at the end; None is hidden."""
    counted = _counted(conn, registers, zh, by, months)
    names = sorted(counted)
    cells: dict[str, list[list[int | None]]] = {}
    for rates in TOGETHER:
        wholes = [_grid(counted, names, rate.whole, len(months)) for rate in rates]
        parts = [_grid(counted, names, rate.part, len(months)) for rate in rates]
        unshown = hidden(wholes, parts, smallest)
        for rate, of, these in zip(rates, wholes, parts, strict=True):
            cells |= {rate.whole: _cells(of, unshown), rate.part: _cells(these, unshown)}
    rows = []
    total = "合计" if zh else "total"
    lines = [*names, ("total", total)] if names else []
    labels = [*(month.isoformat()[:7] for month in months), total]
    for i, (key, name) in enumerate(lines):
        for j, label in enumerate(labels):
            row: dict[str, Any] = {"key": key, "name": name, "month": label}
            for rate in RATES:
                part, whole = cells[rate.part][i][j], cells[rate.whole][i][j]
                quotient = None if part is None or whole is None else round(part / whole, 4)
                row |= {rate.whole: whole, rate.part: part, rate.key: quotient}
            rows.append(row)
    return rows


def _counted(
    conn: Connection[Any], registers: Registers, zh: bool, by: str, months: Sequence[date]
) -> dict[tuple[str, str], dict[int, Counts]]:
    """By key and name, and by month. Classified matters are nowhere in it."""
    end = last_day(months[-1])
    secret = [code for code, history in registers.matters.items() if history.entry.classified]
    counted: dict[tuple[str, str], dict[int, Counts]] = {}
    for number, first in enumerate(months):
        asked = Asked(since=first, until=last_day(first))
        if by == "region":
            found = counters(conn, "department", asked, Known(end, end), but=secret)
            lines = gathered(found, region_of(registers, zh))
        else:
            lines = gathered(counters(conn, "matter", asked, Known(end, end), but=secret), matter_of(registers, zh))
        for one in lines:
            counted.setdefault((one.key, one.name), {})[number] = one.counts
    return counted


def _grid(
    counted: Mapping[tuple[str, str], Mapping[int, Counts]], names: Sequence[tuple[str, str]], counter: str, months: int
) -> Grid:
    rows = [[counted[name][n][counter] if n in counted[name] else 0 for n in range(months)] for name in names]
    return with_totals(rows or [[0] * months])


def _cells(full: Grid, unshown: set[Cell]) -> list[list[int | None]]:
    return [[None if (i, j) in unshown else value for j, value in enumerate(row)] for i, row in enumerate(full)]


def starred(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For people: rates in percent, a mark where something is hidden."""
    rates = {rate.key for rate in RATES}
    return [
        {key: HIDDEN if value is None else f"{value:.1%}" if key in rates else value for key, value in row.items()}
        for row in rows
    ]


def _first(on: date) -> date:
    return on.replace(day=1)


def last_day(first: date) -> date:
    """The month's last day."""
    return _first(first.replace(day=28) + timedelta(days=4)) - timedelta(days=1)
