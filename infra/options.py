"""What the questions at the terminal have in common: their options, and how they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.presentation import Context, Shown

AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Lang = Annotated[str | None, typer.Option(help="zh 或 en；默认按 SHENGUAN_LANGUAGE")]
Reveal = Annotated[bool, typer.Option("--reveal", help="显示完整的个人信息")]
Limit = Annotated[int, typer.Option(min=1, help="最多列出几条")]
Dept = Annotated[str | None, typer.Option(help="部门代码")]
MatterOption = Annotated[str | None, typer.Option("--matter", help="事项编码")]
Since = Annotated[str | None, typer.Option(help="起始日期或时间（北京时间）")]
TrueAt = Annotated[str | None, typer.Option("--as-true-at", help="以哪一日为准（北京时间），默认今日")]
KnownAt = Annotated[str | None, typer.Option("--as-known-at", help="当时所知：时间（北京时间），只给日期则到当日结束")]
TrueOn = Annotated[str | None, typer.Option("--as-true-at", "--on", help="以哪一日为准（北京时间），默认今日")]
Number = Annotated[str, typer.Argument(help="办件号")]
Organ = Annotated[str | None, typer.Option(help="受理部门代码；办件号在几个部门都有时须给出")]


def begin(ctx: typer.Context, lang: str | None, as_json: bool, reveal: bool = False) -> tuple[Context, Shown]:
    """The store and the way of showing that a command was given."""
    from infra.presentation import Shown
    from infra.settings import load
    from infra.store import open_store

    context: Context = ctx.obj if ctx.obj is not None else ctx.with_resource(open_store(load(), kafka=False))
    return context, Shown(context, lang, as_json, reveal)
