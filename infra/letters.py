"""Letters 公函 at the terminal: what is to go by letter, which letters there are, and what a letter says on paper.

A letter is composed when it is printed, by the registers as they stood when it was issued: the same letter gives the
same file for as long as its holders' keys are there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection

from adapters.formats.letter_pdf import Item, LetterPage, letter_pdf
from adapters.postgres.deliveries import events_at
from adapters.postgres.log import Log
from domain.cases import CaseAccepted, CaseDecided
from domain.event import Event, Recorded
from domain.letters import MOST, Letterhead, LetterIssued, may_send, place_in
from domain.message import CasePart, case_part, fact_part
from domain.notices import NoticeOwed, NoticeReceived
from domain.registers import Registers
from domain.submissions import BEIJING, local_date
from infra.answers import with_due
from infra.presentation import Context, Shown, columns, known_at, names_over
from infra.registers import day, registers_at
from infra.words import WORDS
from projections.page import Page
from projections.receipts import find_uncarried

DUE = columns("""
    department | 部门 | department
    serial | 编号 | serial
    case | 办件号 | case
    about | 告知 | about
    matter
    owed_at | 应告知 | owed
    due_on
    due | 签收期限 | due
    overdue | 逾期 | overdue
    lamp | 灯 | lamp
    notice
""")
LETTER = columns("""
    number | 文号 | number
    organ | 发函机关 | from
    addressee | 收函单位 | to
    issued_on | 日期 | date
    serials | 告知编号 | serials
    total | 告知数 | notices
    received | 已签收 | received
    received_at | 最近签收 | last received
    notices
""")
ACCEPTED, DECIDED = 1, 2
"""Versions in a case's stream."""
_SAID = {
    "title": "标题", "suggestion": "建议", "until": "至", "meets_at": "时间", "venue": "地点", "reply_by": "回复期限",
    "content": "内容", "detail": "情况", "body": "正文", "question": "商询", "answer": "答复", "reason": "理由",
    "conclusion": "结论", "opinion": "意见",
}  # fmt: skip
"""What a fact says, as it is called on paper."""
_ERASED = "（已销毁）"


def due(context: Context, shown: Shown, department: str | None, limit: int) -> None:
    """Notices that are open, of departments told by letter, and that no letter carries; longest owed first."""
    registers = registers_at(context, None)
    told = [one for one in _told_by_letter(registers) if department in (None, one)]
    with closing(context.connect()) as conn:
        carried = _carried(conn, told)
    with closing(context.connect_reader()) as conn:
        found = find_uncarried(conn, told, carried, limit=limit)
    rows = with_due(found.rows, datetime.now(UTC))
    if not shown.as_json:
        rows = names_over(rows, ["department"], {code: one.name for code, one in registers.departments.items()})
    shown.page(("待发公函的告知", "Notices to go by letter"), DUE, Page(found.total, rows))


def to_send(context: Context, sender: str, addressee: str, serials: Sequence[int] | None) -> list[str]:
    """What the sender may tell the addressee of in one letter, in the order of serials; all that is due, or these."""
    registers, today = registers_at(context, None), day(None)
    entry = registers.departments.get(sender)
    if entry is None or addressee not in _told_by_letter(registers):
        return []
    chosen: list[str] = []
    after: int | None = 0
    with closing(context.connect()) as conn, closing(context.connect_reader()) as reader:
        carried = _carried(conn, [addressee])
        while after is not None and len(chosen) < MOST:
            rows = find_uncarried(reader, [addressee], carried, serials=serials, after=after, limit=MOST).rows
            owed = Log(conn).owed(row["notice"] for row in rows)
            events = [owed[row["notice"]].event for row in rows]
            chosen += [
                one.notice for one in events if isinstance(one, NoticeOwed) and may_send(one, entry, registers, today)
            ]
            after = rows[-1]["serial"] if len(rows) == MOST else None
    return chosen[:MOST]


def _told_by_letter(registers: Registers) -> list[str]:
    return [code for code, one in registers.departments.items() if "letter" in one.channels]


