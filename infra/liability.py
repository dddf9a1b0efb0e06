"""Who answers for what in a case (1.1d): the approving side by its decision, the supervising side by its notices."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from typing import Any

from adapters.postgres.history import History
from domain.case_state import CaseState
from domain.cases import CaseDecided, case_stream
from domain.event import Recorded
from domain.lists import PowerItem, supervision_item
from domain.notices import NoticeReceived, NoticeState, NoticeTaken, notice_stream
from domain.registers import Registers
from infra.answers import single
from infra.presentation import Context, Shown, columns, known_at
from infra.registers import registers_at
from infra.replay import fold
from projections.page import Page

LIABILITY = columns("""
    side | 一侧 | side
    department | 部门 | department
    officer | 经办人 | officer
    answers_for | 责任 | answers for
    since | 自 | since
    basis | 依据 | basis
    status | 状态 | status
    notice
""")


def liability(context: Context, shown: Shown, number: str, organ: str | None, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    with closing(context.connect()) as conn:
        history = History(conn, registers.departments, known_at(as_known_at))
        the_one = single(shown, number, [o for o in history.organs_of(number) if organ in (None, o)])
        events = history.case(the_one, number)
    rows = liability_rows(registers, events, case_stream(the_one, number))
    if not shown.as_json:
        for row in rows:
            entry = registers.departments.get(row["department"])
            row["department"] = entry.name if entry else row["department"]
    shown.page((f"办件 {number} 的责任", f"Who answers for what in case {number}"), LIABILITY, Page(len(rows), rows))


def liability_rows(registers: Registers, events: Sequence[Recorded], stream: str) -> list[dict[str, Any]]:
    """By all the events about a case, its own `stream` among them; departments by their codes."""
    return _approving(registers, events) + _supervising(registers, events, stream)


def _approving(registers: Registers, events: Sequence[Recorded]) -> list[dict[str, Any]]:
    """Whoever decided, on the transfer that gave it the power; where there was none, it held it itself."""
    rows = []
    for decided in (one.event for one in events if isinstance(one.event, CaseDecided)):
        item = registers.entries_on("power_item", decided.decided_on).get(decided.matter)
        rows.append(
            {
                "side": "approval",
                "department": decided.meta.department,
                "officer": decided.meta.officer.id if decided.meta.officer else None,
                "answers_for": _duties(item, decided.meta.department),
                "since": decided.decided_on,
                "basis": decided.power_basis or registers.matters[decided.matter].entry.legal_basis,
                "status": decided.outcome,
                "notice": None,
            }
        )
    return rows


def _duties(item: object, department: str | None) -> list[str]:
    """Of an item that is the department's: one of before a transfer says nothing of who decided after it."""
    return list(item.duties) if isinstance(item, PowerItem) and item.organ == department else []


def _supervising(registers: Registers, events: Sequence[Recorded], stream: str) -> list[dict[str, Any]]:
    """Whoever holds a notice of the decision now, and since when it has answered for it."""
    states = fold(events)
    case = states[stream]
    assert isinstance(case, CaseState)
    rows = []
    for holder in case.holders:
        notice = states.get(notice_stream(holder.notice))
        assert isinstance(notice, NoticeState)
        steps = [one.event for one in events if one.event.originator_id == notice_stream(holder.notice)]
        officers = [
            event.received_by if isinstance(event, NoticeReceived) else event.meta.officer
            for event in steps
            if isinstance(event, (NoticeReceived, NoticeTaken))
        ]
        signed = [one.id for one in officers if one is not None]
        item = supervision_item(
            registers, case.matter, holder.department, date.fromisoformat(case.decision["decided_on"] or "")
        )
        owed = next(one for one in events if getattr(one.event, "notice", None) == holder.notice)
        rows.append(
            {
                "side": "supervision",
                "department": holder.department,
                "officer": signed[-1] if signed else None,
                "answers_for": list(item.duties) if item else [],
                "since": owed.recorded_at,
                "basis": item.legal_basis if item else None,
                "status": "taken" if notice.taken else "received" if notice.received else "outstanding",
                "notice": holder.notice,
            }
        )
    return rows
