"""`shenguan statement`: a department's month on paper and as data, and whether such a statement holds."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from infra.options import AsJson, Lang, begin_store, question

if TYPE_CHECKING:
    from domain.statement_checks import Checked
    from domain.statements import Statement
    from infra.presentation import Shown
    from infra.store import Store

app = typer.Typer(no_args_is_help=True, help="对账函：某月告知某部门的全部事项、各自结果与凭据；核对。")
MonthOption = Annotated[str, typer.Option("--month", help="月份，如 2026-10（北京时间）")]


@question(app, "of")
def statement(
    ctx: typer.Context,
    department: Annotated[str, typer.Argument(help="部门代码")],
    month: Annotated[str | None, typer.Option(help="月份，如 2026-10（北京时间）；默认本月")] = None,
    out: Annotated[Path | None, typer.Option(help="写入此文件：.pdf 或 .json；已存在则不覆盖")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """某月告知某部门的全部事项；--json 与 .json 文件可交他人核对，.pdf 为公文样式。"""
    from domain.submissions import BEIJING

    store, shown = begin_store(ctx, lang, as_json)
    if out is not None and out.suffix not in _WRITERS:
        raise typer.BadParameter("须以 .pdf 或 .json 结尾", param_hint="--out")
    made = _made(store, shown, department, month or f"{datetime.now(BEIJING):%Y-%m}")
    if out is None:
        if as_json:
            shown.json(made.model_dump(mode="json"))
        else:
            _say(shown, made)
        return
    if out.exists():
        raise shown.fail(f"{out} 已存在，不覆盖。", f"{out} is there already and is not written over.")
    shown.settle(len(made.items))
    out.write_bytes(_WRITERS[out.suffix](made))
    _say(shown, made)
    shown.say(f"已写入 {out}。", f"Written to {out}.")
    if as_json:
        shown.json({"file": str(out), "notices": len(made.items), "over": made.over})


@question(app, "all")
def statement_all(
    ctx: typer.Context,
    month: MonthOption,
    out: Annotated[Path, typer.Option(help="写入此目录：每个部门一个 .json 与一个 .pdf")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """各部门的对账函，一并写入一个目录：凡曾被告知的部门都有，本月无告知的也有。同名文件以新的替换。"""
    from adapters.postgres.checkpoints import last_by, ledgers_at
    from domain.statements import month_period

    store, shown = begin_store(ctx, lang, as_json)
    _month(month)
    with closing(store.connect()) as conn:
        last = last_by(conn, month_period(month).until)
        told = [] if last is None else [one.addressee for one in ledgers_at(conn, last.head.size)]
    if not told:
        raise _nothing(shown)
    rows = 0
    made = [_made(store, shown, department, month) for department in told]
    shown.settle(sum(len(one.items) for one in made))
    out.mkdir(parents=True, exist_ok=True)
    for one in made:
        rows += len(one.items)
        for suffix, write in _WRITERS.items():
            (out / f"{one.store}-{one.month}-{one.department}{suffix}").write_bytes(write(one))
    shown.say(
        f"{month}：{len(made)} 个部门、{rows} 项告知的对账函已写入 {out}。",
        f"{month}: statements of {len(made)} departments and {rows} notices are in {out}.",
    )
    if as_json:
        shown.json({"month": month, "directory": str(out), "departments": told, "notices": rows})


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="对账函（.json）；几个库同月的，或一库连续几月的，可一并给出")],
    keys: Annotated[list[Path], typer.Option(help="日志公钥：每行一把，或 log-keys list --json 的输出")],
    kept: Annotated[list[Path] | None, typer.Option(help="所存的告知（每行一件 JSON）；可重复给出")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """核对对账函：签名、增长、编号簿、逐件散列；不需数据库。几个库的，按信息库清单核对是否已齐；一库几月的，核对是否相接。

    不成立、所列的有未存者、缺某库、某库未满月的，以 1 结束。
    """
    from adapters.crypto.notes import NoteVerifier
    from domain.statement_checks import check_kept, check_statement
    from domain.statement_sets import check_joined, check_set
    from domain.unproven import Unproven
    from infra.statement_files import BadFile, read_kept, read_statement, read_verifiers
    from infra.unproven_words import english

    zh = _zh(lang)
    if kept and len(files) > 1:
        raise typer.BadParameter("只与一份对账函比对：各库的编号各自连续", param_hint="--kept")
    absent: list[str] = []
    early: tuple[str, ...] = ()
    missing: list[int] = []
    joined = len(files) > 1
    try:
        statements = [read_statement(file) for file in files]
        verifiers = read_verifiers(keys)
        if len(statements) == 1:
            checked = [check_statement(statements[0], verifiers)]
            missing = check_kept(statements[0], read_kept(kept)) if kept else []
        elif joined := len({one.store for one in statements}) == 1:
            checked = list(check_joined(statements, verifiers))
        else:
            closed = check_set(statements, verifiers, NoteVerifier)
            checked, absent, early = list(closed.checked), [one.store for one in closed.missing], closed.early
    except BadFile as bad:
        _fail(as_json, bad.zh if zh else bad.en, error=bad.en)
    except Unproven as error:
        zh_said = f"对账函不成立：{error.message}（{error.rule}）。"
        _fail(as_json, zh_said if zh else f"This does not hold: {english(error)} ({error.rule}).", rule=error.rule)
    if as_json:
        found = [_found(one) for one in checked]
        more = {"kept": bool(kept), "missing": missing, "absent": absent, "early": early}
        typer.echo(json.dumps({"holds": True, **(found[0] if len(found) == 1 else {"statements": found}), **more}))
    else:
        for one in checked:
            typer.echo(_verdict(one.statement, bool(kept), missing, zh))
        typer.echo(_joined(checked, zh) if joined else _others(checked, absent, early, zh))
    if missing or absent or early:
        raise typer.Exit(1)


def _found(checked: Checked) -> dict[str, Any]:
    one = checked.statement
    return {
        "store": one.store,
        "department": one.department,
        "month": one.month,
        "over": one.over,
        "serials": list(one.serials),
        "notices": len(one.items),
        "checkpoint": checked.second.size,
        "stores": None if checked.stores is None else [listed.store for listed in checked.stores.stores],
    }


def _joined(checked: list[Checked], zh: bool) -> str:
    first, last = checked[0].statement, checked[-1].statement
    span = f"{first.serials[0]}—{last.serials[1]}"
    if zh:
        return f"{first.month} 至 {last.month} 各月相接，编号 {span}，无缺。"
    return f"The months from {first.month} to {last.month} join: serials {span}, none between them."


def _others(checked: list[Checked], absent: list[str], early: tuple[str, ...], zh: bool) -> str:
    """Which stores there are besides, by the list."""
    if len(checked) > 1:
        said = []
        if absent:
            said.append(f"还缺这些库的对账函：{'、'.join(absent)}。" if zh else f"Missing: {', '.join(absent)}.")
        if early:
            said.append(f"这些库的未满月：{'、'.join(early)}。" if zh else f"Not over: {', '.join(early)}.")
        if said:
            return "".join(said)
        return "按此清单，各库的对账函已齐。" if zh else "By this list there is one of each store: the set is closed."
    own, listed = checked[0].statement, checked[0].stores
    if listed is None:
        return "本函没有信息库清单：只说本库。" if zh else "It has no list of stores: it speaks for its own only."
    if (found := listed.find(own.store)) is None or found.log != own.origin:
        return (
            f"清单中没有本库 {own.store}（{own.origin}）。"
            if zh
            else f"The list does not have this store, {own.store}."
        )
    others = [one.store for one in listed.stores if one.store != own.store]
    if not others:
        return "清单中别无他库。" if zh else "By the list there is no other store."
    return f"清单中另有：{'、'.join(others)}。" if zh else f"By the list there are also: {', '.join(others)}."


def _verdict(statement: Statement, kept: bool, missing: list[int], zh: bool) -> str:
    first, last = statement.serials
    count = len(statement.items)
    if zh:
        span = f"第 {first} 至 {last} 号共 {count} 项" if count else "没有告知"
        said = f"对账函成立：{statement.month} {statement.name}，{span}，与检查点所承诺的相符，无缺无添。"
        if not statement.over:
            said += f"未满月，截至 {statement.as_at:%Y-%m-%d %H:%M}。"
        if missing:
            return f"{said}\n所列而未存的编号：{_serials(missing)}。"
        return said + ("所存的告知与所列一致。" if kept else "")
    span = f"serials {first} to {last}, {count} in all" if count else "no notice"
    said = (
        f"It holds: {statement.month} {statement.name}, {span}, as the checkpoints commit to: none is missing or added."
    )
    if not statement.over:
        said += f" The month is not over: as at {statement.as_at:%Y-%m-%d %H:%M}."
    if missing:
        return f"{said}\nListed, but not kept: {_serials(missing)}."
    return said + (" What was kept is what is listed." if kept else "")


def _serials(missing: list[int]) -> str:
    from adapters.formats.paper import ranges

    return ranges(missing)


def _made(store: Store, shown: Shown, department: str, month: str) -> Statement:
    from infra.statements import statement as make

    _month(month)
    with closing(store.connect()) as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        made = make(conn, store.settings.store, department, month, datetime.now(UTC))
    if made is None:
        raise _nothing(shown)
    return made


def _month(month: str) -> None:
    from domain.statements import month_period

    try:
        month_period(month)
    except ValueError:
        raise typer.BadParameter(f"不是月份 (no month, such as 2026-10): {month}", param_hint="--month") from None


def _nothing(shown: Shown) -> typer.Exit:
    return shown.fail(
        "该月底之前没有检查点，或该月未到。", "There was no checkpoint by that month's end, or it is yet to come."
    )


def _say(shown: Shown, made: Statement) -> None:
    first, last = made.serials
    known, until = made.totals, f"{made.as_at:%Y-%m-%d %H:%M}"
    shown.say(
        f"{made.name} {made.month}{'' if made.over else f'，未满月（截至 {until}）'}："
        f"告知 {known.owed} 项{f'，编号 {first} 至 {last}' if made.items else ''}；"
        f"已签收 {known.received}、视为接收 {known.deemed}、已移交 {known.moved}、未签收 {known.outstanding}；"
        f"到期 {known.due}，按时签收 {known.received_in_time}；"
        f"反馈 {known.feedback_raised}，已处理 {known.feedback_disposed}。",
        f"{made.name} {made.month}{'' if made.over else f', not over (as at {until})'}: "
        f"{known.owed} notices{f', serials {first} to {last}' if made.items else ''}; "
        f"received {known.received}, deemed {known.deemed}, moved {known.moved}, outstanding {known.outstanding}; "
        f"fell due {known.due}, received in time {known.received_in_time}; "
        f"feedback {known.feedback_raised}, disposed of {known.feedback_disposed}.",
    )


def _json_bytes(made: Statement) -> bytes:
    return made.model_dump_json(indent=1).encode() + b"\n"


def _pdf_bytes(made: Statement) -> bytes:
    from infra.statement_pages import pdf_of

    return pdf_of(made)


_WRITERS = {".json": _json_bytes, ".pdf": _pdf_bytes}


def _fail(as_json: bool, said: str, **details: Any) -> NoReturn:
    typer.echo(json.dumps({"holds": False, **details}, ensure_ascii=False) if as_json else said, err=not as_json)
    raise typer.Exit(1)


def _zh(lang: str | None) -> bool:
    from infra.settings import load

    return (lang or load().language) != "en"
