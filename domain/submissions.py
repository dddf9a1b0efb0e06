"""What departments hand in: one payload class per type, read from a CloudEvent's data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError

from domain.event import Auth, Event, Meta
from domain.identifiers import IdentifierError, holds_resident_id, without_identity
from domain.personal import Model, Officer, sealed_outside
from domain.rules import BadField, FieldError, Rejection
from domain.signatures import Signature

if TYPE_CHECKING:
    from domain.world import World

TYPE_PREFIX = "cn.shenguan."
TYPE_SUFFIX = ".v1"

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""A department's, principal's or matter's code: safe as part of a Kafka topic's and a stream's name."""
Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(without_identity)]
"""A line of text that is kept in clear: identity numbers have no place in it."""
NUMBER_PATTERN = r"^[^\s/\x00-\x1f]{1,64}$"
Number = Annotated[str, StringConstraints(pattern=NUMBER_PATTERN), AfterValidator(without_identity)]
"""A case, document or feedback number: no white space and no slash."""
BEIJING = timezone(timedelta(hours=8))
"""Dates in submissions are the officials' dates, whatever zone a system's times are written in."""
EARLIEST = datetime(1949, 10, 1, tzinfo=UTC)
LATEST = datetime(2999, 12, 31, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
"""A time with its zone."""
Day = Annotated[date, Field(ge=date(1949, 10, 1), le=date(2999, 12, 31))]
_INCOMING = {"incoming": True}
SOURCE = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")
ID = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")
CORRELATION = re.compile(r"^[A-Za-z0-9._:-]{8,64}$")
"""What a request through several systems is called in their logs; for logs alone, so another shape is no fault."""
CALLER = re.compile(r"^(?=.{3,256}$)[!-~]+ [!-~]+$")
"""Who a principal vouches for: issuer and subject of the token, in visible ASCII."""


class Payload(Model):
    """Base of all submissions' data. `department` is for whom the principal speaks."""

    TYPE: ClassVar[str] = ""
    department: Code
    officer: Officer | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "TYPE" in cls.__dict__:
            PAYLOADS[cls.TYPE] = cls

    def streams(self) -> tuple[str, ...]:
        """The streams that deciding will read, so that a batch can load them at once."""
        return ()

    def part_subject(self, name: str) -> str | None:
        return f"officer/{self.department}/{self.officer.id}" if name == "officer" and self.officer else None

    def subject(self) -> str | None:
        """Under whose key free text is sealed; None: the submission's own."""
        return None

    def statements(self) -> dict[str, str]:
        """Fields that hold a compact JWS: whoever reads the submission verifies them."""
        return {}

    def about(self) -> str | None:
        """The case or notice it is about, kept with a refused attempt."""
        return None


PAYLOADS: dict[str, type[Payload]] = {}
"""Payload classes by short type, e.g. `case.decide`."""

P = TypeVar("P", bound=Payload, covariant=True)


class Submission(NamedTuple, Generic[P]):
    """One submission, read and sealed. `place` says where it lay in Kafka, for people."""

    source: str
    id: str
    occurred_at: datetime
    principal: str
    auth: Auth
    payload: P
    classified: bool = False
    caller: str | None = None
    signature: Signature | None = None

    @property
    def occurred_on(self) -> date:
        """The date it occurred, in Beijing time."""
        return local_date(self.occurred_at)

    @property
    def meta(self) -> Meta:
        return Meta(
            source=self.source,
            id=self.id,
            principal=self.principal,
            auth=self.auth,
            department=self.payload.department,
            officer=self.payload.officer,
            occurred_at=self.occurred_at,
            caller=self.caller,
            signed=self.signature and self.signature.signed,
        )


def cloud_event(type_: type[Payload], source: str, id_: str, occurred_at: datetime) -> dict[str, str]:
    """The CloudEvents attributes under which a payload is handed in."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": full_type(type_.TYPE),
        "time": occurred_at.isoformat(),
    }


def own_subject(source: str, id_: str) -> str:
    """Under whose key is sealed what of a submission is about nobody else."""
    return f"submission/{source}/{id_}"


def local_date(moment: datetime) -> date:
    """The date in Beijing time."""
    return moment.astimezone(BEIJING).date()


Decider = Callable[["Submission[Any]", "World"], list[Event]]
DECIDERS: dict[type[Payload], Decider] = {}
D = TypeVar("D", bound=Callable[..., list[Event]])


def decides(*payloads: type[Payload]) -> Callable[[D], D]:
    """Marks the function that decides submissions of these payload classes."""

    def mark(function: D) -> D:
        for payload in payloads:
            DECIDERS[payload] = function
        return function

    return mark


def full_type(short: str) -> str:
    """`case.decide` → `cn.shenguan.case.decide.v1`."""
    return f"{TYPE_PREFIX}{short}{TYPE_SUFFIX}"


class Header(NamedTuple):
    """A CloudEvent's attributes, checked."""

    source: str
    id: str
    type: str
    occurred_at: datetime
    retry_of: str | None
    classified: bool
    caller: str | None


def shaped(pattern: re.Pattern[str], value: Any) -> str:
    """The value if it is as `SOURCE` or `ID` want it, else ''."""
    text = str(value)
    return text if pattern.match(text) else ""


def is_own_source(source: str, principal: str) -> bool:
    """Whether a source is the principal's: its code, alone or with more after `.` or `:`.

    `source` and `id` identify a submission for all principals together; nobody may take another's identities.
    """
    return source == principal or source.startswith((f"{principal}.", f"{principal}:"))


def is_classified(attributes: Mapping[str, Any]) -> bool:
    """Anything but absent or `false` counts: what is marked in any way is not taken in (domain notes §4.14)."""
    return str(attributes.get("classified", "false")).strip().lower() not in ("false", "")


def read_header(attributes: Mapping[str, Any], principal: str) -> Header:
    """Checks the CloudEvents attributes of what a principal sent. Raises Rejection naming every wrong one."""
    errors: list[FieldError] = []

    def wrong(field: str, rule: str, message: str) -> None:
        errors.append(FieldError(field, rule, message, masked(attributes.get(field), field)))

    source, id_, type_ = str(attributes["source"]), str(attributes["id"]), str(attributes["type"])
    if not shaped(SOURCE, source):
        wrong("source", "source.shape", "须为 1–64 个字母、数字或 . _ : -")
    elif not is_own_source(source, principal):
        wrong("source", "source.not_yours", "须为本接入方代码，或以其加 . 或 : 开头")
    if not shaped(ID, id_):
        wrong("id", "id.shape", "须为 1–64 个字母、数字或 . _ : -")
    short = type_.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
    if short not in PAYLOADS or full_type(short) != type_:
        wrong("type", "type.unknown", "未知的信息类型")
    occurred_at = EARLIEST
    try:
        occurred_at = datetime.fromisoformat(str(attributes.get("time", "")))
        if occurred_at.tzinfo is None:
            wrong("time", "time.zone", "时间须带时区")
        elif not EARLIEST <= occurred_at <= LATEST:
            wrong("time", "time.range", "时间不在合理范围内")
    except ValueError:
        wrong("time", "time.shape", "须为 RFC 3339 时间")
    retry_of = attributes.get("retryof")
    if retry_of is not None and not re.match(r"^[A-Za-z0-9._:/-]{1,200}$", str(retry_of)):
        wrong("retryof", "retryof.shape", "须为 来源/编号")
    caller = attributes.get("caller")
    if caller is not None and not CALLER.match(str(caller)):
        wrong("caller", "caller.shape", "须为 颁发者 空格 主体，不超过 256 个字符")
    elif caller is not None and holds_resident_id(str(caller)):
        wrong("caller", "number.resident", "编号中不得含有居民身份证号")
    if errors:
        raise Rejection(*errors)
    return Header(
        source,
        id_,
        short,
        occurred_at,
        retry_of and str(retry_of),
        str(attributes.get("classified", "")).lower() == "true",
        caller and str(caller),
    )


def read_payload(short: str, data: bytes) -> Payload:
    """Validates the data of a known type, still plain. Raises Rejection with one FieldError per wrong field."""
    kind = PAYLOADS[short]
    errors: list[FieldError] = []
    try:
        payload = kind.model_validate_json(data, context=_INCOMING)
    except ValidationError as error:
        errors = field_errors(error)
    # Of what is valid, only text that names the parts of a sealed value, or may hide them by escapes, can hold one.
    if errors or b"ciphertext" in data or b"\\" in data:
        errors = _only_plain(kind, data, errors)
    if errors:
        raise Rejection(*errors)
    return payload


def _only_plain(kind: type[Payload], data: bytes, errors: list[FieldError]) -> list[FieldError]:
    """The errors, with a better one for each personal field that holds something sealed already."""
    try:
        fields = dict(sealed_outside(kind, json.loads(data)))
    except (ValueError, RecursionError):
        return errors
    kept = [e for e in errors if not any(e.field == name or e.field.startswith(f"{name}.") for name in fields)]
    words = "个人信息须以明文提交，由系统封存"
    return kept + [
        FieldError(_known_names(name), "personal.sealed", words, masked(value)) for name, value in fields.items()
    ]


def field_errors(error: ValidationError) -> list[FieldError]:
    """Pydantic's findings without any input that could be personal."""
    found = []
    for one in error.errors(include_url=False, include_context=True):
        field = ".".join(str(part) for part in one["loc"] if not str(part).startswith(("constrained-", "function-")))
        cause = (one.get("ctx") or {}).get("error")
        if isinstance(cause, (IdentifierError, BadField)):
            rule, message = cause.rule, cause.message
            if isinstance(cause, BadField) and cause.field:
                field = f"{field}.{cause.field}".strip(".")
        else:
            rule, message = one["type"], _plain_message(one)
        if rule == "extra_forbidden":
            field = f"{field.rpartition('.')[0]}.{UNKNOWN}".strip(".")
        found.append(FieldError(_known_names(field), rule, message, masked(one.get("input"), field)))
    return found


def _plain_message(one: Any) -> str:
    """Words for the rule, never with the input in them; pydantic's type names the rule where we have no word."""
    words = next((words for prefix, words in _WORDS if one["type"].startswith(prefix)), "不符合字段的类型或规则")
    return words.format(**{"max_length": "", "min_length": "", "pattern": "", **(one.get("ctx") or {})})


# By the beginning of pydantic's error type.
_WORDS = (
    ("missing", "缺少必填字段"),
    ("extra_forbidden", "没有这个字段"),
    ("string_too_long", "不得超过 {max_length} 个字符"),
    ("string_too_short", "不得少于 {min_length} 个字符"),
    ("string_pattern_mismatch", "格式须符合 {pattern}"),
    ("string", "须为文字"),
    ("literal_error", "不在允许的取值之内"),
    ("json_invalid", "不是有效的 JSON"),
    ("timezone", "时间须带时区"),
    ("datetime", "须为 RFC 3339 时间"),
    ("date", "须为 YYYY-MM-DD 日期"),
    ("greater_than", "早于或小于允许的范围"),
    ("less_than", "晚于或大于允许的范围"),
    ("bool", "须为 true 或 false"),
    ("int", "须为整数"),
    ("too_short", "项数不足"),
    ("too_long", "项数过多"),
    ("tuple", "须为列表"),
    ("model", "须为对象"),
    ("dict", "须为对象"),
)


UNKNOWN = "(未知字段)"
"""Instead of a field's name that is not ours: the sender may have put anything there."""


def _known_names(field: str) -> str:
    safe = re.fullmatch(rf"([A-Za-z0-9_.]{{0,120}})({re.escape(UNKNOWN)})?", field)
    return field if safe and not re.search(r"\d{4}", field) else UNKNOWN


_WHEN = re.compile(r"\d{4}-\d\d-\d\d([T ][0-9:.]+(Z|[+-]\d\d:?\d\d)?)?")
_TYPE = re.compile(r"cn\.[a-z._]{1,60}(v\d{1,3})?")


def masked(value: Any, field: str = "") -> str:
    """What was found, without revealing what may be personal: dates, short numbers and types as they are, all else by
    its shape."""
    if value is None:
        return "空"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value) if len(str(value)) < 6 else f"{len(str(value))} 位数字"
    if isinstance(value, str):
        plain = _WHEN.fullmatch(value) or (field == "type" and _TYPE.fullmatch(value))
        return value if plain else f"{len(value)} 个字符"
    if isinstance(value, dict):
        return f"对象（{len(value)} 个字段）"
    if isinstance(value, (list, tuple)):
        return f"列表（{len(value)} 项）"
    return type(value).__name__
