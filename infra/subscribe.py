"""`shenguan subscribe`: the reference client for a supervision department. It needs Kafka and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from adapters.kafka import clients
from adapters.kafka.cloudevents import MalformedEvent, decode, encode
from adapters.kafka.outbox import Outbox, Sent
from adapters.kafka.records import RawRecord
from adapters.kafka.subscriber import subscribe as read_topic
from adapters.kafka.topics import TopicNames, topic_ids
from domain.message import NoticeMessage
from domain.notices import About, ReceiveNotice
from domain.personal import Officer
from domain.serials import SerialWatch
from domain.submissions import cloud_event
from infra.settings import load
from infra.store import open_store

ABOUT: dict[About, str] = {
    "decision": "审批决定",
    "change": "变更",
    "extension": "延续",
    "withdrawal": "撤回",
    "revocation": "撤销",
    "cancellation": "注销",
    "correction": "更正",
    "reassignment": "移交",
    "duty_dispute": "职责争议",
    "ruling": "职责裁定",
    "feedback": "监管反馈",
    "disposition": "反馈处理",
    "feedback_reply": "反馈异议",
    "feedback_closed": "反馈办结",
    "review": "直接报送",
    "review_result": "审查结果",
}
CHINA = timezone(timedelta(hours=8))
ACK_S = 30.0


class SubscribeProblem(Exception):
    """Why it cannot go on, in one sentence for people."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the department's system is to do. With `officer` it signs for each notice, as `principal`."""

    department: str
    officer: Officer | None = None
    principal: str | None = None
    group: str | None = None
    from_beginning: bool = False
    idle_s: float | None = None
    as_json: bool = False


@dataclass(slots=True)
class Reading:
    """What it came to."""

    notices: int = 0
    duplicates: int = 0
    receipts: int = 0
    unreadable: int = 0
    missing: set[int] = field(default_factory=set)


def run(
    wishes: Wishes,
    kafka_options: clients.Options,
    names: TopicNames,
    *,
    static: bool = False,
    out: Callable[[str], None] = typer.echo,
    tell: Callable[[str], None] = lambda line: typer.echo(line, err=True),
) -> Reading:
    """Reads a department's notices until nothing comes for `idle_s`, or for ever.

    A notice is committed, and so on record as delivered, after it was printed and, if wished, its receipt acknowledged.
    A crash in between repeats it: a second receipt has the id of the first, and is seen as such.

    Raises SubscribeProblem or clients.BrokerError.
    """
    topic = names.notices(wishes.department)
    with closing(clients.admin(kafka_options)) as admin:
        # A consumer asking for a topic that is missing would wait in silence, or on some brokers make it.
        if not topic_ids(admin, [topic]):
            raise SubscribeProblem(f"没有主题 {topic}，或无权读取：部门代码 {wishes.department} 是否已登记？")
    reading, watch = Reading(), SerialWatch()
    with (
        closing(Outbox(kafka_options)) if wishes.officer else nullcontext() as outbox,
        read_topic(
            kafka_options,
            topic,
            wishes.group or f"shenguan.{wishes.department}",
            from_beginning=wishes.from_beginning,
            static=static,
            idle_s=wishes.idle_s,
        ) as subscription,
    ):
        for record in subscription:
            message = _read(record)
            if message is None:
                reading.unreadable += 1
                tell(f"第 {record.partition} 分区位置 {record.offset} 的消息无法读懂，已跳过")
                continue
            if watch.seen(message.notice):
                reading.duplicates += 1
                continue
            gap = watch.take(message.serial)
            if gap:
                tell(f"编号不连续：缺 {gap[0]}" + (f"–{gap[-1]}" if len(gap) > 1 else ""))
            reading.notices += 1
            out(message.model_dump_json() if wishes.as_json else line(message))
            if outbox is not None and wishes.officer is not None:
                _sign(outbox, names, wishes, message)
                reading.receipts += 1
    reading.missing = watch.missing
    return reading


