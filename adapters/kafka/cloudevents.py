"""The CloudEvents 1.0 Kafka protocol binding: what stands in a record, and how we write one.

Sources: CloudEvents 1.0.2 specification (§3 attribute names, types and forbidden characters), its Kafka protocol
binding 1.0.2 (§3.2 binary mode: `ce_` headers and `content-type`; §3.3 structured mode) and its JSON event format
(§2.2 absent `datacontenttype` means JSON, `null` means unset; §3.1 `data`/`data_base64`).

Both content modes are read, binary is written. The bytes of the data are handed on exactly as they were sent, also out
of a structured body: hashes and duplicates are judged on what the sender wrote, not on what a parser made of it.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

Value = str | int | bool
"""What an attribute can hold; in binary mode everything arrives as text."""
REQUIRED: Final = ("specversion", "id", "source", "type")
_NAME: Final = re.compile(r"[a-z0-9]{1,64}")
# §3.1 of the specification forbids these in strings; PostgreSQL cannot even store U+0000.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_JSON_TYPE: Final = re.compile(r"application/(?:json|[a-z0-9!#$&^_.+-]+\+json)")
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_INT32: Final = range(-(2**31), 2**31)


class MalformedEvent(ValueError):
    """A record that is no CloudEvent: the field, the rule it broke, and a sentence for people.

    The sentence never quotes what was sent: it is shown and logged, and what was sent may be personal data.
    """

    def __init__(self, field: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule
        self.message = message


class Envelope(NamedTuple):
    """A CloudEvent: its context attributes, and the raw bytes of its JSON data."""

    attributes: dict[str, Value]
    data: bytes


def decode(record_value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> Envelope:
    """Read a Kafka record as a CloudEvent, in whichever content mode it was written.

    Raises:
        MalformedEvent: the record breaks the binding; the first rule broken is reported.
    """
    if not record_value:
        raise MalformedEvent("data", "empty", "消息体为空")
    named = _by_name(headers)
    media_type = _text("content-type", named["content-type"]) if "content-type" in named else ""
    essence = media_type.partition(";")[0].strip().lower()
    if essence == "application/cloudevents+json":
        return _structured(record_value)
    if essence.startswith("application/cloudevents"):
        raise MalformedEvent("content-type", "content_type", "结构化模式只接受 application/cloudevents+json")
    attributes: dict[str, Value] = {}
    for key, raw in named.items():
        if key != "content-type":
            name = _attribute_name(key[3:])
            attributes[name] = _allowed(name, _text(name, raw))
    _check_required(attributes)
    if not essence:
        raise MalformedEvent("content-type", "required", "缺少 content-type 消息头")
    _check_json_type("content-type", media_type)
    attributes["datacontenttype"] = media_type
    return Envelope(attributes, record_value)


def encode(attributes: Mapping[str, Value], data: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Write a CloudEvent in binary mode: the headers and the value of the Kafka record.

    Raises:
        MalformedEvent: the attributes or the data could not be read back by `decode`.
    """
    _check_required(attributes)
    if not data:
        raise MalformedEvent("data", "empty", "消息体为空")
    media_type = str(attributes.get("datacontenttype", "application/json"))
    _check_json_type("datacontenttype", media_type)
    headers = [("content-type", _allowed("datacontenttype", media_type).encode())]
    for name, value in attributes.items():
        if name != "datacontenttype":
            text = ("true" if value else "false") if isinstance(value, bool) else str(value)
            headers.append((f"ce_{_attribute_name(name)}", _allowed(name, text).encode()))
    return headers, data


