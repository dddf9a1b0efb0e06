"""A case replayed from the log at the terminal: what was known at a moment, in order, and what it comes to."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from adapters.postgres.history import History
from domain.cases import case_stream
from domain.submissions import local_date
from infra.answers import department_names, single
from infra.presentation import Context, Shown, columns, known_at, moment, names_over
from infra.replay import replay_case

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
    the_one = the_case(context, shown, number, organ, until)
    with closing(context.connect()) as conn:
        events = History(conn, names, until).case(the_one, number)
    replayed = replay_case(events, the_one, number, on)
    if replayed is None:
        raise shown.fail(f"到 {as_true_at} 尚无办件 {number}。", f"There was no case {number} by {as_true_at}.")
    if shown.as_json:
        shown.json(
            {
                "case": case_stream(the_one, number),
                "as_true_at": on,
                "as_known_at": until,
                "state": replayed.state,
                "notices": replayed.notices,
                "feedback": replayed.feedback,
                "events": replayed.rows,
            }
        )
        return
    when = shown.text("", until) if until else ""
    shown.table(
        (f"办件 {number} 的重放{'，截至 ' + when if when else ''}", f"Replay of case {number} {when}"),
        EVENT,
        names_over(replayed.rows, ["department"], names),
    )
    shown.table(("当时的状态", "The state then"), _STATE, [{"item": k, "status": v} for k, v in replayed.state.items()])
    shown.table(("当时的告知", "Notices then"), NOTICE, names_over(replayed.notices, ["addressee"], names))
    if feedback := replayed.feedback:
        shown.table(("当时的反馈", "Feedback then"), FEEDBACK, names_over(feedback, ["department"], names))


def the_case(context: Context, shown: Shown, number: str, organ: str | None, until: datetime | None = None) -> str:
    """The department whose case of that number it is, by the log. Raises Exit where there is none, or more than one."""
    names = department_names(context)
    with closing(context.connect()) as conn:
        organs = History(conn, names, until).organs_of(number)
    return single(shown, number, [one for one in organs if organ in (None, one)])


_STATE = columns("""
    item | 项目 | item
    status | 值 | value
""")