def line(message: NoticeMessage) -> str:
    """One notice for people."""
    party = message.case.party.name if message.case.party else "（已删除）"
    when = message.owed_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"编号 {message.serial}\t{ABOUT[message.about]}\t办件 {message.case.organ}/{message.case.number}"
        f"\t当事人 {party}\t{when}"
    )


def _read(record: RawRecord) -> NoticeMessage | None:
    try:
        return NoticeMessage.model_validate_json(decode(record.value, record.headers).data)
    except (MalformedEvent, ValidationError):
        return None


def _sign(outbox: Outbox, names: TopicNames, wishes: Wishes, message: NoticeMessage) -> None:
    """签收. `received_at` is now, not when the record came: a system that was off has not received."""
    now = datetime.now(UTC)
    principal = wishes.principal or wishes.department
    topic = names.intake(principal)
    payload = ReceiveNotice(
        department=message.addressee, officer=wishes.officer, notice=message.notice, received_at=now
    )
    headers, value = encode(
        cloud_event(ReceiveNotice, principal, f"receipt.{message.addressee}.{message.serial}", now),
        json.dumps(payload.model_dump(mode="json", exclude_none=True), ensure_ascii=False).encode(),
    )
    outbox.send(topic, message.case.number.encode(), value, headers)
    results = outbox.flush(ACK_S)
    if len(results) != 1 or not isinstance(results[0], Sent):
        why = getattr(results[0], "error", "") if results else "超时"
        raise SubscribeProblem(f"签收未能送达 {topic}（{why}），编号 {message.serial} 未提交，下次重读")


def subscribe(
    department: Annotated[str, typer.Option(help="部门代码")],
    receipt: Annotated[bool, typer.Option("--receipt", help="逐件签收")] = False,
    principal: Annotated[str | None, typer.Option(help="以哪个接入方的名义签收；默认与部门同名")] = None,
    officer_id: Annotated[str | None, typer.Option(help="签收人工号")] = None,
    officer_name: Annotated[str | None, typer.Option(help="签收人姓名")] = None,
    group: Annotated[str | None, typer.Option(help="消费组；默认 shenguan.<部门代码>")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="首次读取时从头开始")] = False,
    idle: Annotated[float | None, typer.Option(help="多少秒没有新告知即结束；默认一直等待")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="每行输出一件告知的 JSON")] = False,
) -> None:
    """监管部门参考客户端：读取本部门的告知，检查编号是否连续，可逐件签收。编号有缺或有消息无法读懂时以 1 结束。"""
    officer = None
    if receipt:
        if not officer_id or not officer_name:
            raise typer.BadParameter("签收须给出 --officer-id 与 --officer-name")
        try:
            officer = Officer(id=officer_id, name=officer_name)
        except ValidationError:
            raise typer.BadParameter("签收人工号须为 1–32 个字母、数字、下划线或连字符") from None
    wishes = Wishes(department, officer, principal, group, from_beginning, idle, as_json)
    try:
        reading = _with_servers(wishes)
    except SubscribeProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    except clients.BrokerError as error:
        typer.echo(f"Kafka 不可用：{type(error).__name__}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        sys.exit(0)
    if not as_json:
        typer.echo(f"共 {reading.notices} 件，重复 {reading.duplicates}，签收 {reading.receipts}", err=True)
    if reading.missing or reading.unreadable:
        raise typer.Exit(1)


def _with_servers(wishes: Wishes) -> Reading:
    settings = load()
    more: dict[str, Any] = {"static": not settings.kafka_group}
    if settings.kafka_bootstrap_servers is not None:
        options = {**settings.kafka, "bootstrap_servers": settings.kafka_bootstrap_servers}
        return run(wishes, options, TopicNames(settings.store), **more)
    with open_store(settings) as store:  # the embedded broker of the process that runs on this data directory
        return run(wishes, store.kafka_options, store.names, **more)
