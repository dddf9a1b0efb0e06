"""Every setting of a Shenguan process: environment variables `SHENGUAN_*`, checked before anything else happens."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AliasChoices, Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from infra.whole_files import make_secret
from infra.working_hours import Hours, parse_hours

PREFIX = "SHENGUAN_"
_STORE = r"^[a-z0-9-]{1,32}$"
KAFKA_OPTIONS = "SHENGUAN_KAFKA_OPTIONS"
Language = Literal["zh", "en"]
LONGEST_SESSION_S = 7 * 24 * 3600
Url = Annotated[str | None, Field(repr=False)]  # contains a password

# Set by the adapters because the guarantees rest on them; a deployment must not change them.
_OURS = frozenset(
    {
        *("bootstrap_servers", "group_id", "enable_auto_commit", "auto_offset_reset", "isolation_level"),
        *("acks", "enable_idempotence", "transactional_id"),
        *("key_serializer", "value_serializer", "key_deserializer", "value_deserializer"),
    }
)


class SettingsProblem(Exception):
    """Settings that cannot be used; `lines` holds one sentence for each, naming the environment variable."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Settings(BaseSettings):
    """What one process needs to know about its surroundings. Unset or empty variables mean the default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # inputs contain passwords
        validate_by_name=True,
        validate_by_alias=True,
    )

    store: str = Field("150000", pattern=_STORE)
    """The store: 行政区划代码 or another short name; part of topic names."""
    registers_from: str | None = Field(None, pattern=_STORE)
    """The store whose registers this one follows; None = it masters its own."""
    region_stores: Annotated[tuple[Annotated[str, StringConstraints(pattern=_STORE)], ...], NoDecode] = ()
    """The stores that the region's read model covers, with commas between; none = there is no such read model here."""
    data_dir: Path = Path(".shenguan")
    """Where embedded servers and generated keys live."""
    database_url: Url = None
    """PostgreSQL as the runtime role; None = embedded."""
    migrator_url: Url = Field(default_factory=lambda known: known.get("database_url"))
    """PostgreSQL as the owner of the schema; default `database_url`."""
    reader_url: Url = Field(default_factory=lambda known: known.get("database_url"))
    """PostgreSQL as the readers' role; default `database_url`."""
    kafka_bootstrap_servers: str | None = Field(None, pattern=r"^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$")
    """`host:port[,host:port…]`; None = embedded."""
    kafka: dict[str, Any] = Field({}, repr=False, validation_alias=AliasChoices(KAFKA_OPTIONS, "kafka"))
    """Further kafka-python settings (security, timeouts), as JSON."""
    kafka_auth: Literal["none", "acl"] = "none"
    """How the broker makes sure who writes: not at all, or by access control lists."""
    kafka_group: bool = Field(default_factory=lambda known: known.get("kafka_bootstrap_servers") is not None)
    """Consumer groups rather than static assignment; default: with an external broker only."""
    master_key_file: Path = Field(default_factory=lambda known: known.get("data_dir", Path()) / "master.key")
    """The key that wraps the keys of personal data; default `data_dir`/master.key."""
    log_name: str = Field(
        default_factory=lambda known: f"shenguan/{known.get('store', '')}", pattern=r"^[^\s+\x00-\x1f]{1,200}$"
    )
    """What the transparency log calls itself, in every checkpoint and in its keys; default `shenguan/` and the store's
    name. For good: a log of another name is another log."""
    log_key_file: Path = Field(default_factory=lambda known: known.get("data_dir", Path()) / "log.key")
    """The keys that sign checkpoints; default `data_dir`/log.key. Only the role `prover` needs it."""
    checkpoint_file: Path | None = None
    """Where the latest checkpoint is written besides, as on storage that others keep; None: nowhere."""
    witness_file: Path | None = None
    """The log's witnesses: lines of address, space, verifier key, without an address for who comes and looks; None: it
    has none."""
    partitions: int = Field(default_factory=lambda known: 4 if known.get("kafka_group") else 1, ge=1, le=1000)
    """Of a new intake topic: what workers share; default: 4 with consumer groups, else 1."""
    retention_days: int = Field(30, ge=1)
    """Of records in Kafka, in days."""
    parked_days: int = Field(30, ge=1)
    """How long a submission waits for what it needs, in days."""
    replication: int = Field(1, ge=1, le=100)
    """Of a new topic: how many brokers hold it."""
    evidence_seconds: float = Field(3.0, ge=0.1, le=3600)
    """How often addressees' consumer groups are asked how far they have read."""
    channel_attempts: int = Field(12, ge=1)
    """After how many failures in a row a department's channel is given up for the next in its order."""
    ca_file: Path | None = None
    """The authorities whose certificates those must have that we call: the servers that are pushed to, the gateway, the
    OpenID Connect provider; None: those of the system."""
    push_seconds: float = Field(10.0, ge=0.1, le=300)
    """How long a server may take for a push."""
    sms_gateway: Path | None = None
    """The description of the 短信 gateway, as JSON; None: no text messages are sent."""
    sms_secret: str | None = Field(None, repr=False)
    """What the gateway knows us by."""
    sms_hours: Annotated[Hours, NoDecode] = parse_hours("08:30-12:00,14:30-17:30")
    """When text messages are sent on working days, in Beijing time."""
    sms_gather_seconds: float = Field(600.0, ge=0)
    """For how long a department's notices are gathered, to be told of by one text message."""
    clock_seconds: float = Field(5.0, ge=0.1, le=3600)
    """How often the clock looks for what has fallen due or is to be carried out."""
    batch_max_records: int = Field(2000, ge=1)
    """Submissions decided in one transaction."""
    batch_max_bytes: int = Field(16 * 1024 * 1024, ge=1024 * 1024)
    """Bytes of submissions decided in one transaction."""
    reads_apart: bool = True
    """Whether intake fetches, reads and seals in a process beside the one that decides and writes."""
    http_host: str = Field("127.0.0.1", pattern=r"^[A-Za-z0-9.:-]{1,253}$")
    """The address at which the HTTP doors listen."""
    http_port: int = Field(8300, ge=0, le=65535)
    """Their port; 0 = any that is free."""
    http_principal: str = Field("api", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """The principal under whom the HTTP doors hand in what people and systems write there; it vouches for them."""
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/]+$")
    """How browsers reach the HTTP doors, where that is not by `http_host` and `http_port`."""
    sign_in: Literal["demo", "oidc"] = Field(default_factory=lambda known: "demo" if _demo(known) else "oidc")
    """How callers are known: by an OpenID Connect provider, or, on embedded servers that listen on this machine alone,
    by their word. Default: the latter where it is allowed."""
    oidc_issuer: str | None = Field(None, pattern=r"^https?://[^\s?#]+$")
    """The OpenID Connect provider."""
    oidc_client_id: str | None = None
    """As what the provider knows these pages."""
    oidc_client_secret: str | None = Field(None, repr=False)
    """And by which secret."""
    oidc_audience: str | None = None
    """For whom bearer tokens must have been made; default `oidc_client_id`."""
    oidc_departments: str = "departments"
    """The claim that lists the departments for which a caller speaks."""
    oidc_officer: str = "officer"
    """The claim with the officer's number in the department."""
    session_seconds: int = Field(8 * 3600, ge=60, le=LONGEST_SESSION_S)
    """How long somebody stays signed in."""
    idempotency_days: int = Field(30, ge=1, le=3650)
    """How long what was handed in over HTTP is known again by its key, and by its id."""
    public_smallest: int = Field(5, ge=3, le=100)
    """The smallest count that public statistics show."""
    language: Language = "zh"
    """Of messages to people."""
    operator: str = Field("operator", pattern=r"^[a-z0-9-]{1,64}$")
    """The principal under whom operators at the terminal speak."""

    @property
    def embedded_database(self) -> bool:
        """Whether this process runs PostgreSQL itself."""
        return self.database_url is None

    @property
    def embedded_kafka(self) -> bool:
        """Whether this process runs the broker itself."""
        return self.kafka_bootstrap_servers is None

    def kafka_options(self, understood: Collection[str]) -> dict[str, Any]:
        """The part of `kafka` that a client understands, e.g. kafka_options(KafkaConsumer.DEFAULT_CONFIG)."""
        return {name: value for name, value in self.kafka.items() if name in understood}

    def ensure_master_key(self) -> Path:
        """The master key's file; made (32 random bytes in hex, mode 0600) if absent and the database is embedded.

        Raises SettingsProblem when it is absent and may not be made: a new key would make existing data unreadable.
        """
        file = self.master_key_file
        if not file.exists():
            if not self.embedded_database:
                raise SettingsProblem([_sentence("master_key_file", *_no_key(file), self.language)])
            make_secret(file, secrets.token_hex(32) + "\n")
        return file

    @field_validator("database_url", "migrator_url", "reader_url")
    @classmethod
    def _is_conninfo(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                conninfo_to_dict(value)
            except ProgrammingError:
                # From None: libpq quotes the string, password included.
                raise _problem("不是有效的 PostgreSQL 连接串", "is no valid PostgreSQL connection string") from None
        return value

    @field_validator("sms_hours", mode="before")
    @classmethod
    def _is_hours(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse_hours(value)
        except ValueError:
            raise _problem("须形如 08:30-12:00,14:30-17:30", "must look like 08:30-12:00,14:30-17:30") from None

    @field_validator("region_stores", mode="before")
    @classmethod
    def _is_list(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value

    @field_validator("region_stores")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise _problem("同一个库列了两次", "names a store twice")
        return value

    @field_validator("kafka")
    @classmethod
    def _is_understood(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value:
            from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer  # 0.2 s that `--help` need not wait for

            clients = (KafkaConsumer, KafkaProducer, KafkaAdminClient)
            known = frozenset(name for client in clients for name in client.DEFAULT_CONFIG)
            if unknown := sorted(set(value) - known):
                names = ", ".join(unknown)
                raise _problem(f"kafka-python 不认识的设置：{names}", f"kafka-python does not know: {names}")
            if ours := sorted(set(value) & _OURS):
                names = ", ".join(ours)
                raise _problem(
                    f"由审管自己决定、不可更改的设置：{names}", f"may not be set, Shenguan decides it: {names}"
                )
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.database_url is None and (self.migrator_url or self.reader_url):
            raise _problem(
                "设了 SHENGUAN_MIGRATOR_URL 或 SHENGUAN_READER_URL，也须设它",
                "must be set too when SHENGUAN_MIGRATOR_URL or SHENGUAN_READER_URL is",
                "database_url",
            )
        if self.sign_in == "demo" and not _demo(vars(self)):
            raise _problem(
                "demo 只可用于内置数据库与消息队列、且只在本机监听时",
                "may be demo only on embedded servers that listen on this machine alone",
                "sign_in",
            )
        if self.oidc_issuer is not None and not _private(self.oidc_issuer):
            raise _problem(
                "须以 https 访问，除非在本机", "must be reached by https, unless at this machine", "oidc_issuer"
            )
        if self.registers_from == self.store:
            raise _problem("不能跟随本库自己", "must be another store than SHENGUAN_STORE", "registers_from")
        chosen = "master_key_file" in self.model_fields_set
        if self.database_url is not None and not chosen and not self.master_key_file.exists():
            raise _problem(*_no_key(self.master_key_file), "master_key_file")
        return self


LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _demo(known: Mapping[str, Any]) -> bool:
    """Whether callers may be taken at their word: what runs here is a demonstration that nobody else can reach."""
    embedded = known.get("database_url") is None and known.get("kafka_bootstrap_servers") is None
    public = known.get("public_url")
    near = public is None or (urlsplit(public).hostname in LOOPBACK)
    return embedded and near and known.get("http_host") in LOOPBACK


def _private(url: str) -> bool:
    """Whether nobody on the way can answer in its place."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def load() -> Settings:
    """The settings of this process's environment. Raises SettingsProblem, in the language the environment asks for."""
    language: Language = "en" if os.environ.get("SHENGUAN_LANGUAGE") == "en" else "zh"
    try:
        return Settings()
    except (ValidationError, SettingsError) as error:
        raise SettingsProblem(explain(error, language)) from None


def explain(error: ValidationError | SettingsError, language: Language = "zh") -> list[str]:
    """One sentence for each wrong setting: the environment variable and the rule it breaks, never its value."""
    if isinstance(error, ValidationError):
        details = error.errors(include_url=False, include_input=False)
        # A default that could not be computed because another setting is wrong is no mistake of its own.
        return [_explain(each, language) for each in details if each["type"] != "default_factory_not_called"]
    # pydantic-settings says this, and nothing else, about a value that should be JSON; `kafka` is the only one.
    return [_sentence("kafka", "须是 JSON 对象", "must be a JSON object", language)]


# pydantic's type of error → the rule, with its context filled in.
_RULES: dict[str, tuple[str, str]] = {
    "string_pattern_mismatch": ("须匹配 {pattern}", "must match {pattern}"),
    "literal_error": ("须是 {expected} 之一", "must be one of {expected}"),
    "int_parsing": ("须是整数", "must be a whole number"),
    "float_parsing": ("须是数字", "must be a number"),
    "int_type": ("须是整数", "must be a whole number"),
    "bool_parsing": ("须是 true 或 false", "must be true or false"),
    "bool_type": ("须是 true 或 false", "must be true or false"),
    "string_type": ("须是文字", "must be text"),
    "path_type": ("须是路径", "must be a path"),
    "dict_type": ("须是 JSON 对象", "must be a JSON object"),
    "greater_than_equal": ("不得小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不得大于 {le}", "must be at most {le}"),
    "extra_forbidden": ("没有这项设置", "is no setting"),
    "shenguan": ("{zh}", "{en}"),
}


def _explain(detail: ErrorDetails, language: Language) -> str:
    context = detail.get("ctx", {})
    field = str(context.get("field") or (detail["loc"][0] if detail["loc"] else ""))
    zh, en = _RULES.get(detail["type"], (detail["msg"],) * 2)
    if detail["type"] in _RULES:
        zh, en = zh.format(**context).replace(" or ", "、"), en.format(**context)
    return _sentence(field, zh, en, language)


def _sentence(field: str, zh: str, en: str, language: Language) -> str:
    name = KAFKA_OPTIONS if field in ("kafka", KAFKA_OPTIONS) else f"{PREFIX}{field.upper()}"
    return f"{name} {en}." if language == "en" else f"{name}：{zh}。"


def _problem(zh: str, en: str, field: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("shenguan", "{en}", {"zh": zh, "en": en, "field": field or ""})


def _no_key(file: Path) -> tuple[str, str]:
    return (
        f"使用外部数据库时须指向已有的主密钥文件，{file} 不存在",
        f"must name an existing master key file when the database is external; {file} does not exist",
    )
