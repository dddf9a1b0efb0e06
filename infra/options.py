"""What the questions at the terminal have in common: their options, who asks, and how they begin."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from infra.evidence import Asker
    from infra.presentation import Context, Shown
    from infra.store import Store

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

_As = Annotated[str | None, typer.Option("--as", help="以纪检监察接入方的身份查阅：先留痕，再显示")]
_Officer = Annotated[str | None, typer.Option("--officer", help="查阅人：工号,姓名；与 --as 同用")]
_Reason = Annotated[str | None, typer.Option("--reason", help="查阅事由，记入日志；与 --reveal 同用时必填")]
_ASKED = {"as_": _As, "officer": _Officer, "reason": _Reason}
_UNSAID = frozenset({"ctx", "as_json", "lang", "reveal"})
"""What is said of how an answer is shown."""
_META = "shenguan.inspector"
Q = TypeVar("Q", bound=Callable[..., None])


def question(app: typer.Typer, name: str | None = None) -> Callable[[Q], Q]:
    """Makes a function a command of the app, which an inspector may ask in its own name."""

    def mark(function: Q) -> Q:
        app.command(name)(asked(function))
        return function

    return mark


def asked(function: Q) -> Callable[..., None]:
    """The function with the options of an inspector; its name is what is recorded as asked."""
    plain = inspect.signature(function, eval_str=True)
    defaults = {name: one.default for name, one in plain.parameters.items()}

    @wraps(function)
    def command(*, as_: str | None, officer: str | None, reason: str | None, **given: Any) -> None:
        if as_ is not None:
            from infra.inspector import read_inspector

            chosen = {k: v for k, v in given.items() if k not in _UNSAID and v != defaults[k]}
            name = function.__name__.replace("_", "-")
            given["ctx"].meta[_META] = read_inspector(as_, officer, reason, name, chosen)
        function(**given)

    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _ASKED.items()
    ]
    command.__signature__ = plain.replace(parameters=[*plain.parameters.values(), *more])  # type: ignore[attr-defined]
    return command


def asker(ctx: typer.Context) -> Asker:
    """Who has asked, for what is handed out; nobody is named where it was no inspector."""
    from infra.evidence import Asker

    inspector = ctx.meta.get(_META)
    return Asker() if inspector is None else Asker(inspector.principal, None, inspector.officer.id)


def begin(ctx: typer.Context, lang: str | None, as_json: bool, reveal: bool = False) -> tuple[Context, Shown]:
    """The store and the way of showing that a command was given. What an inspector asks is recorded before it is shown:
    where it cannot be recorded, or the inspector is none, nothing is."""
    from infra.presentation import Shown
    from infra.settings import load
    from infra.store import open_store

    context: Context = ctx.obj if ctx.obj is not None else ctx.with_resource(open_store(load(), kafka=False))
    shown = Shown(context, lang, as_json, reveal)
    inspector = ctx.meta.get(_META)
    if inspector is not None:
        from infra.inspector import record

        shown.hold(lambda rows: record(context, inspector, rows, reveal))
        ctx.call_on_close(shown.let_go)
    return context, shown


def begin_store(ctx: typer.Context, lang: str | None, as_json: bool, reveal: bool = False) -> tuple[Store, Shown]:
    """The same, for what asks more of the store than questions do; it is a whole one."""
    context, shown = begin(ctx, lang, as_json, reveal)
    return context, shown  # type: ignore[return-value]  # as opened there
