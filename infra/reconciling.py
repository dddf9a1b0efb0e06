"""Counts per source and day: what was declared as sent against what came (2.6b)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from typing import Any

from adapters.postgres.log import Log
from domain.counts import CountDeclared
from infra.presentation import Context, Shown, columns
from infra.registers import day as as_day
from projections.outcomes import came
from projections.page import Page

RECONCILED = columns("""
    source | 来源 | source
    day | 日期 | day
    declared | 已报发送 | declared as sent
    came | 已收到 | came
    missing | 差数 | missing
    dead | 其中死信 | of these dead
    parked | 其中暂存 | of these parked
""")


def reconcile(context: Context, shown: Shown, source: str | None, day: str | None, differing: bool) -> None:
    on = as_day(day) if day else None
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under(f"count/{source}" if source else "count")
        last = [events[-1] for events in streams.values()]
        declared = [one for one in last if isinstance(one, CountDeclared) and on in (None, one.day)]
        found = came(conn, [(one.counted_source, one.day) for one in declared])
    rows = [_row(one, found.get((one.counted_source, one.day), {})) for one in declared]
    rows = [row for row in rows if row["missing"] or not differing]
    shown.page(("收发核对", "Counts reconciled"), RECONCILED, Page(len(rows), _sorted(rows)))


def _row(one: CountDeclared, found: dict[str, int]) -> dict[str, Any]:
    total = sum(found.values())
    return {
        "source": one.counted_source,
        "day": one.day,
        "declared": one.count,
        "came": total,
        "missing": one.count - total,
        "dead": found.get("dead", 0),
        "parked": found.get("parked", 0),
    }


def _sorted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    def latest(row: dict[str, Any]) -> tuple[int, str]:
        day: date = row["day"]
        return -day.toordinal(), row["source"]

    return sorted(rows, key=latest)
