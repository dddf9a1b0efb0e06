"""`shenguan erase`: a subject's key is destroyed, and with it whatever was sealed under it (domain notes §4.11).

The running system may not do it: it is done as the owner of the schema. What stays are ciphertexts that nobody can
open, commitments, and that a key was there from when until when.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple

import psycopg
import typer

from infra.options import AsJson, Lang, begin
from infra.store import Store


class Destroyed(NamedTuple):
    """`now`: whether it was this time."""

    subject: str
    created_at: datetime
    destroyed_at: datetime
    now: bool


def erase(store: Store, subject: str) -> Destroyed | None:
    """For good. None where no such subject has, or had, a key. Raises psycopg.OperationalError."""
    with psycopg.connect(store.migrator_url) as conn:
        destroyed = conn.execute(
            "UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = clock_timestamp()"
            " WHERE subject = %s AND wrapped IS NOT NULL",
            (subject,),
        ).rowcount
        row = conn.execute(
            "SELECT subject, created_at, destroyed_at FROM vault.subject_key WHERE subject = %s", (subject,)
        ).fetchone()
    return Destroyed(row[0], row[1], row[2], destroyed == 1) if row is not None else None


def command(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(help="主体，如 case/<部门>/<办件号>、officer/<部门>/<工号>；不给则须 --person")
    ] = None,
    person: Annotated[bool, typer.Option("--person", help="自然人：其证件号码另行输入，不在命令行中")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """销毁一个主体的密钥：其封存的个人信息从此无人能读，不可恢复；日志与证明不变。须有表的所有者的连接。"""
    context, shown = begin(ctx, lang, as_json)
    store: Store = context  # type: ignore[assignment]  # a whole one, as `begin` opens it
    if (subject is None) != person:
        raise typer.BadParameter("须给出主体，或 --person (a subject, or --person)", param_hint="SUBJECT")
    if subject is None:
        number = typer.prompt("证件号码" if shown.zh else "Identity number", hide_input=True)
        subject = f"person/{store.sealer().pseudonym(number)}"
    if not yes:
        typer.confirm(
            f"{subject}: " + ("销毁其密钥？不可恢复" if shown.zh else "destroy its key for good?"), abort=True
        )
    found = erase(store, subject)
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
