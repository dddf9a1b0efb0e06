"""`shenguan lamps`: who has how much to do, and how much of it is late (3.3d)."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any, Final

from adapters.postgres.log import Log
from domain.calendars import CalendarUnknown
from domain.clock_state import Clock, clock_stream
from domain.clocks import Lamp, lamp
from domain.ladders import clock_of
from domain.registers import Registers
from domain.tasks import WORKS, tasks_stream
from domain.world import World
from infra.presentation import Context, Shown, columns, names_over
from infra.registers import day, registers_at
from projections import lamps as lighting
from projections.page import Page

COUNTS = columns("""
    department | 部门 | department
    kind | 时限 | clock
    red | 红灯 | red
    yellow | 黄灯 | yellow
    green | 绿灯 | green
    paused | 中止 | paused
    unknown | 日历未公布 | calendar unknown
""")
CLOCK = columns("""
    subject | 对象 | what
    kind | 时限 | clock
    department | 部门 | department
    case_stream
    matter
    due_on | 截止 | due
    lamp | 灯 | lamp
    due_limit | 时限规定 | limit
    due_document | 政策文件 | document
    due_calendar | 工作日历 | calendar
    rungs | 催办督办次数 | times pressed
    pressed_at | 最近催办 | last pressed
""")
CASES: Final = "decide"
TITLE: Final = ("电子监察", "Lamps")


def lamps(context: Context, shown: Shown, department: str | None, kind: str | None, on: str | None) -> None:
    """Counts by department and kind of clock."""
    today, registers = day(on), registers_at(context, None)
    counted: dict[tuple[str, str], Counter[str]] = {}
    with closing(context.connect_reader()) as reader:
        for row in lighting.lamps(reader, today, department, kind):
            counted.setdefault((row["department"], row["kind"]), Counter())[row["lamp"]] = row["count"]
        if kind in (None, CASES):
            for clock in _cases(context, reader, registers, today, department):
                counted.setdefault((clock["department"], CASES), Counter())[clock["lamp"]] += 1
    rows = [
        {
            "department": code,
            "kind": which,
            **{name: found[name] for name in ("red", "yellow", "green", "paused", "unknown")},
        }
        for (code, which), found in sorted(counted.items())
    ]
    names = {code: one.name for code, one in registers.departments.items()}
    shown.page(
        ("电子监察", "Lamps"),
        COUNTS,
        Page(len(rows), rows if shown.as_json else names_over(rows, ["department"], names)),
    )


def showing(
    context: Context, shown: Shown, which: Lamp, department: str | None, kind: str | None, on: str | None, limit: int
) -> None:
    """Those that show one lamp, and by which rule, document and calendar they are due."""
    today, registers = day(on), registers_at(context, None)
    with closing(context.connect_reader()) as reader:
        found = lighting.running(reader, today, which, department, kind, limit)
        rows, total = found.rows, found.total
        if kind in (None, CASES):
            cases = [one for one in _cases(context, reader, registers, today, department) if one["lamp"] == which]
            rows, total = [*rows, *cases[: limit - len(rows)]], total + len(cases)
    shown.page(TITLE, CLOCK, Page(total, _named(registers, rows, shown)))


def _named(registers: Registers, rows: list[dict[str, Any]], shown: Shown) -> list[dict[str, Any]]:
    names = {code: one.name for code, one in registers.departments.items()}
    return rows if shown.as_json else names_over(rows, ["department"], names)


def _cases(
    context: Context, reader: Any, registers: Registers, today: date, department: str | None
) -> list[dict[str, Any]]:
    """Of a case that may be late, or wait for its tasks, it is asked for exactly how its clock stands."""
    found = lighting.undecided(reader, tuple(registers.entries.get("guide", ())), department)
    with closing(context.connect()) as conn:
        world = World(registers, Log(conn).streams, datetime.now(UTC))
        asked = [row["stream"] for row in found if _near(registers, row["decide_by"], today) or _waits(registers, row)]
        world.prefetch({*asked, *map(clock_stream, asked), *(tasks_stream(*one.split("/")[1:]) for one in asked)})
        exact = {stream: clock_of(stream, world) for stream in asked}
    known = [row for row in found if row["decide_by"] is not None or exact[row["stream"]] is not None]
    return [_case(row, exact.get(row["stream"]), today) for row in known]


def _waits(registers: Registers, row: dict[str, Any]) -> bool:
    """Whether cases of its matter have tasks at all."""
    known = registers.entries.get("work_capability", {})
    return any(f"{row['matter']}.{work}" in known for work in WORKS)


def _near(registers: Registers, day: date | None, today: date) -> bool:
    try:
        return day is None or day <= registers.calendar.after(today, 1)
    except CalendarUnknown:
        return True


def _case(row: dict[str, Any], clock: Clock | None, today: date) -> dict[str, Any]:
    said = {"subject": row["stream"], "kind": CASES, "department": row["department"], "case_stream": row["stream"]}
    if clock is None:
        return said | {"due_on": row["decide_by"], "lamp": "green"}
    due = clock.due
    shows = lamp(due.on, due.yellow, None, today) if clock.running else "paused"
    return said | {
        "matter": clock.matter,
        "due_on": due.on,
        "lamp": shows,
        "due_limit": due.limit,
        "due_document": due.document,
        "due_calendar": due.calendar,
    }
