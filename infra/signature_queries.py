"""Questions at the terminal about what was signed."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.options import AsJson, KnownAt, Lang, begin, question

app = typer.Typer()


@question(app)
def signature(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="提交的来源 source")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="提交的标识 id")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """一件提交的签名：何钥所签、当日是否有效、与所存原文是否相符；不符，或公钥当日不是其所有，则以 1 结束。"""
    from infra import signatures

    context, shown = begin(ctx, lang, as_json)
    signatures.signature(context, shown, source, id_)


@question(app)
def had(
    ctx: typer.Context,
    notice: Annotated[str, typer.Argument(help="告知编号：部门/来源/标识")],
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """某告知届时是否已被签收：何时入账、何钥所签、是否相符；或尚无签收。不符，或公钥当日不是该部门的，则以 1 结束。"""
    from infra import had as answer

    context, shown = begin(ctx, lang, as_json)
    answer.had(context, shown, notice, as_known_at)
