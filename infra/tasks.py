"""The tasks of a case: who answers for what, until when, what came of it; and how long its own clock has run (2.3)."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

from adapters.postgres.history import History
from domain.calendars import CalendarUnknown
from domain.case_state import CaseState
from domain.cases import case_stream
from domain.guides import Guide
from domain.registers import Registers
from domain.tasks import Task, TasksState, pauses, tasks_stream
from infra.answers import single
from infra.presentation import Context, Shown, columns, known_at
from infra.registers import name_of, registers_at
from infra.replay import fold

TASK = columns("""
    task | 任务 | task
    work | 业务 | work
    status | 状态 | status
    parties | 责任方 | parties
    owing | 待完成 | still owing
    opened_on | 提出 | opened
    due_on | 期限 | due
    ended_on | 完成 | ended
    overdue | 逾期 | overdue
""")
CLOCK = columns("""
    item | 项目 | item
    count | 工作日 | working days
""")


def tasks(context: Context, shown: Shown, number: str, organ: str | None, on: date, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    with closing(context.connect()) as conn:
        history = History(conn, registers.departments, known_at(as_known_at))
        the_one = single(shown, number, [o for o in history.organs_of(number) if organ in (None, o)])
        states = fold(history.case(the_one, number))
    case = states[case_stream(the_one, number)]
    assert isinstance(case, CaseState)
    found = states.get(tasks_stream(the_one, number))
    known = found.tasks if isinstance(found, TasksState) else {}
    rows = [task_row(one, on) for one in known.values()]
    for row in rows:
        row |= {name: [name_of(registers, one, shown) for one in row[name]] for name in ("parties", "owing")}
    clock = _clock(registers, case, list(known.values()), on)
    if shown.as_json:
        shown.json({"case": case.stream, "tasks": [{c.key: row.get(c.key) for c in TASK} for row in rows], **clock})
        return
    shown.table((f"办件 {number} 的关联业务与任务", f"Tasks of case {number}"), TASK, rows)
    shown.table(("办理用时", "Time taken"), CLOCK, [{"item": name, "count": days} for name, days in clock.items()])


def task_row(task: Task, on: date) -> dict[str, Any]:
    """As it stands on a day; departments by their codes."""
    opened = task.opened
    status = "dropped" if task.dropped else "pending" if task.open else "failed" if task.failed else "passed"
    return {
        "task": opened.task,
        "work": opened.work,
        "status": status,
        "parties": list(opened.parties),
        "owing": list(task.owing),
        "opened_on": opened.opened_on,
        "due_on": opened.due_on,
        "ended_on": task.ended_on,
        "overdue": opened.due_on < (task.ended_on or on) if opened.due_on else None,
    }


def _clock(registers: Registers, case: CaseState, tasks: list[Task], on: date) -> dict[str, int | None]:
    """Working days from acceptance to the decision, or to that day; those on which the clock stood still; the promise
    of the guide that was in force on acceptance. None where the calendar is not published."""
    end = date.fromisoformat(case.decision["decided_on"] or "") if case.decision else on
    version = registers.version("guide", case.matter, case.accepted_on)
    guide = version.entry if version is not None else None
    promised = guide.promised_days if isinstance(guide, Guide) else None
    try:
        between = registers.calendar.between
        total = between(case.accepted_on, end)
        paused = sum(between(one.since, min(one.until or end, end)) for one in pauses(tasks))
    except CalendarUnknown:
        return {"elapsed": None, "paused": None, "on_clock": None, "promised_days": promised}
    return {
        "elapsed": total,
        "paused": paused,
        "on_clock": total - paused,
        "promised_days": promised,
    }
