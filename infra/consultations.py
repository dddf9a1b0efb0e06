"""Consultations at the terminal: who asked whom, about what, and whose turn it is (4.3a)."""

from __future__ import annotations

from contextlib import closing

from adapters.postgres.log import Log
from domain.consultations import ConsultationState
from domain.submissions import local_date
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
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under("consultation", known_at(as_known_at))
    rows = []
    for name, events in streams.items():
        state = ConsultationState(name).folded(events)
        asked = state.asked
        if asked is None or department not in (None, asked.department, asked.to):
            continue
        if unanswered and state.status != "open":
            continue
        late = state.status == "open" and state.reply_by is not None and state.reply_by < day(as_known_at)
        rows.append(
            {
                "asker": name_of(registers, asked.department, shown),
                "number": asked.number,
                "to": name_of(registers, asked.to, shown),
                "case": asked.case.removeprefix("case/") or None,
                "matter": asked.matter or None,
                "asked_on": local_date(asked.meta.occurred_at),
                "reply_by": state.reply_by,
                "status": state.status,
                "overdue": late,
                "steps": state.version,
            }
        )
    shown.page(("商询", "Consultations"), CONSULTATION, Page(len(rows), rows))
