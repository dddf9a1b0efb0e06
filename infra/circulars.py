"""Circulars at the terminal: who was sent what, who has signed for it, whom a list leaves out, what was decided before
the change came to its decider (2.4, 4.1, 4.3b). By the log, and so as known at any moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from adapters.postgres.log import Log
from domain.circulars import CircularSent, CircularState, concerned, missed
from domain.event import Recorded
from domain.notices import NoticeMoved, NoticeOwed, NoticeReceived
from domain.registers import Registers
from domain.submissions import local_date
from infra.licences import known_cases
from infra.presentation import Context, Shown, columns, known_at
from infra.registers import name_of, registers_at
from projections.approvals import decided_since
from projections.page import Page

CIRCULAR = columns("""
    sender | 发送部门 | sender
    number | 文号 | number
    kind | 类别 | kind
    title | 标题 | title
    sent_on | 发送日期 | sent
    changed_on | 政策生效 | policy since
    meets_at | 会议时间 | meets at
    venue | 地点 | venue
    reply_by | 回复期限 | reply by
    main | 主送 | to
    copies | 抄送 | copies
    concerns | 事项 | matters
    received | 已签收 | received
    outstanding | 未签收 | outstanding
    attending | 参加 | attending
    declined | 不参加 | not attending
    missed | 遗漏的审批部门 | approval departments missed
    status | 状态 | status
    replaced_by | 替代文号 | replaced by
    notices
""")
MISSED = columns("""
    sender | 发送部门 | sender
    number | 文号 | number
    kind | 类别 | kind
    title | 标题 | title
    sent_on | 发送日期 | sent
    approver | 遗漏的审批部门 | approval department missed
    competent | 只送了主管部门 | competent department told
    matters | 划转事项 | transferred matters
    status | 状态 | status
""")
DECIDED = columns("""
    organ | 审批部门 | organ
    number | 办件号 | case
    matter | 事项编码 | matter
    document_number | 文号 | document
    outcome | 结果 | outcome
    changed_on | 政策生效 | policy since
    decided_on | 决定日期 | decided on
    decided_by | 决定部门 | decided by
    told_on | 告知 | told
    received_on | 签收 | received
    standing | 决定时 | when it was decided
