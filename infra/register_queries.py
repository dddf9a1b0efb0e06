"""Questions at the terminal about the registers: matters, lists, handovers, seals, successions, subscriptions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.options import AsJson, Dept, KnownAt, Lang, Reveal, TrueAt, TrueOn, begin, question

app = typer.Typer()


@question(app)
def matters(
    ctx: typer.Context,
    code: Annotated[str | None, typer.Argument(help="事项编码；不给则全部")] = None,
    standing: Annotated[
        str | None, typer.Option(help="只列此状态：untransferred proposed deferred transferred returned")
    ] = None,
    batch: Annotated[str | None, typer.Option(help="只列此批次的")] = None,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """事项：某日权力归谁、依据什么、由谁监管，暂缓的何时复核。"""
    from infra import registers

    context, shown = begin(ctx, lang, as_json)
    registers.matters(context, shown, standing, batch, code, as_true_at, as_known_at)


@question(app)
def lists(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(
            help="power_item supervision_item proposal deferral bundle guide work_capability placement innovation"
            " relation duty document risk_threshold seal letterhead system_access time_limit calendar"
            " public_key signing stores"
        ),
    ],
    file: Annotated[Path | None, typer.Option("--csv", help="写成可公布的 CSV 文件")] = None,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """清单：权力、监管、拟划转、暂缓、办成一件事、办事指南、创新与关系、改革任务、政策文件、风险阈值、印章、函头、系统权限、时限、日历。"""
    from infra import registers

    context, shown = begin(ctx, lang, as_json)
    registers.entries(context, shown, kind, as_true_at, as_known_at, file)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    registers.placements(context, shown, wanting, as_true_at, as_known_at)


@question(app)
def liaisons(
    ctx: typer.Context,
    department: Dept = None,
    missing: Annotated[bool, typer.Option("--missing", help="只列没有联络员的，仅有副联络员的也列出")] = False,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """联络员：某日各部门由谁联络，副联络员是谁；哪些部门没有。"""
    from infra import liaisons as answer

    context, shown = begin(ctx, lang, as_json, reveal)
    answer.liaisons(context, shown, department, missing, as_true_at, as_known_at)


@question(app)
def documents(
    ctx: typer.Context,
    impact: Annotated[str | None, typer.Option("--impact", help="列出引用此文号的全部登记")] = None,
    as_true_at: TrueOn = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """政策文件：某日是否有效，有多少登记引用；废止一件影响哪些登记。"""
    from infra import documents

    context, shown = begin(ctx, lang, as_json)
    documents.policy_documents(context, shown, impact, as_true_at, as_known_at)


@question(app)
def duties(
    ctx: typer.Context,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期的")] = False,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """改革任务：责任部门、督办部门、期限、经费列支，是否完成。"""
    from infra import documents

    context, shown = begin(ctx, lang, as_json)
    documents.reform_duties(context, shown, overdue, as_true_at, as_known_at)


@question(app)
def successions(ctx: typer.Context, as_known_at: KnownAt = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """机构承接：谁的职责自何时起由谁承接，其告知已接续到哪个编号。"""
    from infra import stewarding

    context, shown = begin(ctx, lang, as_json)
    stewarding.successions(context, shown, as_known_at)


@question(app)
def subscriptions(
    ctx: typer.Context, department: Dept = None, as_known_at: KnownAt = None, as_json: AsJson = False, lang: Lang = None
) -> None:
    """订阅：谁自哪个编号起关注哪些事项，补发了多少此前的许可。"""
    from infra import stewarding

    context, shown = begin(ctx, lang, as_json)
    stewarding.subscriptions(context, shown, department, as_known_at)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    registers.seals(context, shown, expired, as_true_at, as_known_at)


@question(app)
def mismatches(
    ctx: typer.Context,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """两清单的匹配：已划转而清单缺项的事项，及没有权力事项的监管事项。"""
    from infra import registers

    context, shown = begin(ctx, lang, as_json)
    registers.unmatched(context, shown, as_true_at, as_known_at)


@question(app)
def unlike(
    ctx: typer.Context,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """同类事项办理不一：基本编码相同而办事指南不同的事项。"""
    from infra import registers

    context, shown = begin(ctx, lang, as_json)
    registers.handled_unlike(context, shown, as_true_at, as_known_at)


@question(app)
def blanks(
    ctx: typer.Context,
    department: Dept = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """空白证照：各系列登记、核发、作废、注销、结存的编号数。"""
    from infra import registers

    context, shown = begin(ctx, lang, as_json)
    registers.blanks(context, shown, department, as_known_at)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    registers.handovers(context, shown, incomplete, as_true_at, as_known_at)
