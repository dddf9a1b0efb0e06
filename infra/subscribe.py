"""`shenguan subscribe`: the command of the reference client for a supervision department."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.options import Lang


def subscribe(
    department: Annotated[str, typer.Option(help="部门代码")],
    receipt: Annotated[bool, typer.Option("--receipt", help="逐件签收")] = False,
    principal: Annotated[str | None, typer.Option(help="以哪个接入方的名义签收；默认与部门同名")] = None,
    officer_id: Annotated[str | None, typer.Option(help="签收人工号")] = None,
    officer_name: Annotated[str | None, typer.Option(help="签收人姓名")] = None,
    group: Annotated[str | None, typer.Option(help="消费组；默认 shenguan.<部门代码>")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="首次读取时从头开始")] = False,
    sign_with: Annotated[Path | None, typer.Option("--sign", help="以此私钥文件为签收签名；见 shenguan keys")] = None,
    idle: Annotated[float | None, typer.Option(help="多少秒没有新告知即结束；默认一直等待")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="每行输出一件告知的 JSON")] = False,
    lang: Lang = None,
) -> None:
    """监管部门参考客户端：读取本部门的告知，检查编号是否连续，可逐件签收。编号有缺或有消息无法读懂时以 1 结束。"""
    from pydantic import ValidationError

    from adapters.crypto.keyfiles import KeyFileError, read_key
    from adapters.kafka import clients
    from domain.personal import Officer
    from infra.settings import load
    from infra.store import open_kafka
    from infra.subscriber import SubscribeProblem, Wishes, run

    officer = None
    if receipt:
        if not officer_id or not officer_name:
            raise typer.BadParameter("签收须给出 --officer-id 与 --officer-name")
        try:
            officer = Officer(id=officer_id, name=officer_name)
        except ValidationError:
            raise typer.BadParameter("签收人工号须为 1–32 个字母、数字、下划线或连字符") from None
    settings = load()
    zh = (lang or settings.language) != "en"
    try:
        signer = None if sign_with is None else read_key(sign_with)
    except KeyFileError as problem:
        typer.echo(problem.zh if zh else problem.en, err=True)
        raise typer.Exit(2) from None
    wishes = Wishes(department, officer, principal, group, from_beginning, idle, as_json, zh, signer)
    try:
        with open_kafka(settings) as (kafka, names):
            reading = run(wishes, kafka, names, static=not settings.kafka_group)
    except SubscribeProblem as problem:
        typer.echo(wishes.words(problem.zh, problem.en), err=True)
        raise typer.Exit(2) from None
    except clients.BrokerError as error:
        typer.echo(wishes.words("Kafka 不可用：", "Kafka is not available: ") + type(error).__name__, err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        sys.exit(0)
    if not as_json:
        typer.echo(
            wishes.words(
                f"共 {reading.notices} 件，重复 {reading.duplicates}，签收 {reading.receipts}",
                f"{reading.notices} in all, {reading.duplicates} repeated, {reading.receipts} signed for",
            ),
            err=True,
        )
    if reading.missing or reading.unreadable:
        raise typer.Exit(1)
