"""The reference client for a supervision department. It needs Kafka and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import typer
from pydantic import ValidationError

from adapters.crypto.jws import JwsSigner
from adapters.kafka import clients
from adapters.kafka.cloudevents import MalformedEvent, decode
from adapters.kafka.last_record import LastRecord
from adapters.kafka.names import TopicNames
from adapters.kafka.outbox import Outbox, Sent
from adapters.kafka.records import RawRecord
from adapters.kafka.subscriber import subscribe as read_topic
from adapters.kafka.topics import topic_ids
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.message import NoticeMessage
from domain.notes import parse_note
from domain.personal import Officer
from domain.serials import SerialWatch
from domain.unproven import Unproven
from infra.receipting import Receiver, Told
from infra.words import WORDS

CHINA = timezone(timedelta(hours=8))
ACK_S = 30.0
Seen = Callable[[], Checkpoint | None]


class SubscribeProblem(Exception):
    """Why it cannot go on, in one sentence for people, in both languages: `zh`, `en`."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the department's system is to do. With `officer` it receives each notice, as `principal`; with `signer` it
    signs that, by the principal's key, and names the checkpoint that the log had published by then."""

    department: str
    officer: Officer | None = None
    principal: str | None = None
    group: str | None = None
    from_beginning: bool = False
    idle_s: float | None = None
    as_json: bool = False
    zh: bool = True
    signer: JwsSigner | None = None

    def words(self, zh: str, en: str) -> str:
        return zh if self.zh else en


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
            raise SubscribeProblem(
                f"没有主题 {topic}，或无权读取：部门代码 {wishes.department} 是否已登记？",
                f"there is no topic {topic}, or it may not be read: is a department {wishes.department} registered?",
            )
    reading, watch = Reading(), SerialWatch()
    with (
        closing(Outbox(kafka_options)) if wishes.officer else nullcontext() as outbox,
        _checkpoints(kafka_options, names, wishes.signer is not None) as seen,
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
            found = _read(record)
            if found is None:
                reading.unreadable += 1
                at = record.partition, record.offset
                tell(
                    wishes.words(
                        f"第 {at[0]} 分区位置 {at[1]} 的消息无法读懂，已跳过",
                        f"the record in partition {at[0]} at {at[1]} cannot be read: passed over",
                    )
                )
                continue
            message, leaf = found
            if watch.seen(message.notice):
                reading.duplicates += 1
                continue
            gap = watch.take(message.serial)
            if gap:
                missing = f"{gap[0]}" + (f"–{gap[-1]}" if len(gap) > 1 else "")
                tell(wishes.words(f"编号不连续：缺 {missing}", f"serials are missing: {missing}"))
            reading.notices += 1
            out(_json(message, leaf) if wishes.as_json else line(message, wishes.zh))
            if outbox is not None and wishes.officer is not None:
                told = Told(message.notice, message.addressee, message.serial, leaf)
                _sign(outbox, names, wishes, message, told, seen)
                reading.receipts += 1
    reading.missing = watch.missing
    return reading


def _json(message: NoticeMessage, leaf: str) -> str:
    """With its leaf's hash, by which a statement is held against what was kept."""
    return json.dumps({**message.model_dump(mode="json"), "leaf": leaf or None}, ensure_ascii=False)


def line(message: NoticeMessage, zh: bool = True) -> str:
    """One notice for people."""
    case = message.case
    told = [f"{'编号' if zh else 'serial'} {message.serial}", WORDS[message.about][0 if zh else 1]]
    if case is not None:
        party = case.party.name if case.party else "（已删除）" if zh else "(erased)"
        told += [f"{'办件' if zh else 'case'} {case.organ}/{case.number}", f"{'当事人' if zh else 'party'} {party}"]
    return "\t".join([*told, message.owed_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")])


def _read(record: RawRecord) -> tuple[NoticeMessage, str] | None:
    """The notice, and its leaf's hash."""
    try:
        envelope = decode(record.value, record.headers)
        return NoticeMessage.model_validate_json(envelope.data), str(envelope.attributes.get("leaf", ""))
    except (MalformedEvent, ValidationError):
        return None


def _sign(outbox: Outbox, names: TopicNames, wishes: Wishes, message: NoticeMessage, told: Told, seen: Seen) -> None:
    """签收. `received_at` is now, not when the record came: a system that was off has not received."""
    receiver = Receiver(wishes.officer, wishes.principal or wishes.department, names.store, wishes.signer)
    topic = names.intake(receiver.principal)
    headers, value = receiver.receipt(told, datetime.now(UTC), seen())
    outbox.send(topic, message.key.encode(), value, headers)
    results = outbox.flush(ACK_S)
    if len(results) != 1 or not isinstance(results[0], Sent):
        why = getattr(results[0], "error", "") if results else ""
        raise SubscribeProblem(
            f"签收未能送达 {topic}（{why or '超时'}），编号 {message.serial} 未提交，下次重读",
            f"the receipt did not get to {topic} ({why or 'no answer'}): serial {message.serial} will be read again",
        )


@contextmanager
def _checkpoints(options: clients.Options, names: TopicNames, signs: bool) -> Iterator[Seen]:
    """The latest checkpoint that the log has published, whenever it is asked for; None where there is none to be read.
    It is not verified here: whoever signs says what it was shown."""
    if not signs:
        yield lambda: None
        return
    with LastRecord(options, names.checkpoints) as last:

        def seen() -> Checkpoint | None:
            record = last.look()
            try:
                note = json.loads(decode(record.value, record.headers).data)["checkpoint"] if record else None
                return None if note is None else parse_checkpoint(parse_note(note.encode()).text)
            except (MalformedEvent, Unproven, LookupError, TypeError, ValueError, AttributeError):
                return None

        yield seen