def _carried(conn: Connection[Any], addressees: Collection[str]) -> list[str]:
    return [notice for one in issued(conn) if one.addressee in addressees for notice in one.notices]


def listed(
    context: Context,
    shown: Shown,
    organ: str | None,
    addressee: str | None,
    outstanding: bool,
    as_known_at: str | None,
    limit: int,
) -> None:
    registers = registers_at(context, as_known_at)
    with closing(context.connect()) as conn:
        letters = issued(conn, as_known_at)
        letters = [one for one in letters if organ in (None, one.organ) and addressee in (None, one.addressee)]
        lives = Log(conn).notices((notice for one in letters for notice in one.notices), known_at(as_known_at))
    serials = {notice: life[0].event.originator_version for notice, life in lives.items()}
    received = {
        notice: one.event.received_at
        for notice, life in lives.items()
        for one in life
        if isinstance(one.event, NoticeReceived)
    }
    rows = []
    for one in letters:
        when = [received[notice] for notice in one.notices if notice in received]
        if outstanding and len(when) == len(one.notices):
            continue
        numbers = [serials[notice] for notice in one.notices]
        rows.append(
            {
                "number": one.number,
                "organ": one.organ,
                "addressee": one.addressee,
                "issued_on": one.issued_on,
                "serials": numbers if shown.as_json else list(map(str, numbers)),
                "total": len(one.notices),
                "received": len(when),
                "received_at": max(when, default=None),
                "notices": list(one.notices),
            }
        )
    if not shown.as_json:
        names = {code: entry.name for code, entry in registers.departments.items()}
        rows = names_over(rows, ["organ", "addressee"], names)
    shown.page(("公函", "Letters"), LETTER, Page(len(rows), rows[:limit]))


def issued(conn: Connection[Any], as_known_at: str | None = None) -> list[LetterIssued]:
    """All letters, the latest of each organ and year last."""
    streams = Log(conn).streams_under("letter", known_at(as_known_at))
    return [one for events in streams.values() for one in events if isinstance(one, LetterIssued)]


def find(conn: Connection[Any], number: str) -> LetterIssued | None:
    """The letter of this 文号: no two have the same."""
    return next((one for one in issued(conn) if one.number == number), None)


def of_submission(conn: Connection[Any], fact: str) -> LetterIssued | None:
    """The letter that a submission issued."""
    return next((one for one in issued(conn) if one.meta.fact == fact), None)


def write(context: Context, shown: Shown, number: str, file: Path) -> None:
    """The letter as a PDF, and what it hashes to."""
    if file.exists():
        raise shown.fail(f"{file} 已存在，不覆盖。", f"{file} is there already and is not written over.")
    with closing(context.connect()) as conn:
        letter = find(conn, number)
        if letter is None:
            raise shown.fail(f"没有公函 {number}。", f"No letter {number}.", number=number)
        content = letter_pdf(_page(conn, context, letter))
    shown.settle(len(letter.notices))
    file.write_bytes(content)
    sums = digests(content)
    shown.say(
        f"{number} 已写入 {file}。\nSHA-256 {sums['sha256']}\nSM3 {sums['sm3']}",
        f"{number} written to {file}.\nSHA-256 {sums['sha256']}\nSM3 {sums['sm3']}",
    )
    if shown.as_json:
        shown.json({"number": number, "file": str(file), **sums})


def digests(content: bytes) -> dict[str, str]:
    return {name: hashlib.new(name, content).hexdigest() for name in ("sha256", "sm3")}


class _Told(NamedTuple):
    """What there is to say of one notice; `said`: the fact's own fields, null where erased."""

    owed: Recorded
    case: CasePart | None
    said: dict[str, Any]
    on: date


