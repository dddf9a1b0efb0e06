"""`shenguan region`: the figures of every store and their sum, and what is outstanding anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from infra.answers import READING, department_names, log_readings
from infra.presentation import Context, Shown, columns, names_over
from projections.page import Page
from projections.region import Region, figures, find_outstanding

COUNTS = ("decisions", "owed", "received", "deemed", "moved", "outstanding")
FIGURE = columns("""
    store | 库 | store
    department | 部门 | department
    decisions | 决定 | decisions
    owed | 应告知 | owed
    received | 已签收 | received
    deemed | 视为接收 | deemed
    moved | 已移交 | moved
    outstanding | 未签收 | outstanding
    oldest | 最久未签收自 | oldest outstanding
""")
OUTSTANDING = columns("""
    store | 库 | store
    department | 部门 | department
    serial | 编号 | serial
    notice
    case_stream
    case | 办件号 | case
    about | 告知 | about
    owed_at | 应告知 | owed
""")


def region(
    context: Context, shown: Shown, store: str | None, department: str | None, departments: bool, limit: int
) -> None:
    """JSON: `read` (how far each store's log was read, and when), `sum`, `stores`, `departments`, `outstanding`."""
    with closing(context.connect()) as conn:
        readings = [one for one in log_readings(conn, Region.name) if store in (None, one["store"])]
    with closing(context.connect_reader()) as conn:
        rows = [
            row for row in figures(conn) if store in (None, row["store"]) and department in (None, row["department"])
        ]
        found = find_outstanding(conn, store=store, department=department, limit=limit)
    if not readings and not rows:
        raise shown.fail(
            "本库没有读取任何库的日志：须设 SHENGUAN_REGION_STORES 并运行角色 region。",
            "No store's log was read here: set SHENGUAN_REGION_STORES and run the role region.",
        )
    for row in found.rows:
        row["case"] = row["case_stream"].rpartition("/")[2]
    silent: dict[str, list[Mapping[str, Any]]] = {one["store"]: [] for one in readings}
    stores = [{"store": name, **added(of)} for name, of in sorted((silent | by_store(rows)).items())]
    if shown.as_json:
        shown.json(
            {
                "read": [{c.key: one[c.key] for c in READING} for one in readings],
                "sum": added(rows),
                "stores": stores,
                "departments": rows,
                "outstanding": {
                    "total": found.total,
                    "shown": len(found.rows),
                    "items": [{c.key: row[c.key] for c in OUTSTANDING} for row in found.rows],
                },
            }
        )
        return
    names = department_names(context)
    shown.table(("读到何处", "How far each log was read"), READING, readings)
    total = {"store": "合计" if shown.zh else "sum", **added(rows)}
    shown.table(("各库", "Stores"), FIGURE, [*stores, total])
    if departments:
        shown.table(("各部门", "Departments"), FIGURE, names_over(rows, ["department"], names))
    shown.page(("未签收", "Outstanding"), OUTSTANDING, Page(found.total, names_over(found.rows, ["department"], names)))


def by_store(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """In the order of the stores' names."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["store"], []).append(row)
    return found


def added(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of figures, with the oldest of all that are outstanding."""
    rows = list(rows)
    oldest = min((row["oldest"] for row in rows if row["oldest"] is not None), default=None)
    return {name: sum(row[name] for row in rows) for name in COUNTS} | {"oldest": oldest}
