"""`shenguan submit`: hands in what a department's system would, from the terminal, as its principal."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.options import AsJson, Lang

if TYPE_CHECKING:
    from adapters.crypto.jws import JwsSigner
    from domain.arrivals import Place
    from infra.disposition import Became
    from infra.handing_in import Record
    from infra.settings import Settings


class SubmitProblem(Exception):
    """Why nothing is handed in, in both languages: `zh`, `en`."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh = zh
        self.en = en


class Wishes(NamedTuple):
    """How to hand in: `wait`, for how many seconds to ask what became of it; `sign_with`, a private key's file."""

    type: str
    principal: str
    source: str
    id: str
    occurred_at: datetime
    key: str | None
    wait: float | None
    sign_with: Path | None = None


def submit(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="信息类型，如 case.decide；见 docs/reference")],
    principal: Annotated[str, typer.Option(help="以哪个接入方的名义提交")],
    data: Annotated[str, typer.Option(help="JSON 文件，- 为标准输入；若为列表则逐件提交")] = "-",
    id_: Annotated[str | None, typer.Option("--id", help="标识；默认随机。列表逐件加 -1、-2……")] = None,
    at: Annotated[str | None, typer.Option("--time", help="发生时间（北京时间）；默认此刻")] = None,
    source: Annotated[str | None, typer.Option(help="来源；默认与接入方同名")] = None,
    key: Annotated[str | None, typer.Option(help="Kafka 键；默认为内容中的办件号")] = None,
    sign_with: Annotated[Path | None, typer.Option("--sign", help="以此私钥文件签名；见 shenguan keys")] = None,
    wait: Annotated[float | None, typer.Option(min=0, help="等待裁定，最多多少秒")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """提交信息，如部门系统所为；给出 --wait 则等到裁定并说明结果，没有入账则以 1 结束。"""
    from infra.presentation import moment
    from infra.settings import load

    settings = load()
    zh = (lang or settings.language) != "en"
    occurred_at = moment(at) if at else datetime.now(UTC)
    name = id_ or str(uuid.uuid4())
    wishes = Wishes(type_, principal, source or principal, name, occurred_at, key, wait, sign_with)
    carry(settings, wishes, lambda: read(_text(data)), zh, as_json)


def carry(
    settings: Settings, wishes: Wishes, texts: Callable[[], list[tuple[str, dict[str, Any]]]], zh: bool, as_json: bool
) -> None:
    """Hands in and says what became of each. Raises Exit where not all is on record."""
    from infra.handing_in import NotSubmitted

    try:
        ids, records = zip(*_records(settings.store, wishes, texts()), strict=True)
        found = _deliver(settings, wishes, records)
    except (SubmitProblem, NotSubmitted) as problem:
        typer.echo(problem.zh if zh else problem.en, err=True)
        raise typer.Exit(1) from None
    for name, (place, became) in zip(ids, found, strict=True):
        for line in _lines(wishes, name, place, became, zh, as_json):
            typer.echo(line)
    if wishes.wait is not None and not all(became and became.good for _, became in found):
        raise typer.Exit(1)


def read(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Each object of the JSON text, as it was written and parsed. Raises SubmitProblem."""

    def never(_: str) -> Any:
        raise SubmitProblem("NaN 与 Infinity 不是 JSON", "NaN and Infinity are not JSON")

    try:
        value = json.loads(text, parse_constant=never)
    except json.JSONDecodeError as error:
        at = error.lineno, error.colno
        raise SubmitProblem(
            f"不是有效的 JSON：第 {at[0]} 行第 {at[1]} 列；没有提交",
            f"no valid JSON: line {at[0]}, column {at[1]}; nothing was handed in",
        ) from None
    if isinstance(value, dict):
        return [(text, value)]
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [(json.dumps(one, ensure_ascii=False), one) for one in value]
    raise SubmitProblem(
        "须是一个 JSON 对象，或对象的列表；没有提交", "must be a JSON object, or a list of them; nothing was handed in"
    )


def _text(data: str) -> str:
    """Of a file, or of standard input. Raises SubmitProblem."""
    try:
        raw = sys.stdin.buffer.read() if data == "-" else Path(data).read_bytes()
        return raw.decode("utf-8-sig")  # editors on Windows begin a file by that mark
    except OSError as error:
        raise SubmitProblem(f"不能读取 {data}：{error.strerror}", f"cannot read {data}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SubmitProblem("不是 UTF-8 文字；没有提交", "no UTF-8 text; nothing was handed in") from None


def _records(store: str, wishes: Wishes, texts: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, Record]]:
    """(id, record) of each. Raises SubmitProblem."""
    from adapters.crypto.jws import ATTRIBUTE
    from adapters.kafka.cloudevents import MalformedEvent, encode
    from domain.catalogue import PAYLOADS
    from domain.submissions import cloud_event
    from infra.handing_in import Record

    if wishes.type not in PAYLOADS:
        near = get_close_matches(wishes.type, PAYLOADS)
        raise SubmitProblem(
            f"没有信息类型 {wishes.type}" + (f"；是否 {'、'.join(near)}" if near else ""),
            f"there is no type {wishes.type}" + (f"; did you mean {', '.join(near)}" if near else ""),
        )
    signer = _signer(wishes.sign_with)
    for number, (text, content) in enumerate(texts, 1):
        name = wishes.id if len(texts) == 1 else f"{wishes.id}-{number}"
        key = wishes.key or content.get("case_number") or content.get("number") or wishes.principal
        attributes = cloud_event(PAYLOADS[wishes.type], wishes.source, name, wishes.occurred_at)
        if signer is not None:
            attributes[ATTRIBUTE] = signer.detached(attributes, store, text.encode())
        try:
            headers, value = encode(attributes, text.encode())
        except MalformedEvent as wrong:
            raise SubmitProblem(f"{wrong.field}：{wrong.message}", f"{wrong.field}: {wrong.rule}") from None
        yield name, Record(str(key), headers, value)


def _signer(file: Path | None) -> JwsSigner | None:
    """Raises SubmitProblem."""
    if file is None:
        return None
    from adapters.crypto.keyfiles import KeyFileError, read_key

    try:
        return read_key(file)
    except KeyFileError as problem:
        raise SubmitProblem(problem.zh, problem.en) from None


def _deliver(settings: Settings, wishes: Wishes, records: Sequence[Record]) -> list[tuple[Place, Became | None]]:
    """Where each lies, and what became of it. Who does not wait needs Kafka and nothing else."""
    from infra.disposition import await_disposition
    from infra.handing_in import hand_in
    from infra.store import open_kafka, open_store

    if wishes.wait is None:
        with open_kafka(settings) as (kafka, names):
            return [(place, None) for place in hand_in(kafka, names, wishes.principal, records)]
    with open_store(settings) as store:
        places = hand_in(store.kafka_options, store.names, wishes.principal, records)
        until = time.monotonic() + wishes.wait
        return [(place, await_disposition(store, place, until)) for place in places]


def _lines(wishes: Wishes, name: str, place: Place, became: Became | None, zh: bool, as_json: bool) -> Iterator[str]:
    from infra import disposition

    if as_json:
        found = disposition.as_json(became) if became else {"place": str(place), "disposition": None}
        yield json.dumps({"source": wishes.source, "id": name, "type": wishes.type, **found}, ensure_ascii=False)
    elif became is not None:
        yield from disposition.lines(became, zh)
    else:
        said = ("已提交", "Handed in")
        if wishes.wait is not None:
            said = f"已提交，{wishes.wait:g} 秒内尚未裁定", f"Handed in, not decided within {wishes.wait:g} seconds"
        yield (
            f"{said[0]}：{wishes.source}/{name}，位置 {place}"
            if zh
            else f"{said[1]}: {wishes.source}/{name} at {place}"
        )
