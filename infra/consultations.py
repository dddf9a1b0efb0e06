"""Consultations at the terminal: who asked whom, about what, and whose turn it is (4.3a)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from adapters.postgres.log import Log
from domain.clock_state import clock_stream
from domain.ladders import clock_of
from domain.submissions import local_date
from domain.world import World
from infra.presentation import Context, Shown, columns, known_at
from infra.registers import day, name_of, registers_at
from projections.page import Page

CONSULTATION = columns("""
    asker | 商询部门 | asker
    number | 编号 | number
    to | 答复部门 | asked
    case | 办件 | case
    matter | 事项编码 | matter
    asked_on | 提出 | asked on
    reply_by | 答复期限 | reply by
    status | 状态 | status
    overdue | 逾期 | overdue
    steps | 来往次数 | steps
""")


def consultations(
    context: Context, shown: Shown, department: str | None, unanswered: bool, as_known_at: str | None
) -> None:
    registers = registers_at(context, as_known_at)
    at = known_at(as_known_at)
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under("consultation", at)
        known = streams | Log(conn).streams_under(clock_stream("consultation"), at)
    world = World(registers, lambda names: {one: known[one] for one in names if one in known}, at or datetime.now(UTC))
    rows = []
    for name in streams:
        state = world.consultation(*name.split("/")[1:])
        asked = state.asked
        if asked is None or department not in (None, asked.department, asked.to):
            continue
        if unanswered and state.status != "open":
            continue
        clock = clock_of(name, world)
        late = clock is not None and clock.running and clock.due.on is not None and clock.due.on < day(as_known_at)
        rows.append(
            {
                "asker": name_of(registers, asked.department, shown),
                "number": asked.number,
                "to": name_of(registers, asked.to, shown),
                "case": asked.case.removeprefix("case/") or None,
                "matter": asked.matter or None,
                "asked_on": local_date(asked.meta.occurred_at),
                "reply_by": clock.due.on if clock is not None else None,
                "status": state.status,
                "overdue": late,
                "steps": state.version,
            }
        )
    shown.page(("商询", "Consultations"), CONSULTATION, Page(len(rows), rows))
