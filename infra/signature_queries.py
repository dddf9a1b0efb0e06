"""Questions at the terminal about what was signed."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.options import AsJson, Lang, begin, question

app = typer.Typer()


@question(app)
def signature(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="提交的来源 source")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="提交的标识 id")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """一件提交的签名：何钥所签、当日是否有效、与所存原文是否相符；不符则以 1 结束。"""
    from infra import signatures

    context, shown = begin(ctx, lang, as_json)
    signatures.signature(context, shown, source, id_)