def _page(conn: Connection[Any], context: Context, letter: LetterIssued) -> LetterPage:
    log = Log(conn)
    at = next(
        one.position
        for one in log.stream(letter.originator_id)
        if one.event.originator_version == letter.originator_version
    )
    registers = Registers()
    log.refresh(registers, 0, at)
    version = registers.version("letterhead", letter.organ, letter.issued_on)
    assert version is not None
    assert isinstance(version.entry, Letterhead)
    names = {code: one.name for code, one in registers.departments.items()}
    year, number = place_in(letter.number)
    return LetterPage(
        organ=names[letter.organ],
        number=letter.number,
        issued_on=letter.issued_on,
        addressee=names[letter.addressee],
        items=tuple(_item(one, registers) for one in _told(conn, context, letter.notices, registers)),
        code=letter.code,
        reference=f"{letter.organ}/{year}/{number}/{letter.code}",
        address=version.entry.address,
        phone=version.entry.phone,
    )


def _told(conn: Connection[Any], context: Context, notices: Sequence[str], registers: Registers) -> list[_Told]:
    """In the order of their serials."""
    owed = sorted(Log(conn).owed(notices).values(), key=lambda one: one.event.originator_version)
    facts = events_at(conn, _places(owed))
    found = []
    for one in owed:
        notice = one.event
        assert isinstance(notice, NoticeOwed)
        fact, case = facts[notice.owing_stream, notice.owing_version], None
        if notice.case:
            accepted, decision = facts[notice.case, ACCEPTED], facts.get((notice.case, DECIDED))
            assert isinstance(accepted, CaseAccepted)
            decided = decision if isinstance(decision, CaseDecided) else None
            case = case_part(accepted, decided, registers.matters[notice.matter].entry, context.open)
        details = fact_part(fact, context.open).details
        said = {name: value for name, value in details.items() if getattr(fact, name, None) is not None}
        found.append(_Told(one, case, said, _day(fact)))
    return found


def _places(owed: Iterable[Recorded]) -> Iterable[tuple[str, int]]:
    for one in owed:
        assert isinstance(one.event, NoticeOwed)
        yield one.event.owing_stream, one.event.owing_version
        if one.event.case:
            yield from ((one.event.case, ACCEPTED), (one.event.case, DECIDED))


def _day(fact: Event) -> date:
    """On which it holds, or else occurred."""
    return date.fromisoformat(fact.effective_on) if fact.effective_on else local_date(fact.meta.occurred_at)


def _item(told: _Told, registers: Registers) -> Item:
    notice, case = told.owed.event, told.case
    assert isinstance(notice, NoticeOwed)
    about = WORDS[notice.about][0]
    if notice.about == "decision" and case is not None and case.decision is not None:
        about += f"（{WORDS[case.decision.outcome][0]}）"
    matter = registers.matters.get(notice.matter)
    return Item(
        serial=notice.serial,
        about=about,
        matter=matter.entry.name if matter else "",
        case=notice.case.rpartition("/")[2],
        party="" if case is None else case.party.name if case.party else _ERASED,
        day=told.on.isoformat(),
        due=_due(notice),
        note="　".join(_said(told)),
    )


def _due(notice: NoticeOwed) -> str:
    if notice.due is None:
        return ""
    return notice.due.on.isoformat() if notice.due.on else "未公布"


def _said(told: _Told) -> Iterable[str]:
    """What one must know to act: document, validity, whose code, and the words of the fact itself."""
    decision = told.case.decision if told.case else None
    if document := told.said.get("document_number") or (decision and decision.document_number):
        yield f"文号：{document}"
    if decision is not None and decision.valid_from:
        until = "长期" if decision.valid_to is None else decision.valid_to
        yield f"有效期：{decision.valid_from} 至 {until}"
    if told.case and told.case.party and told.case.party.uscc:
        yield f"统一社会信用代码：{told.case.party.uscc}"
    if decision is not None and "content" not in told.said:
        yield f"许可内容：{decision.content or _ERASED}"
    for name, words in _SAID.items():
        if name in told.said:
            yield f"{words}：{_plain(told.said[name])}"


def _plain(value: Any) -> str:
    if value is None:
        return _ERASED
    if isinstance(value, datetime):
        return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    return WORDS[value][0] if value in WORDS else str(value)
