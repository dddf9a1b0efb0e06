"""`shenguan sessions`: sessions of people who have signed in to the pages, ended by an operator."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from infra.options import Dept, Lang

app = typer.Typer(no_args_is_help=True, help="网页登录会话。")


@app.command()
def end(
    ctx: typer.Context,
    department: Dept = None,
    officer: Annotated[str | None, typer.Option(help="工号；与 --department 同用")] = None,
    subject: Annotated[str | None, typer.Option(help="身份：签发者与 sub，中间一个空格，见 GET /api/v1/me")] = None,
    lang: Lang = None,
) -> None:
    """结束一人的全部登录会话，如设备遗失、人员离岗；可重新登录。统一身份认证签发的令牌须在该处收回。"""
    from adapters.http.sessions import officer_name, subject_name
    from adapters.postgres.registers import RegisterCache
    from adapters.postgres.session_ends import end as end_session
    from domain.access import OPERATOR
    from infra.settings import LONGEST_SESSION_S, load
    from infra.store import open_store

    store = ctx.obj if ctx.obj is not None else ctx.with_resource(open_store(load(), kafka=False))
    en = (lang or store.language) == "en"
    if (department is None) != (officer is None) or (department is None) == (subject is None):
        words = "--department and --officer, or --subject" if en else "须给出 --department 与 --officer，或 --subject"
        raise typer.BadParameter(words)
    with closing(store.connect()) as conn:
        if department is not None and officer is not None:
            if department not in {OPERATOR.lower(), *RegisterCache().refresh(conn).departments}:
                typer.echo(f"There is no department {department}." if en else f"没有部门 {department}。", err=True)
                raise typer.Exit(1)
            whose = officer_name(department, officer)
        else:
            whose = subject_name(subject or "")
        # However long the doors let them last: that setting is theirs, and not this process's.
        end_session(conn, whose, datetime.now(UTC) + timedelta(seconds=LONGEST_SESSION_S))
    typer.echo(
        "Every session that has begun by now is over at all servers within a second."
        if en
        else "此前的全部登录会话已结束，各服务器一秒内生效。"
    )