""")


@dataclass(slots=True)
class Told:
    """One addressee: when the notice was owed and received, by whoever has its duties."""

    department: str
    told_at: datetime | None = None
    received_at: datetime | None = None


class Wanted(NamedTuple):
    """Which circulars are asked for; `missing`: those that leave out an approval department, and which."""

    department: str | None = None
    kind: str | None = None
    missing: bool = False


def circulars(context: Context, shown: Shown, wanted: Wanted, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    states = [one for one in _known(context, as_known_at) if _asked_for(one, wanted)]
    if wanted.missing:
        rows = [row for state, sent in _sent(states) for row in _missed(registers, state, sent, shown)]
        title = ("遗漏试点审批部门的通知", "Circulars that miss the approval department")
        shown.page(title, MISSED, Page(len(rows), rows))
        return
    told = _told(context, (sent for _, sent in _sent(states)), as_known_at)
    rows = [_row(registers, state, sent, told[sent.originator_id], shown) for state, sent in _sent(states)]
    shown.page(("通知与邀请", "Circulars and invitations"), CIRCULAR, Page(len(rows), rows))


def decided_between(
    context: Context, shown: Shown, number: str, sender: str | None, as_known_at: str | None, limit: int
) -> None:
    """What was decided since a policy changed by whom the circular had not come to: it was told, but had not signed
    for it, or was not told at all. What is decided on the day of receipt counts as decided in knowledge of it."""
    registers = registers_at(context, as_known_at)
    found = [sent for _, sent in _sent(_known(context, as_known_at)) if sent.number == number]
    sent = _single(shown, number, [one for one in found if sender in (None, one.department)])
    if sent.changed_on is None:
        raise shown.fail(f"{number} 不是政策变化的通知。", f"{number} tells of no change of policy.")
    matters = concerned(sent, registers)
    until = local_date(known_at(as_known_at) or datetime.now().astimezone())
    told = {one.department: one for one in _told(context, [sent], as_known_at)[sent.originator_id]}
    rows = []
    for row in _decisions(context, registers, matters, sent.changed_on, as_known_at):
        decider = row["decided_by"]
        heard = told.get(decider) or told.get(registers.acting(decider, until, "")) or Told(decider)
        told_on, received_on = _day(heard.told_at), _day(heard.received_at)
        if decider == sent.department or (received_on is not None and row["decided_on"] >= received_on):
            continue
        unreceived = told_on is not None and row["decided_on"] >= told_on
        rows.append(
            row
            | {name: name_of(registers, row[name], shown) for name in ("organ", "decided_by")}
            | {"changed_on": sent.changed_on, "told_on": told_on, "received_on": received_on}
            | {"standing": "unreceived" if unreceived else "untold"}
        )
    title = (f"{number} 生效之后、签收之前的决定", f"Decided since {number} changed policy, before it was received")
    shown.page(title, DECIDED, Page(len(rows), rows[:limit]))


def _known(context: Context, as_known_at: str | None) -> list[CircularState]:
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under("circular", known_at(as_known_at))
    states = [CircularState(name).folded(events) for name, events in streams.items()]
    return sorted(states, key=lambda one: (one.sent.sent_on if one.sent else date.min, one.stream))


def _sent(states: Iterable[CircularState]) -> Iterator[tuple[CircularState, CircularSent]]:
    for state in states:
        if state.sent is not None:
            yield state, state.sent


def _asked_for(state: CircularState, wanted: Wanted) -> bool:
    sent = state.sent
    if sent is None or wanted.kind not in (None, sent.kind):
        return False
    return wanted.department is None or wanted.department in (sent.department, *sent.addressees)


def _single(shown: Shown, number: str, found: list[CircularSent]) -> CircularSent:
    if not found:
        raise shown.fail(f"没有文号为 {number} 的通知。", f"No circular {number}.")
    if len(found) > 1:
        senders = [one.department for one in found]
        raise shown.fail(
            f"几个部门都有文号 {number}：{'、'.join(senders)}；请用 --sender 指明。",
            f"Several departments have sent a {number}: {', '.join(senders)}; choose with --sender.",
            senders=senders,
        )
    return found[0]


def _told(context: Context, circulars: Iterable[CircularSent], as_known_at: str | None) -> dict[str, list[Told]]:
    """Of each circular, addressee by addressee; where another has its duties now, by what became of it there."""
    wanted = [(one.originator_id, f"{code}/{one.meta.fact}") for one in circulars for code in one.addressees]
    lives: dict[str, list[Recorded]] = {}
    ahead = {notice for _, notice in wanted}
    with closing(context.connect()) as conn:
        log = Log(conn)
        while ahead:
            lives |= log.notices(ahead, known_at(as_known_at))
            ahead = {to for notice in ahead if (to := _moved(lives.get(notice, ())))} - lives.keys()
    found: dict[str, list[Told]] = {}
    for stream, notice in wanted:
        one = Told(notice.partition("/")[0])
        at: str | None = notice
        while at is not None:
            _follow(one, lives.get(at, ()))
            at = _moved(lives.get(at, ()))
        found.setdefault(stream, []).append(one)
    return found


def _moved(life: Iterable[Recorded]) -> str | None:
    return next((one.event.to for one in life if isinstance(one.event, NoticeMoved)), None)


def _follow(told: Told, life: Iterable[Recorded]) -> None:
    for one in life:
        if isinstance(one.event, NoticeOwed):
            told.department, told.told_at = one.event.addressee, told.told_at or one.recorded_at
        elif isinstance(one.event, NoticeReceived):
            told.received_at = told.received_at or one.event.received_at


def _row(registers: Registers, state: CircularState, sent: CircularSent, told: list[Told], shown: Shown) -> Any:
    def names(codes: Iterable[str]) -> list[str] | None:
        """None for people where there are none, so that a column that nobody needs is not shown."""
        found = [name_of(registers, one, shown) for one in codes]
        return found if found or shown.as_json else None

    return {
        "sender": name_of(registers, sent.department, shown),
        "number": sent.number,
        "kind": _kind(sent, shown),
        "title": sent.title,
        "sent_on": sent.sent_on,
        "changed_on": sent.changed_on,
        "meets_at": sent.meets_at,
        "venue": sent.venue,
        "reply_by": sent.reply_by,
        "main": names(sent.main),
        "copies": names(sent.copies),
        "concerns": list(sent.concerns) if sent.concerns or shown.as_json else None,
        "received": f"{sum(one.received_at is not None for one in told)}/{len(told)}",
        "outstanding": names(one.department for one in told if one.received_at is None),
        "attending": names(code for code, answer in state.answers.items() if answer.attending),
        "declined": names(code for code, answer in state.answers.items() if not answer.attending),
        "missed": names(dict.fromkeys(one.approver for one in missed(sent, registers))),
        "status": "withdrawn" if state.withdrawn else "sent",
        "replaced_by": state.withdrawn.replaced_by if state.withdrawn else None,
        "notices": [
            {"department": one.department, "told_at": one.told_at, "received_at": one.received_at} for one in told
        ],
    }


def _kind(sent: CircularSent, shown: Shown) -> str:
    """For people by what the notice is about: the word for `policy` is that of papers handed over."""
    return "circular" if sent.kind == "policy" and not shown.as_json else sent.kind


def _missed(registers: Registers, state: CircularState, sent: CircularSent, shown: Shown) -> list[dict[str, Any]]:
    return [
        {
            "sender": name_of(registers, sent.department, shown),
            "number": sent.number,
            "kind": _kind(sent, shown),
            "title": sent.title,
            "sent_on": sent.sent_on,
            "approver": name_of(registers, one.approver, shown),
            "competent": name_of(registers, one.competent, shown),
            "matters": list(one.matters),
            "status": "withdrawn" if state.withdrawn else "sent",
        }
        for one in missed(sent, registers)
    ]


def _decisions(
    context: Context, registers: Registers, matters: tuple[str, ...], since: date, as_known_at: str | None
) -> list[dict[str, Any]]:
    """By the read model; as known at a moment by the log itself."""
    if as_known_at is None:
        with closing(context.connect_reader()) as conn:
            return decided_since(conn, matters, since)
    rows = []
    for case in known_cases(context, registers, as_known_at):
        decided_on = date.fromisoformat(case.decision["decided_on"] or "") if case.decision else None
        if case.matter in matters and decided_on is not None and decided_on >= since:
            organ, number = case.stream.split("/")[1:]
            rows.append(
                {"organ": organ, "number": number, "matter": case.matter, "outcome": case.outcome}
                | {"document_number": case.decision["document_number"]}
                | {"decided_on": decided_on, "decided_by": case.decided_by}
            )
    return sorted(rows, key=lambda row: (row["decided_on"], row["organ"], row["number"]))


def _day(moment: datetime | None) -> date | None:
    return local_date(moment) if moment else None