def _by_name(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    named: dict[str, bytes | None] = {}
    for key, raw in headers:
        lowered = key.lower()
        if lowered != "content-type" and not lowered.startswith("ce_"):
            continue  # tracing headers and the like are the sender's own affair
        # Kafka allows a key twice. Two readers could then see two different events, so neither is believed.
        if lowered in named:
            raise MalformedEvent(_shown(lowered.removeprefix("ce_")), "duplicate", "消息头重复")
        named[lowered] = raw
    return named


def _text(field: str, raw: bytes | None) -> str:
    if raw is None:
        raise MalformedEvent(field, "encoding", "消息头没有值")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedEvent(field, "encoding", "消息头不是有效的 UTF-8") from None


def _structured(body: bytes) -> Envelope:
    members = _members(body)
    attributes: dict[str, Value] = {}
    for name, (value, _) in members.items():
        if name in ("data", "data_base64") or value is None:
            continue
        _attribute_name(name)
        if isinstance(value, str):
            attributes[name] = _allowed(name, value)
        elif isinstance(value, bool) or (isinstance(value, int) and value in _INT32):
            attributes[name] = value
        else:
            raise MalformedEvent(name, "type", "属性只能是字符串、32 位整数或布尔值")
    _check_required(attributes)
    _check_json_type("datacontenttype", str(attributes.setdefault("datacontenttype", "application/json")))
    if "data" in members and "data_base64" in members:
        raise MalformedEvent("data_base64", "exclusive", "data 与 data_base64 不能同时出现")
    if "data" in members:
        return Envelope(attributes, members["data"][1].encode())
    encoded = members.get("data_base64", (None, ""))[0]
    if encoded is None:
        raise MalformedEvent("data", "empty", "缺少 data")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise MalformedEvent("data_base64", "encoding", "data_base64 不是有效的 Base64") from None
    if not data:
        raise MalformedEvent("data", "empty", "消息体为空")
    return Envelope(attributes, data)


def _members(body: bytes) -> dict[str, tuple[Any, str]]:
    """The members of the outermost object: each value parsed, and exactly as written."""
    members: dict[str, tuple[Any, str]] = {}
    try:
        text = body.decode()
        at = _skip(text, 0)
        if text[at] != "{":
            raise MalformedEvent("body", "json_object", "结构化消息体必须是 JSON 对象")
        at = _skip(text, at + 1)
        while text[at] != "}":
            if members:
                at = _skip(text, _expect(text, at, ","))
            _expect(text, at, '"')
            name, at = _PARSER.raw_decode(text, at)
            start = _skip(text, _expect(text, _skip(text, at), ":"))
            value, end = _PARSER.raw_decode(text, start)
            if name in members:
                raise MalformedEvent(_shown(name), "duplicate", "JSON 成员重复")
            members[name] = (value, text[start:end])
            at = _skip(text, end)
        if _skip(text, at + 1) != len(text):
            raise ValueError
    except MalformedEvent:
        raise
    except UnicodeError:
        raise MalformedEvent("body", "encoding", "消息体不是有效的 UTF-8") from None
    # IndexError: the text ended early; RecursionError: nested deeper than any real document
    except (ValueError, IndexError, RecursionError):
        raise MalformedEvent("body", "json", "消息体不是有效的 JSON") from None
    return members


def _no_constant(_: str) -> Any:
    raise ValueError  # NaN and Infinity are Python's, not JSON's


_PARSER: Final = json.JSONDecoder(parse_constant=_no_constant)


def _skip(text: str, at: int) -> int:
    if text[at : at + 1] > " ":
        return at
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, sign: str) -> int:
    if text[at] != sign:
        raise ValueError
    return at + 1


@lru_cache(maxsize=1024)
def _attribute_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise MalformedEvent("attribute", "attribute_name", "属性名只能由小写字母和数字组成")
    return name


def _allowed(field: str, value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if _FORBIDDEN.search(value):
        raise MalformedEvent(field, "characters", "属性值含有控制字符或非字符")
    return value


def _check_required(attributes: Mapping[str, Value]) -> None:
    for name in REQUIRED:
        value = attributes.get(name)
        if value is None or value == "":
            raise MalformedEvent(name, "required", f"缺少必需属性 {name}")
        if not isinstance(value, str):
            raise MalformedEvent(name, "type", f"属性 {name} 必须是字符串")
    if attributes["specversion"] != "1.0":
        raise MalformedEvent("specversion", "specversion", "只接受 CloudEvents 1.0")


def _check_json_type(field: str, media_type: str) -> None:
    if media_type == "application/json":
        return
    essence, _, parameters = media_type.partition(";")
    if not _JSON_TYPE.fullmatch(essence.strip().lower()):
        raise MalformedEvent(field, "content_type", "数据类型必须是 application/json")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters, re.IGNORECASE)
    if charset and charset.group(1).lower() not in ("utf-8", "utf8", "us-ascii"):
        raise MalformedEvent(field, "content_type", "数据必须使用 UTF-8")


def _shown(name: str) -> str:
    """A name fit to be shown: one that breaks the rules may hold anything at all."""
    return name if _NAME.fullmatch(name) or name in ("content-type", "data_base64") else "attribute"
