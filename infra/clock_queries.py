"""Questions at the terminal about time: lamps, and what another limit or calendar would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from domain.clocks import ClockKind, Lamp
from infra.options import AsJson, Dept, Lang, Limit, TrueOn, begin

app = typer.Typer()


@app.command()
def lamps(
    ctx: typer.Context,
    department: Dept = None,
    kind: Annotated[str | None, typer.Option(help=f"只看这种时限：{' '.join(get_args(ClockKind))}")] = None,
    lamp: Annotated[str | None, typer.Option(help="列出亮此灯的：red yellow green paused unknown")] = None,
    on: TrueOn = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """电子监察：各部门绿、黄、红灯各几件；--lamp 列出各件，及其时限规定、政策文件与日历。"""
    from infra import lamps as lighting

    if lamp is not None and lamp not in get_args(Lamp):
        raise typer.BadParameter(f"没有这种灯 (no such lamp): {lamp}")
    context, shown = begin(ctx, lang, as_json)
    if lamp is None:
        lighting.lamps(context, shown, department, kind, on)
    else:
        lighting.showing(context, shown, lamp, department, kind, on, limit)  # type: ignore[arg-type]


@app.command()
def whatif(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON：要假设的 time_limit 与 calendar 登记项（一项或一列）")],
    since: Annotated[str, typer.Option(help="自何日起算起的（北京时间）")],
    until: Annotated[str | None, typer.Option(help="至何日")] = None,
    department: Dept = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """假设：同样的告知与反馈，若换一种时限或日历，哪些期限不同、哪些将逾期。不作任何记录。"""
    from infra import supposing, whatif

    context, shown = begin(ctx, lang, as_json)
    supposed = supposing.read(file, shown)
    whatif.whatif(context, shown, supposed, *supposing.window(since, until), department, limit)
