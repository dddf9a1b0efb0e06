"""`shenguan erase`: who is to be forgotten, by whose order, and why."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from infra.options import AsJson, Lang, begin_store

if TYPE_CHECKING:
    from domain.erasure import Order
    from infra.store import Store


def erase(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(help="主体，如 case/<部门>/<办件号>、officer/<部门>/<工号>；不给则须 --person")
    ] = None,
    *,
    department: Annotated[str, typer.Option(help="下令的部门代码")],
    officer: Annotated[str, typer.Option(help="经办人：工号,姓名")],
    reason: Annotated[str, typer.Option(help="事由，记入日志")],
    person: Annotated[bool, typer.Option("--person", help="自然人：其证件号码另行输入，不在命令行中")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """销毁一个主体的密钥：其封存的个人信息从此无人能读，不可恢复；日志与证明不变，何人因何下令记入日志。须有表的所有者的连接。"""
    from infra import erasing

    store, shown = begin_store(ctx, lang, as_json)
    if (subject is None) != person:
        raise typer.BadParameter("须给出主体，或 --person (a subject, or --person)", param_hint="SUBJECT")
    if subject is None:
        number = typer.prompt("证件号码" if shown.zh else "Identity number", hide_input=True)
        subject = f"person/{store.sealer().pseudonym(number)}"
    order = _order(store, subject, department, officer, reason)
    if not yes:
        typer.confirm(
            f"{subject}: " + ("销毁其密钥？不可恢复" if shown.zh else "destroy its key for good?"), abort=True
        )
    found = erasing.erase(store, order)
    if found is None:
        raise shown.fail(f"没有主体 {subject} 的密钥。", f"There is no key of {subject}.", subject=subject)
    at = shown.text("", found.destroyed_at)
    if as_json:
        shown.json(found._asdict())
    elif found.now:
        shown.say(
            f"{subject} 的密钥已销毁（{at}）。数据库的备份、Kafka 保留期内的消息与已交出的文件不在此列。",
            f"The key of {subject} is destroyed ({at}). Backups of the database, messages that Kafka still keeps and"
            " files that were handed out are not reached by it.",
        )
    else:
        shown.say(f"{subject} 的密钥早已销毁（{at}）。", f"The key of {subject} was destroyed before ({at}).")


def _order(store: Store, subject: str, department: str, officer: str, reason: str) -> Order:
    """From the options' texts. Raises BadParameter."""
    from adapters.postgres.log import Log
    from domain.erasure import Order, erasure_stream
    from domain.registers import Registers
    from infra.inspector import read_officer
    from infra.registers import day
    from infra.words import RULE_WORDS

    if subject.startswith(erasure_stream("")):
        raise typer.BadParameter("销毁的命令须留存，不得销毁 (an order to erase stays on record)", param_hint="SUBJECT")
    registers = Registers()
    with closing(store.connect()) as conn:
        Log(conn).refresh(registers, 0)
    if department not in registers.departments:
        raise typer.BadParameter("没有登记的部门 (no registered department)", param_hint="--department")
    if registers.ceased(department, day(None)):
        raise typer.BadParameter("{} ({})".format(*RULE_WORDS["department.ceased"]), param_hint="--department")
    try:
        who = read_officer(officer)
    except ValueError:
        raise typer.BadParameter("经办人须为工号,姓名 (an officer is ID,NAME)", param_hint="--officer") from None
    try:
        return Order(subject=subject, department=department, officer=who, reason=reason)
    except ValueError:
        raise typer.BadParameter("事由不得为空，不超过 4000 字 (1 to 4000 characters)", param_hint="--reason") from None
