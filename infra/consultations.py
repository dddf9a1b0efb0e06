"""Consultations: who asked whom, about what, and whose turn it is (4.3a)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from adapters.postgres.log import Log
from domain.clock_state import clock_stream
from domain.ladders import clock_of
from domain.registers import Registers
from domain.submissions import local_date
from domain.world import World
from infra.presentation import Context, Shown, columns, known_at
from infra.register_rows import Row, Streams
from infra.registers import name_of, registers_at
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


PREFIXES = ("consultation", clock_stream("consultation"))
"""Under which the log has all that rows are made of."""


def consultation_rows(registers: Registers, streams: Streams, now: datetime) -> Iterator[Row]:
    """Every consultation as it stands by these streams at a moment; departments by their codes."""
    world = World(registers, lambda names: {one: [*streams[one]] for one in names if one in streams}, now)
    for name in streams:
        if name.startswith(clock_stream("")):
            continue
        state = world.consultation(*name.split("/")[1:])
        asked = state.asked
        if asked is None:
            continue
        clock = clock_of(name, world)
        late = clock is not None and clock.running and clock.due.on is not None and clock.due.on < local_date(now)
        yield {
            "asker": asked.department,
            "number": asked.number,
            "to": asked.to,
            "case": asked.case.removeprefix("case/") or None,
            "matter": asked.matter or None,
            "asked_on": local_date(asked.meta.occurred_at),
            "reply_by": clock.due.on if clock is not None else None,
            "status": state.status,
            "overdue": late,
            "steps": state.version,
        }


def consultations(
    context: Context, shown: Shown, department: str | None, unanswered: bool, as_known_at: str | None
) -> None:
    registers = registers_at(context, as_known_at)
    at = known_at(as_known_at)
    with closing(context.connect()) as conn:
        streams = {name: events for one in PREFIXES for name, events in Log(conn).streams_under(one, at).items()}
    rows = [
        row | {name: name_of(registers, row[name], shown) for name in ("asker", "to")}
        for row in consultation_rows(registers, streams, at or datetime.now(UTC))
        if department in (None, row["asker"], row["to"]) and not (unanswered and row["status"] != "open")
    ]
    shown.page(("商询", "Consultations"), CONSULTATION, Page(len(rows), rows))
