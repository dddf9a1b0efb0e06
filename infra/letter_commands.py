"""`shenguan letters`: notices on paper, from what is to be sent to the signed slip that came back."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.options import AsJson, Dept, KnownAt, Lang, Limit, begin, question

if TYPE_CHECKING:
    from domain.letters import LetterIssued
    from infra.presentation import Shown

app = typer.Typer(no_args_is_help=True, help="公函：待发、发函、打印、登记回执。")

Principal = Annotated[str, typer.Option(help="以哪个接入方的名义提交")]
By = Annotated[str | None, typer.Option("--department", help="发函部门；默认与接入方同名")]
OfficerId = Annotated[str | None, typer.Option(help="经办人工号")]
OfficerName = Annotated[str | None, typer.Option(help="经办人姓名")]
Serials = Annotated[list[int] | None, typer.Option("--serial", help="只限此编号；可重复给出")]
Identity = Annotated[str | None, typer.Option("--id", help="提交的标识；默认随机")]
Wait = Annotated[float, typer.Option(min=0, help="等待裁定，最多多少秒")]
LetterNumber = Annotated[str, typer.Argument(help="公函文号")]


@question(app, "due")
def letters_due(
    ctx: typer.Context, department: Dept = None, limit: Limit = 50, as_json: AsJson = False, lang: Lang = None
) -> None:
    """待发：登记了公函渠道的部门尚未签收、也没有公函载明的告知。"""
    from infra import letters

    context, shown = begin(ctx, lang, as_json)
    letters.due(context, shown, department, limit)


@app.command()
def issue(
    ctx: typer.Context,
    addressee: Annotated[str, typer.Argument(metavar="ADDRESSEE", help="收函部门代码")],
    principal: Principal,
    department: By = None,
    serial: Serials = None,
    on: Annotated[str | None, typer.Option("--date", help="成文日期，不早于上一文号；默认发函之日")] = None,
    at: Annotated[str | None, typer.Option("--time", help="发函时间（北京时间）；默认此刻")] = None,
    officer_id: OfficerId = None,
    officer_name: OfficerName = None,
    id_: Identity = None,
    wait: Wait = 30,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """发函：把待发给一个部门的告知列入一件公函，编定文号。"""
    from domain.letters import IssueLetter
    from domain.submissions import local_date
    from infra import letters, registers
    from infra.presentation import moment

    context, shown = begin(ctx, lang, as_json)
    occurred_at = moment(at) if at else datetime.now(UTC)
    by = department or principal
    notices = letters.to_send(context, by, addressee, serial)
    if not notices:
        raise shown.fail("没有待发给该部门的告知。", "No notice is to go to that department by letter.", items=[])
    data: dict[str, Any] = {
        "department": by,
        "addressee": addressee,
        "issued_on": (registers.day(on) if on else local_date(occurred_at)).isoformat(),
        "notices": notices,
        **_officer(officer_id, officer_name),
    }
    name = id_ or str(uuid.uuid4())
    _hand_in(shown, IssueLetter.TYPE, principal, name, data, wait, occurred_at)
    with closing(context.connect()) as conn:
        letter = letters.of_submission(conn, f"{principal}/{name}")
    if letter is not None:
        _say_issued(shown, letter)


def _say_issued(shown: Shown, letter: LetterIssued) -> None:
    count = len(letter.notices)
    shown.say(f"公函 {letter.number}，告知 {count} 项。", f"Letter {letter.number}, {count} notices.")
    if shown.as_json:
        shown.json({"number": letter.number, "notices": list(letter.notices)})


@question(app, "list")
def letters_list(
    ctx: typer.Context,
    department: Annotated[str | None, typer.Option(help="只列此部门所发")] = None,
    addressee: Annotated[str | None, typer.Option(help="只列发给此部门的")] = None,
    outstanding: Annotated[bool, typer.Option("--outstanding", help="只列尚未全部签收的")] = False,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """公函一览：文号、收函单位、所列告知、已签收几项。"""
    from infra import letters

    context, shown = begin(ctx, lang, as_json)
    letters.listed(context, shown, department, addressee, outstanding, as_known_at, limit)


@question(app, "print")
def letters_print(
    ctx: typer.Context,
    number: LetterNumber,
    out: Annotated[Path, typer.Option(help="写成此 PDF 文件；已有的不覆盖")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """打印：公函、告知清单与回执写成 PDF（含相对人信息），并给出其散列值；同一公函每次相同。"""
    from infra import letters

    context, shown = begin(ctx, lang, as_json, reveal=True)
    letters.write(context, shown, number, out)


@app.command()
def receive(
    ctx: typer.Context,
    number: LetterNumber,
    principal: Principal,
    code: Annotated[str, typer.Option(help="回执码")],
    signer_id: Annotated[str, typer.Option(help="签收人工号")],
    signer_name: Annotated[str, typer.Option(help="签收人姓名")],
    received_at: Annotated[str, typer.Option(help="回执所载签收时间（北京时间），或仅日期")],
    scan: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="回执扫描件；只登记其散列值")],
    department: By = None,
    serial: Serials = None,
    officer_id: OfficerId = None,
    officer_name: OfficerName = None,
    id_: Identity = None,
    wait: Wait = 30,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """登记回执：按签字盖章的回执登记签收；签收时间以纸面为准，与登记时间分别记载。"""
    from adapters.postgres.log import Log
    from domain.letters import ReceiveLetter
    from infra import letters
    from infra.presentation import is_day, moment

    context, shown = begin(ctx, lang, as_json)
    with closing(context.connect()) as conn:
        letter = letters.find(conn, number)
        if letter is None:
            raise shown.fail(f"没有公函 {number}。", f"No letter {number}.", number=number)
        owed = Log(conn).owed(letter.notices)
    of_serial = {one.event.originator_version: notice for notice, one in owed.items()}
    if missing := sorted(set(serial or ()) - of_serial.keys()):
        raise shown.fail(f"该公函没有编号 {missing[0]}。", f"The letter has no serial {missing[0]}.", serials=missing)
    sums = letters.digests(scan.read_bytes())
    at = moment(received_at)
    data: dict[str, Any] = {
        "department": department or principal,
        "organ": letter.organ,
        "number": number,
        "addressee": letter.addressee,
        "code": code,
        "signer": {"id": signer_id, "name": signer_name},
        "received_at": (at.date() if is_day(received_at) else at).isoformat(),
        "scan_sha256": sums["sha256"],
        "scan_sm3": sums["sm3"],
        "notices": [of_serial[one] for one in serial or ()],
        **_officer(officer_id, officer_name),
    }
    _hand_in(shown, ReceiveLetter.TYPE, principal, id_ or str(uuid.uuid4()), data, wait)


def _officer(id_: str | None, name: str | None) -> dict[str, Any]:
    if (id_ is None) != (name is None):
        raise typer.BadParameter("须同时给出 --officer-id 与 --officer-name")
    return {} if id_ is None else {"officer": {"id": id_, "name": name}}


def _hand_in(
    shown: Shown,
    type_: str,
    principal: str,
    name: str,
    data: dict[str, Any],
    wait: float,
    occurred_at: datetime | None = None,
) -> None:
    """As `shenguan submit` would. Raises Exit where it is not on record."""
    from infra.settings import load
    from infra.submitting import Wishes, carry

    text = json.dumps(data, ensure_ascii=False)
    wishes = Wishes(type_, principal, principal, name, occurred_at or datetime.now(UTC), None, wait)
    carry(load(), wishes, lambda: [(text, data)], shown.zh, shown.as_json)
