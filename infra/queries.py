"""Questions at the terminal: who approved what, who has received it, what became of submissions.

`app` is mounted without a name. A context object may be given as typer's `obj`; else the configured store is opened.
JSON keys are the first words of the lines in infra/answers.py; lists are {"total", "shown", "items"}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra import clock_queries, evidence_commands, register_queries, signature_queries
from infra.options import (
    AsJson,
    Dept,
    KnownAt,
    Lang,
    Limit,
    MatterOption,
    Number,
    Organ,
    Reveal,
    Since,
    TrueAt,
    begin,
    question,
)

app = typer.Typer()
app.add_typer(register_queries.app)
app.add_typer(clock_queries.app)
app.add_typer(signature_queries.app)
app.add_typer(evidence_commands.app)


@question(app)
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

    context, shown = begin(ctx, lang, as_json, reveal)
    flags = Flags(unsealed, undecided, outside_window, anew)
    answers.approvals(context, shown, department, matter, since, limit, flags)


@question(app)
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

    context, shown = begin(ctx, lang, as_json, reveal)
    answers.receipts(context, shown, department, matter, since, outstanding, limit)


@question(app)
def case(
    ctx: typer.Context,
    number: Number,
    organ: Organ = None,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """一个办件：决定、各方签收、双向记录、被拒绝的尝试；给出某日或当时所知则从日志重放。"""
    from infra import answers, replaying

    context, shown = begin(ctx, lang, as_json, reveal)
    if as_true_at is None and as_known_at is None:
        answers.case(context, shown, number, organ)
    else:
        replaying.replay(context, shown, number, organ, as_true_at, as_known_at)


@question(app)
def licences(
    ctx: typer.Context,
    department: Annotated[str | None, typer.Option(help="只列由此部门监管的")] = None,
    matter: MatterOption = None,
    number: Annotated[str | None, typer.Option(help="只列此办件")] = None,
    status: Annotated[
        str | None,
        typer.Option(
            help="只列此状态：in_force not_yet expired suspended stopped penalised withdrawn revoked cancelled annulled"
        ),
    ] = None,
    unsupervised: Annotated[bool, typer.Option("--unsupervised", help="只列在册而无人监管的")] = False,
    never_inspected: Annotated[bool, typer.Option("--never-inspected", help="只列已签收而从未检查的")] = False,
    as_true_at: TrueAt = None,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """证照：某日有效、暂扣、过期、吊销或注销，由谁监管、依据什么；无人监管的，签收而从未检查的。"""
    from infra import licences as answer

    context, shown = begin(ctx, lang, as_json, reveal)
    wanted = answer.Wanted(department, matter, number, status, unsupervised, never_inspected)
    answer.licences(context, shown, wanted, as_true_at, as_known_at, limit)


@question(app)
def inspections(
    ctx: typer.Context,
    department: Dept = None,
    case: Annotated[str | None, typer.Option(help="只列此办件的：case/部门/办件号")] = None,
    since: Since = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """检查：谁在何日检查了哪个办件的被许可人，结果如何。"""
    from infra import licences as answer

    context, shown = begin(ctx, lang, as_json)
    answer.inspections(context, shown, department, case, since, limit)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    answer.liability(context, shown, number, organ, as_known_at)


@question(app)
def ratings(
    ctx: typer.Context,
    department: Dept = None,
    matter: MatterOption = None,
    since: Since = None,
    until: Annotated[str | None, typer.Option(help="截止日期或时间（北京时间）")] = None,
    by: Annotated[str, typer.Option(help="按什么统计：department matter month")] = "department",
    each: Annotated[bool, typer.Option("--each", help="逐条列出")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="逐条列出差评：待联系、待整改、待回访、已剔除")] = False,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """好差评：各级评价数、差评率、整改率、回访率；或逐条列出。剔除的仍可见，不计入。"""
    from infra import ratings as answer

    context, shown = begin(ctx, lang, as_json, reveal)
    wanted = answer.Wanted(department, matter, since, until)
    if each or bad:
        answer.ratings(context, shown, wanted, bad, as_known_at, limit)
    else:
        answer.figures(context, shown, wanted, by, as_known_at)


@question(app)
def risks(
    ctx: typer.Context,
    kind: Annotated[
        str | None,
        typer.Option(
            help="只列此信号：backdated late hasty same_party attempts seal_first burst off_hours failed_task"
        ),
    ] = None,
    department: Dept = None,
    since: Since = None,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """廉政风险信号：倒填、秒批、同一经办人与相对人、被拒绝的尝试等，附阈值与所依据的事实；供核查，不是结论。"""
    from infra import risks as answer

    context, shown = begin(ctx, lang, as_json, reveal)
    answer.risks(context, shown, kind, department, since, as_known_at, limit)


@question(app)
def attempts(
    ctx: typer.Context,
    department: Dept = None,
    rule: Annotated[str | None, typer.Option(help="只列因此规则被拒绝的，如 seal.second")] = None,
    since: Since = None,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """被拒绝的尝试：谁在何时试图做通知不允许的事，因哪条规则被拒绝。"""
    from infra import reads as answer

    context, shown = begin(ctx, lang, as_json)
    answer.attempts(context, shown, department, rule, since, as_known_at, limit)


@question(app)
def reads(
    ctx: typer.Context,
    department: Dept = None,
    since: Since = None,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """监察查阅记录：哪个纪检监察部门的谁，在何时查阅了什么、看到多少条。"""
    from infra import reads as answer

    context, shown = begin(ctx, lang, as_json, reveal)
    answer.reads(context, shown, department, since, as_known_at, limit)


@question(app)
def erasures(
    ctx: typer.Context,
    as_known_at: KnownAt = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """销毁命令：谁的密钥，何部门何人因何下令销毁，何时销毁。"""
    from infra import erasing as answer

    context, shown = begin(ctx, lang, as_json, reveal)
    answer.erasures(context, shown, as_known_at, limit)


@question(app)
def circulars(
    ctx: typer.Context,
    department: Annotated[str | None, typer.Option(help="只列此部门发出或收到的")] = None,
    kind: Annotated[str | None, typer.Option(help="只列此类别：policy meeting training guidance")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="只列遗漏试点审批部门的，及其遗漏了谁")] = False,
    decided_between: Annotated[
        str | None,
        typer.Option("--decided-between", metavar="文号", help="列出此政策变化之后、告知签收之前所作的决定"),
    ] = None,
    sender: Annotated[str | None, typer.Option(help="发送部门；文号在几个部门都有时须给出")] = None,
    limit: Limit = 50,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """通知与邀请：主送、抄送、签收、参加；遗漏了谁；变化之后、告知之前的决定。"""
    from infra import circulars as answer

    context, shown = begin(ctx, lang, as_json)
    if decided_between is not None:
        answer.decided_between(context, shown, decided_between, sender, as_known_at, limit)
    else:
        answer.circulars(context, shown, answer.Wanted(department, kind, missing), as_known_at)


@question(app)
def consultations(
    ctx: typer.Context,
    department: Annotated[str | None, typer.Option(help="只列此部门提出或答复的")] = None,
    unanswered: Annotated[bool, typer.Option("--unanswered", help="只列待答复的")] = False,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """商询：上下级之间谁问了谁、关于什么，待谁答复。"""
    from infra import consultations as answer

    context, shown = begin(ctx, lang, as_json)
    answer.consultations(context, shown, department, unanswered, as_known_at)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    answer.tasks(context, shown, number, organ, registers.day(as_known_at), as_known_at)


@question(app)
def replay(
    ctx: typer.Context,
    number: Number,
    organ: Organ = None,
    as_true_at: Annotated[
        str | None, typer.Option("--as-true-at", help="只取到此日（北京时间）为止已成立的事实")
    ] = None,
    as_known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Lang = None,
    reveal: Reveal = False,
) -> None:
    """从日志重放一个办件，不经读模型；可只到某日已成立的、某一时刻所知的为止。"""
    from infra import replaying

    context, shown = begin(ctx, lang, as_json, reveal)
    replaying.replay(context, shown, number, organ, as_true_at, as_known_at)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    exporting.export(context, shown, kind, file, department)


@question(app)
def statistics(
    ctx: typer.Context,
    by: Annotated[
        str | None, typer.Option(help="分列：department matter region，或 day month quarter year；不给则只有合计")
    ] = None,
    department: Dept = None,
    matter: MatterOption = None,
    about: Annotated[str | None, typer.Option(help="只计由此而起的告知：decision change feedback …")] = None,
    since: Annotated[str | None, typer.Option("--from", help="自此日起应告知、提出的")] = None,
    until: Annotated[str | None, typer.Option("--to", help="至此日止应告知、提出的")] = None,
    as_known_at: Annotated[str | None, typer.Option("--as-known-at", help="某日结束时所知：只给日期；默认今日")] = None,
    rank: Annotated[
        str,
        typer.Option(
            help="按此比率排名：dispatch_rate receipt_rate timely_receipt_rate return_rate feedback_rate"
            " timely_feedback_rate disposition_rate"
        ),
    ] = "timely_receipt_rate",
    overdue: Annotated[bool, typer.Option("--overdue", help="列出逾期未签收的告知")] = False,
    public: Annotated[bool, typer.Option("--public", help="可公布的匿名统计：一个季度，按 region 或 matter")] = False,
    quarter: Annotated[str | None, typer.Option(help="公布哪个季度：2026Q1；默认上一季度")] = None,
    file: Annotated[Path | None, typer.Option("--export", help="写成 .csv、.xlsx 或 .jsonl；已有的文件不覆盖")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """统计：推送、签收、退回、反馈各率，各以什么为分母；某日所知；排名；逾期未签收；可公布的匿名统计。"""
    from infra import public_statistics
    from infra import statistics as answer
    from infra.settings import load

    context, shown = begin(ctx, lang, as_json)
    wanted = answer.Wanted(by, department, matter, about, since, until, as_known_at, rank, limit, file)
    if quarter is not None and not public:
        raise typer.BadParameter("只与 --public 同用 (with --public only)", param_hint="--quarter")
    if public:
        public_statistics.public(context, shown, wanted, overdue, quarter, load().public_smallest)
    elif overdue:
        answer.overdue(context, shown, wanted)
    else:
        answer.statistics(context, shown, wanted)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    reconciling.reconcile(context, shown, source, day, differing)


@question(app)
def deadletters(
    ctx: typer.Context,
    department: Dept = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """死信：哪条提交、哪个字段、违反哪条规则、实际是什么；以及内容冲突的提交。"""
    from infra import answers

    context, shown = begin(ctx, lang, as_json)
    answers.deadletters(context, shown, department, limit)


@question(app)
def parked(
    ctx: typer.Context,
    department: Dept = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """等待中的提交：等什么，等到何时。"""
    from infra import answers

    context, shown = begin(ctx, lang, as_json)
    answers.parked(context, shown, department, limit)


@question(app)
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

    context, shown = begin(ctx, lang, as_json)
    region_answer.region(context, shown, store, department, departments, limit)


@question(app)
def status(ctx: typer.Context, as_json: AsJson = False, lang: Lang = None) -> None:
    """现状：日志、跟随者、提交、告知。"""
    from infra import answers

    context, shown = begin(ctx, lang, as_json)
    answers.status(context, shown)
