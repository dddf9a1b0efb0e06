"""`shenguan channels`: by which channels departments are told, and how each does; the secrets that pushes are signed
with."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from infra.options import AsJson, Dept, Lang, asked, begin
from infra.presentation import columns

if TYPE_CHECKING:
    from psycopg import Connection

    from domain.departments import Department

app = typer.Typer(invoke_without_command=True, help="告知渠道：次序、推送地址与密钥、运行情况。")
CHANNEL = columns("""
    department | 部门 | department
    order | 次序 | order
    channel | 渠道 | channel
    endpoint | 推送地址 | address
    secret | 有密钥 | has a secret
    liaison | 有联络员电话 | a liaison officer's number
    waiting | 待推送 | waiting
    sent_at | 最近推送 | last sent
    failures | 连续失败 | failures in a row
    failed_at | 最近失败 | last failure
    error | 原因 | why
    gone | 地址已停用 | address is gone
""")
WORKER = columns("""
    channel | 渠道 | channel
    alive_at | 最近运行 | last alive
    error | 停止原因 | why it stopped
    failures | 连续失败 | failures in a row
    failed_at | 最近失败 | last failure
    trouble | 网关 | gateway
""")


def channels(ctx: typer.Context, department: Dept = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """各部门的渠道次序、推送地址、有无密钥、待推送数、最近成功与失败；渠道自身是否在运行。"""
    if ctx.invoked_subcommand is not None:
        return
    from adapters.postgres.push_secrets import with_secrets
    from adapters.postgres.registers import RegisterCache
    from domain.liaisons import liaisons_on
    from domain.submissions import local_date
    from infra.registers import name_of

    context, shown = begin(ctx, lang, as_json)
    with closing(context.connect()) as conn:
        registers = RegisterCache().refresh(conn)
        if department is not None and department not in registers.departments:
            raise shown.fail(f"没有部门 {department}。", f"There is no department {department}.")
        secrets = with_secrets(conn)
        today = local_date(datetime.now(UTC))
        liaisons = {
            code
            for code in registers.departments
            if any(one.person.phone for one in liaisons_on(registers, code, today))
        }
        wanted = [department] if department is not None else sorted(registers.departments)
        rows = [row for code in wanted for row in _rows(conn, registers.departments[code], secrets, liaisons)]
        workers = _workers(conn)
    if shown.as_json:
        keys = [column.key for column in CHANNEL]
        shown.json({"channels": [{key: row[key] for key in keys} for row in rows], "workers": workers})
        return
    for row in rows:
        row["department"] = name_of(registers, row["department"], shown)
    shown.table(("渠道", "Channels"), CHANNEL, rows)
    if workers:
        shown.table(("运行", "Running"), WORKER, workers)


app.callback()(asked(channels))


def _rows(conn: Connection[Any], entry: Department, secrets: set[str], liaisons: set[str]) -> list[dict[str, Any]]:
    """A department's, in its order; then those that still have something for it."""
    from adapters.postgres.troubles import standings
    from domain.channels import Channel

    found = []
    others = [one for one in get_args(Channel) if one not in entry.channels]
    for at, one in enumerate(standings(conn, entry.code, [*entry.channels, *others])):
        if one.channel not in entry.channels and not one.waiting:
            continue
        row = {name: getattr(one, name) for name in one.__slots__}
        row |= {"department": entry.code, "order": at + 1 if one.channel in entry.channels else None}
        row["failures"] = one.failures or None
        row["endpoint"] = entry.endpoint if one.channel == "https" else None
        row["secret"] = entry.code in secrets if one.channel == "https" else None
        row["liaison"] = entry.code in liaisons if one.channel == "sms" else None
        found.append(row)
    return found


def _workers(conn: Connection[Any]) -> list[dict[str, Any]]:
    """The channels beside Kafka: whether somebody sends over them, and what is wrong with the whole channel."""
    rows = conn.execute(
        "SELECT substr(name, 8), alive_at, f.error, nullif(t.failures, 0), t.failed_at, t.error"
        " FROM shenguan.follower AS f LEFT JOIN shenguan.channel_trouble AS t"
        " ON t.department = '' AND t.channel = substr(name, 8) WHERE name LIKE 'outlet.%' ORDER BY 1"
    )
    return [dict(zip([column.key for column in WORKER], row, strict=True)) for row in rows]


@app.command()
def secret(
    ctx: typer.Context,
    department: Annotated[str, typer.Argument(help="部门代码")],
    keep_hours: Annotated[float, typer.Option(min=0, max=24 * 31, help="旧密钥还有效几小时")] = 24,
    lang: Lang = None,
) -> None:
    """为部门的网络推送生成或更换签名密钥，只显示这一次；更换期间以新旧两把密钥同时签名。"""
    from adapters.crypto.webhooks import new_secret, shown
    from adapters.postgres.push_secrets import add_secret
    from adapters.postgres.registers import RegisterCache
    from infra.settings import load
    from infra.store import open_store

    store = ctx.obj if ctx.obj is not None else ctx.with_resource(open_store(load(), kafka=False))
    en = (lang or store.language) == "en"
    with closing(store.connect()) as conn:
        if department not in RegisterCache().refresh(conn).departments:
            typer.echo(f"There is no department {department}." if en else f"没有部门 {department}。", err=True)
            raise typer.Exit(1)
        made = new_secret()
        number = add_secret(conn, department, store.secret_box().wrap(department, made), timedelta(hours=keep_hours))
    typer.echo(shown(made))
    if number > 1:
        words = f"旧密钥还有效 {keep_hours:g} 小时。"
        typer.echo(f"The one before stays valid for {keep_hours:g} hours." if en else words, err=True)
