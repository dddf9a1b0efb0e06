"""Questions at the terminal: who approved what, who has received it, what became of submissions.

`app` is mounted without a name. A context object may be given as typer's `obj`; else the configured store is opened.
JSON keys are the first words of the lines in infra/answers.py; lists are {"total", "shown", "items"}.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.presentation import Context, Shown

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Lang = Annotated[str | None, typer.Option(help="zh 或 en；默认按 SHENGUAN_LANGUAGE")]
Reveal = Annotated[bool, typer.Option("--reveal", help="显示完整的个人信息")]
Limit = Annotated[int, typer.Option(min=1, help="最多列出几条")]
Dept = Annotated[str | None, typer.Option(help="部门代码")]
MatterOption = Annotated[str | None, typer.Option("--matter", help="事项编码")]
Since = Annotated[str | None, typer.Option(help="起始日期或时间（北京时间）")]
TrueAt = Annotated[str | None, typer.Option("--as-true-at", help="以哪一日为准（北京时间），默认今日")]
KnownAt = Annotated[str | None, typer.Option("--as-known-at", help="当时所知：时间（北京时间），只给日期则到当日结束")]
Number = Annotated[str, typer.Argument(help="办件号")]
Organ = Annotated[str | None, typer.Option(help="受理部门代码；办件号在几个部门都有时须给出")]


def _begin(ctx: typer.Context, lang: str | None, as_json: bool, reveal: bool = False) -> tuple[Context, Shown]:
    from infra.presentation import Shown
    from infra.settings import load
    from infra.store import open_store

    context: Context = ctx.obj if ctx.obj is not None else ctx.with_resource(open_store(load(), kafka=False))
    return context, Shown(context, lang, as_json, reveal)


@app.command()
def approvals(
    ctx: typer.Context,
    department: Dept = None,
    matter: MatterOption = None,
    since: Since = None,
    unsealed: Annotated[bool, typer.Option("--unsealed", help="只列已准予而未用印的")] = False,
    undecided: Annotated[bool, typer.Option("--undecided", help="只列已用印而未决定的")] = False,
    outside_window: Annotated[bool, typer.Option("--outside-window", help="只列在授权窗口之外决定的")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="只列被责令重作而尚未重新受理的")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """审批台账：谁批了什么；有批无章、有章无批、授权窗口之外。"""
    from infra import answers
    from projections.approvals import Flags

    context, shown = _begin(ctx, lang, as_json, reveal)
    flags = Flags(unsealed, undecided, outside_window, anew)
    answers.approvals(context, shown, department, matter, since, limit, flags)


@app.command()
def receipts(
    ctx: typer.Context,
    department: Dept = None,
    matter: MatterOption = None,
    since: Since = None,
    outstanding: Annotated[bool, typer.Option("--outstanding", help="只列未签收的，最久的在前")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """签收台账：应告知谁，谁已签收，谁尚未。"""
    from infra import answers

    context, shown = _begin(ctx, lang, as_json, reveal)
    answers.receipts(context, shown, department, matter, since, outstanding, limit)


@app.command()
def case(
    ctx: typer.Context,
    number: Number,
    organ: Organ = None,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """一个办件：决定、各方签收、双向记录、被拒绝的尝试。"""
    from infra import answers

    context, shown = _begin(ctx, lang, as_json, reveal)
    answers.case(context, shown, number, organ)


@app.command()
def liability(
    ctx: typer.Context,
    number: Number,
    organ: Organ = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """责任：一个办件由谁审批、依据什么权力，由谁监管、自何时起。"""
    from infra import liability as answer

    context, shown = _begin(ctx, lang, as_json)
    answer.liability(context, shown, number, organ, as_known_at)


@app.command()
def tasks(
    ctx: typer.Context,
    number: Number,
    organ: Organ = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """关联业务：一个办件的任务、责任方、期限与结果，以及扣除后的办理用时。"""
    from infra import registers
    from infra import tasks as answer

    context, shown = _begin(ctx, lang, as_json)
    answer.tasks(context, shown, number, organ, registers.day(as_known_at), as_known_at)


@app.command()
def replay(
    ctx: typer.Context,
    number: Number,
    organ: Organ = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """从日志重放一个办件，不经读模型；可只到某一时刻所知为止。"""
    from infra import replaying

    context, shown = _begin(ctx, lang, as_json, reveal)
    replaying.replay(context, shown, number, organ, as_known_at)


@app.command()
def matters(
    ctx: typer.Context,
    code: Annotated[str | None, typer.Argument(help="事项编码；不给则全部")] = None,
    standing: Annotated[
        str | None, typer.Option(help="只列此状态：untransferred proposed deferred transferred returned")
    ] = None,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """事项：某日权力归谁、依据什么、由谁监管，暂缓的何时复核。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.matters(context, shown, standing, code, as_true_at, as_known_at)


