"""`shenguan bench [NAME]`."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.bench.options import CASES, EVENTS, LARGE, RATES, SEED, SIZES, Options
from infra.bench.outcome import Outcome

if TYPE_CHECKING:
    from infra.settings import Settings

PAGE = Path("docs/performance.md")
KEPT = PAGE.with_suffix(".json")


def bench(
    name: Annotated[
        str | None,
        typer.Argument(help="intake、projections、latency、proofs、growth、queries、stores 或 doors；不给则全部"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="每项测试输出一行 JSON")] = False,
    cases: Annotated[int, typer.Option(min=1, help="所生成一年的办件数")] = CASES,
    seed: Annotated[int, typer.Option(help="随机种子")] = SEED,
    rounds: Annotated[int, typer.Option(min=1, help="摄取测试的轮数，取中位数")] = 2,
    seconds: Annotated[float, typer.Option(min=0.1, help="时延测试每档的秒数")] = 8.0,
    rates: Annotated[str, typer.Option(help="时延测试每秒的决定数，逗号分隔")] = ",".join(map(str, RATES)),
    sizes: Annotated[str, typer.Option(help="增长测试的日志事件数，逗号分隔")] = ",".join(map(str, SIZES)),
    large: Annotated[bool, typer.Option("--large", help="增长测试另加一千万事件")] = False,
    events: Annotated[int, typer.Option(min=1, help="读模型、门户与证明测试的日志事件数")] = EVENTS,
    most: Annotated[int, typer.Option(min=2, help="存储与工作进程测试中最多几个并行")] = 4,
    check: Annotated[bool, typer.Option("--verify/--no-verify", help="每项测试之后核验其存储")] = True,
    write: Annotated[bool, typer.Option("--write", help="写入 docs/performance.md，保留其他测试的结果")] = False,
) -> None:
    """性能测试：与普通做法及机器上限在同一次运行中并列；最后一行是结论。"""
    from infra.bench.catalogue import BENCHES
    from infra.bench.report import keep, lines
    from infra.bench.settled import Unclean
    from infra.settings import load

    if name is not None and name not in BENCHES:
        raise typer.BadParameter(f"须是 {'、'.join(BENCHES)} 之一", param_hint="NAME")
    options = Options(
        say=_say,
        cases=cases,
        seed=seed,
        rounds=rounds,
        seconds=seconds,
        rates=_numbers(rates, "--rates"),
        sizes=tuple(sorted({*_numbers(sizes, "--sizes"), *((LARGE,) if large else ())})),
        events=events,
        most=most,
        verify=check,
    )
    outcomes = []
    for one in [name] if name else list(BENCHES):
        try:
            outcome = _run(load(), one, options)
        except Unclean as problem:
            typer.echo(f"{one}：核验发现问题：{problem}", err=True)
            raise typer.Exit(1) from None
        outcomes.append(outcome)
        for line in [outcome.as_json()] if as_json else lines(outcome):
            typer.echo(line)
        if write:
            keep(outcome, KEPT, PAGE)
    if len(outcomes) > 1 and not as_json:
        typer.echo(" | ".join(outcome.headline for outcome in outcomes))


def _run(settings: Settings, name: str, options: Options) -> Outcome:
    """On servers started for this benchmark alone: none inherits another's dirt."""
    from infra.bench.catalogue import BENCHES
    from infra.bench.ground import open_ground

    begun = time.monotonic()

    def say(text: str) -> None:
        _say(f"[{time.monotonic() - begun:5.0f} s] {name}: {text}")

    with open_ground(settings) as ground:
        return BENCHES[name](ground, replace(options, say=say))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _numbers(text: str, option: str) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(one) for one in text.split(",")}))
    except ValueError:
        found = ()
    if not found or found[0] < 1:
        raise typer.BadParameter("须是逗号分隔的正整数", param_hint=option)
    return found
