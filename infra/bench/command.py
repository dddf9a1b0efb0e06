"""`shenguan bench [NAME]`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from infra.bench.outcome import Outcome
from infra.settings import Settings

NAMES = ("intake", "projections", "latency", "growth")
SEED = 2020
RATES = (10, 100)
SIZES = (100_000, 2_000_000)
LARGE = 10_000_000
EVENTS = 1_000_000
PAGE = Path("docs/performance.md")


def bench(
    name: Annotated[str | None, typer.Argument(help="intake、projections、latency 或 growth；不给则全部")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="每项测试输出一行 JSON")] = False,
    cases: Annotated[int, typer.Option(min=1, help="摄取测试的办件数")] = 2000,
    seed: Annotated[int, typer.Option(help="随机种子")] = SEED,
    rounds: Annotated[int, typer.Option(min=1, help="摄取测试的轮数，取中位数")] = 2,
    seconds: Annotated[float, typer.Option(min=0.1, help="时延测试每档的秒数")] = 8.0,
    log_events: Annotated[int, typer.Option("--events", min=1, help="读模型测试的日志事件数")] = EVENTS,
    sizes: Annotated[str, typer.Option(help="增长测试的日志事件数，逗号分隔")] = ",".join(map(str, SIZES)),
    large: Annotated[bool, typer.Option("--large", help="增长测试另加一千万事件")] = False,
    write: Annotated[bool, typer.Option("--write", help="写入 docs/performance.md")] = False,
) -> None:
    """性能测试：与普通做法及机器上限在同一次运行中并列；最后一行是结论。"""
    from infra.bench.report import lines, page
    from infra.settings import load

    if name is not None and name not in NAMES:
        raise typer.BadParameter(f"须是 {'、'.join(NAMES)} 之一", param_hint="NAME")
    events = sorted({int(size) for size in sizes.split(",")} | ({LARGE} if large else set()))
    outcomes = []
    for one in [name] if name else NAMES:
        outcome = _run(load(), one, cases, seed, rounds, seconds, log_events, events)
        outcomes.append(outcome)
        if as_json:
            typer.echo(outcome.as_json())
        else:
            for line in lines(outcome):
                typer.echo(line)
    if write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(outcomes), encoding="utf-8")
        print(PAGE, file=sys.stderr)  # noqa: T201
    if len(outcomes) > 1 and not as_json:
        typer.echo(" | ".join(outcome.headline for outcome in outcomes))


def _run(
    settings: Settings,
    name: str,
    cases: int,
    seed: int,
    rounds: int,
    seconds: float,
    log_events: int,
    sizes: list[int],
) -> Outcome:
    """On servers started for this benchmark alone: none inherits another's dirt."""
    from infra.bench import growth, intake, latency, projections
    from infra.bench.ground import open_ground

    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.0f} s] {name}: {text}", file=sys.stderr, flush=True)  # noqa: T201

    with open_ground(settings) as ground:
        if name == "intake":
            return intake.run(ground, cases, seed, rounds, say)
        if name == "projections":
            return projections.run(ground, cases, seed, log_events, say)
        if name == "latency":
            return latency.run(ground, seed, RATES, seconds, say)
        return growth.run(ground, cases, seed, sizes, seconds, say)
