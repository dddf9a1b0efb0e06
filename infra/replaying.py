"""A case replayed from the log: what was known at a moment, in order, and the state it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from adapters.postgres.history import History
from domain.case_state import CaseState
from domain.cases import case_stream
from domain.event import Recorded, State
from domain.licences import licence_status, true_at
from domain.notices import NoticeOwed, NoticeState, notice_stream
from domain.submissions import local_date
from domain.supervision import FeedbackState
from domain.world import blank
from infra.answers import department_names, single
from infra.presentation import Context, Shown, columns, known_at, moment, names_over
from projections.working_days import CHINA

EVENT = columns("""
    position | 位置 | position
    recorded_at | 记录时间 | recorded
    occurred_at | 发生时间 | occurred
    effective_on | 生效 | effective
    kind | 事项 | what
    department | 部门 | department
    officer | 经办人 | officer
    stream
    version
    principal | 接入方 | principal
    auth | 认证 | auth
    fact | 提交 | submission
    summary
""")
NOTICE = columns("""
    notice | 告知 | notice
    addressee | 部门 | department
    serial | 编号 | serial
    about | 内容 | about
    root
    origin
    status | 状态 | status
    dispatched | 已推送 | dispatched
    delivered | 已送达 | delivered
    taken | 纳入监管 | taken
""")
FEEDBACK = columns("""
    stream
    department | 监管部门 | supervisor
    number | 反馈号 | number
    suggestion | 建议 | suggestion
    status | 状态 | status
""")


def replay(
    context: Context,
    shown: Shown,
    number: str,
    organ: str | None,
    as_true_at: str | None,
    as_known_at: str | None,
) -> None:
    until = known_at(as_known_at)
    on = local_date(moment(as_true_at)) if as_true_at else None
    names = department_names(context)
    with closing(context.connect()) as conn:
        history = History(conn, names, until)
        the_one = single(shown, number, [o for o in history.organs_of(number) if organ in (None, o)])
        events = history.case(the_one, number)
    events = true_at(events, on) if on else events
    states = fold(events)
    case = states.get(case_stream(the_one, number))
    if not isinstance(case, CaseState):
        raise shown.fail(f"到 {as_true_at} 尚无办件 {number}。", f"There was no case {number} by {as_true_at}.")
    notices = [_notice(state) for state in states.values() if isinstance(state, NoticeState)]
    feedback = [_feedback(state) for state in states.values() if isinstance(state, FeedbackState)]
    seals = states.get(f"seal/{the_one}/{number}")
    rows = [_event(one) for one in events]
    state = {
        "status": case.status,
        "licence": licence_status(case, on or datetime.now(CHINA).date()),
        "matter": case.matter,
        "accepted_on": case.accepted_on,
        **{key: case.decision.get(key) for key in ("document_number", "decided_on", "valid_from", "valid_to")},
        "licence_number": case.licence_number,
        "seals": seals.version if seals else 0,
        "told": case.told,
    }
    if shown.as_json:
        shown.json(
            {
                "case": case.stream,
                "as_true_at": on,
                "as_known_at": until,
                "state": state,
                "notices": notices,
                "feedback": feedback,
                "events": rows,
            }
        )
        return
    when = shown.text("", until) if until else ""
    shown.table(
        (f"办件 {number} 的重放{'，截至 ' + when if when else ''}", f"Replay of case {number} {when}"),
        EVENT,
        names_over(rows, ["department"], names),
    )
    shown.table(("当时的状态", "The state then"), _STATE, [{"item": k, "status": v} for k, v in state.items()])
    shown.table(("当时的告知", "Notices then"), NOTICE, names_over(notices, ["addressee"], names))
    if feedback:
        shown.table(("当时的反馈", "Feedback then"), FEEDBACK, names_over(feedback, ["department"], names))


_STATE = columns("""
    item | 项目 | item
    status | 值 | value
""")


def fold(events: Sequence[Recorded]) -> dict[str, State]:
    """By stream; what a notice was owed for belongs to its own stream, not to the ledger."""
    states: dict[str, State] = {}
    for one in events:
        event = one.event
        stream = notice_stream(event.notice) if isinstance(event, NoticeOwed) else event.originator_id
        states[stream] = states.get(stream, blank(stream)).evolve(event)
    return states


def _event(one: Recorded) -> dict[str, Any]:
    event, meta = one.event, one.event.meta
    return {
        "position": one.position,
        "recorded_at": one.recorded_at,
        "occurred_at": meta.occurred_at,
        "effective_on": event.effective_on,
        "kind": event.TOPIC,
        "department": meta.department,
        "officer": meta.officer.id if meta.officer else None,
        "stream": event.originator_id,
        "version": event.originator_version,
        "principal": meta.principal,
        "auth": meta.auth,
        "fact": meta.fact,
        "summary": event.model_dump(mode="json", exclude={"originator_id", "originator_version", "meta"}),
    }


def _notice(state: NoticeState) -> dict[str, Any]:
    owed = state.owed
    assert owed is not None
    return {
        "notice": owed.notice,
        "addressee": owed.addressee,
        "serial": owed.serial,
        "about": owed.about,
        "root": owed.root,
        "origin": owed.origin,
        "status": "moved" if state.moved else "received" if state.received else "outstanding",
        "dispatched": sorted(state.dispatched),
        "delivered": sorted(state.delivered),
        "received": state.received,
        "taken": state.taken,
    }


def _feedback(state: FeedbackState) -> dict[str, Any]:
    raised = state.raised
    assert raised is not None
    return {
        "stream": state.stream,
        "department": raised.department,
        "number": raised.number,
        "suggestion": raised.suggestion,
        "status": state.status,
    }