@app.command()
def lists(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(
            help="power_item supervision_item proposal deferral bundle guide work_capability placement seal"
            " system_access"
        ),
    ],
    file: Annotated[Path | None, typer.Option("--csv", help="写成可公布的 CSV 文件")] = None,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """清单：权力清单、监管清单、拟划转、暂缓、办成一件事、办事指南、印章登记、上级系统权限，某日的版本。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.entries(context, shown, kind, as_true_at, as_known_at, file)


@app.command()
def placements(
    ctx: typer.Context,
    wanting: Annotated[bool, typer.Option("--wanting", help="只列未到位的")] = False,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """三集中三到位：未划转事项的科室、大厅、窗口、网办、监察，尚缺什么。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.placements(context, shown, wanting, as_true_at, as_known_at)


@app.command()
def successions(ctx: typer.Context, as_known_at: KnownAt = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """机构承接：谁的职责自何时起由谁承接，其告知已接续到哪个编号。"""
    from infra import stewarding

    context, shown = _begin(ctx, lang, as_json)
    stewarding.successions(context, shown, as_known_at)


@app.command()
def subscriptions(
    ctx: typer.Context, department: Dept = None, as_known_at: KnownAt = None, as_json: AsJson = False, lang: Lang = None
) -> None:
    """订阅：谁自哪个编号起关注哪些事项，补发了多少此前的许可。"""
    from infra import stewarding

    context, shown = _begin(ctx, lang, as_json)
    stewarding.subscriptions(context, shown, department, as_known_at)


@app.command()
def seals(
    ctx: typer.Context,
    expired: Annotated[bool, typer.Option("--expired", help="只列证书已过期的")] = False,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """印章登记：某日有哪些印章，归谁所有、授权谁用，证书是否有效。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.seals(context, shown, expired, as_true_at, as_known_at)


@app.command()
def mismatches(
    ctx: typer.Context,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """两清单的匹配：已划转而清单缺项的事项，及没有权力事项的监管事项。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.unmatched(context, shown, as_true_at, as_known_at)


@app.command()
def unlike(
    ctx: typer.Context,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """同类事项办理不一：基本编码相同而办事指南不同的事项。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.handled_unlike(context, shown, as_true_at, as_known_at)


@app.command()
def export(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="approvals 或 receipts")],
    file: Annotated[Path, typer.Argument(help="以 .csv、.xlsx 或 .jsonl 结尾；已有的文件不覆盖")],
    department: Dept = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """导出台账，供他人使用；自然人信息始终遮蔽。"""
    from infra import exporting

    context, shown = _begin(ctx, lang, as_json)
    exporting.export(context, shown, kind, file, department)


@app.command()
def blanks(
    ctx: typer.Context,
    department: Dept = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """空白证照：各系列登记、核发、作废、注销、结存的编号数。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.blanks(context, shown, department, as_known_at)


@app.command()
def reconcile(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Option(help="只列此来源")] = None,
    day: Annotated[str | None, typer.Option(help="只列此日（提交时间，北京时间）")] = None,
    differing: Annotated[bool, typer.Option("--differing", help="只列不一致的")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """收发核对：各来源各日申报发送的数量与实际收到的数量。"""
    from infra import reconciling

    context, shown = _begin(ctx, lang, as_json)
    reconciling.reconcile(context, shown, source, day, differing)


@app.command()
def handovers(
    ctx: typer.Context,
    incomplete: Annotated[bool, typer.Option("--incomplete", help="只列未完成的")] = False,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """交接：每个已划转事项的交接单、清单、职责划分，双方是否签认。"""
    from infra import registers

    context, shown = _begin(ctx, lang, as_json)
    registers.handovers(context, shown, incomplete, as_true_at, as_known_at)


@app.command()
def deadletters(
    ctx: typer.Context,
    department: Dept = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """死信：哪条提交、哪个字段、违反哪条规则、实际是什么；以及内容冲突的提交。"""
    from infra import answers

    context, shown = _begin(ctx, lang, as_json)
    answers.deadletters(context, shown, department, limit)


@app.command()
def parked(
    ctx: typer.Context,
    department: Dept = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """等待中的提交：等什么，等到何时。"""
    from infra import answers

    context, shown = _begin(ctx, lang, as_json)
    answers.parked(context, shown, department, limit)


@app.command()
def region(
    ctx: typer.Context,
    store: Annotated[str | None, typer.Option(help="只看一个库")] = None,
    department: Dept = None,
    departments: Annotated[bool, typer.Option("--departments", help="逐部门列出")] = False,
    limit: Limit = 20,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """全区各库：决定、告知、签收与未签收，以及各库日志读到何处。"""
    from infra import region_answer

    context, shown = _begin(ctx, lang, as_json)
    region_answer.region(context, shown, store, department, departments, limit)


@app.command()
def status(ctx: typer.Context, as_json: AsJson = False, lang: Lang = None) -> None:
    """现状：日志、跟随者、提交、告知。"""
    from infra import answers

    context, shown = _begin(ctx, lang, as_json)
    answers.status(context, shown)
