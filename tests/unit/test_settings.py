"""Settings: defaults that follow from one another, and mistakes that are named, one sentence each."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer

from infra.settings import Settings, SettingsProblem, load


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("SHENGUAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(f"SHENGUAN_{name}", value)
    with pytest.raises(SettingsProblem) as caught:
        load()
    return caught.value.lines


def test_without_variables_everything_is_embedded() -> None:
    settings = load()
    assert settings.embedded_database
    assert settings.embedded_kafka
    assert not settings.kafka_group
    assert settings.master_key_file == Path(".shenguan/master.key")


def test_a_log_is_named_by_its_store_unless_it_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    assert (settings.log_name, settings.log_key_file) == ("shenguan/150000", Path(".shenguan/log.key"))
    assert settings.checkpoint_file is None
    monkeypatch.setenv("SHENGUAN_LOG_NAME", "log.example/a")
    assert load().log_name == "log.example/a"
    for name in ("two words", "a+b", "a\u3000b"):
        assert refused(monkeypatch, LOG_NAME=name)[0].startswith("SHENGUAN_LOG_NAME")


def test_external_services_change_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("00" * 32)
    monkeypatch.setenv("SHENGUAN_DATABASE_URL", "postgresql://runtime@db/x")
    monkeypatch.setenv("SHENGUAN_READER_URL", "postgresql://reader@db/x")
    monkeypatch.setenv("SHENGUAN_MASTER_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("SHENGUAN_KAFKA_BOOTSTRAP_SERVERS", "a:9092,b:9092")
    monkeypatch.setenv("SHENGUAN_KAFKA_OPTIONS", '{"security_protocol": "SSL", "linger_ms": 20}')
    settings = load()
    assert settings.migrator_url == "postgresql://runtime@db/x"
    assert settings.reader_url == "postgresql://reader@db/x"
    assert settings.kafka_group
    assert settings.kafka_options(KafkaAdminClient.DEFAULT_CONFIG) == {"security_protocol": "SSL"}
    assert settings.kafka_options(KafkaConsumer.DEFAULT_CONFIG) == {"security_protocol": "SSL"}


def test_every_mistake_is_one_sentence_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refused(
        monkeypatch,
        STORE="A_B",
        DATABASE_URL="postgresql://u:sec ret@h/d?nonsense=1",
        KAFKA_BOOTSTRAP_SERVERS="broker",
        KAFKA_AUTH="maybe",
        KAFKA_OPTIONS='{"ssl_caflie": "x"}',
        PARTITIONS="many",
        RETENTION_DAYS="0",
    )
    assert lines == [
        "SHENGUAN_STORE：须匹配 ^[a-z0-9-]{1,32}$。",
        "SHENGUAN_DATABASE_URL：不是有效的 PostgreSQL 连接串。",
        r"SHENGUAN_KAFKA_BOOTSTRAP_SERVERS：须匹配 ^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$。",
        "SHENGUAN_KAFKA_OPTIONS：kafka-python 不认识的设置：ssl_caflie。",
        "SHENGUAN_KAFKA_AUTH：须是 'none'、'acl' 之一。",
        "SHENGUAN_PARTITIONS：须是整数。",
        "SHENGUAN_RETENTION_DAYS：不得小于 1。",
    ]


def test_the_language_of_mistakes_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, LANGUAGE="en", STORE="A") == ["SHENGUAN_STORE must match ^[a-z0-9-]{1,32}$."]


@pytest.mark.parametrize("options", ['{"group', "[1]"])
def test_kafka_options_are_a_json_object(monkeypatch: pytest.MonkeyPatch, options: str) -> None:
    assert refused(monkeypatch, KAFKA_OPTIONS=options) == ["SHENGUAN_KAFKA_OPTIONS：须是 JSON 对象。"]


def test_several_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load().registers_from, load().region_stores) == (None, ())
    monkeypatch.setenv("SHENGUAN_STORE", "150100")
    monkeypatch.setenv("SHENGUAN_REGISTERS_FROM", "150000")
    monkeypatch.setenv("SHENGUAN_REGION_STORES", "150000, 150100")
    settings = load()
    assert (settings.registers_from, settings.region_stores) == ("150000", ("150000", "150100"))


def test_nobody_follows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refused(monkeypatch, LANGUAGE="en", STORE="150100", REGISTERS_FROM="150100")
    assert lines == ["SHENGUAN_REGISTERS_FROM must be another store than SHENGUAN_STORE."]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("150000,150000", "SHENGUAN_REGION_STORES：同一个库列了两次。"),
        ("150000,A", "SHENGUAN_REGION_STORES：须匹配 ^[a-z0-9-]{1,32}$。"),
        ("150000,", "SHENGUAN_REGION_STORES：须匹配 ^[a-z0-9-]{1,32}$。"),
    ],
)
def test_the_region_names_each_store_once(monkeypatch: pytest.MonkeyPatch, value: str, line: str) -> None:
    assert refused(monkeypatch, REGION_STORES=value) == [line]


def test_guarantees_are_not_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = refused(monkeypatch, KAFKA_OPTIONS='{"acks": 0}')
    assert line == "SHENGUAN_KAFKA_OPTIONS：由审管自己决定、不可更改的设置：acks。"


def test_an_external_database_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = refused(monkeypatch, DATABASE_URL="postgresql://db/x")
    assert line.startswith("SHENGUAN_MASTER_KEY_FILE：使用外部数据库时")


def test_a_second_role_needs_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = refused(monkeypatch, MIGRATOR_URL="postgresql://db/x")
    assert line.startswith("SHENGUAN_DATABASE_URL：")


def test_the_master_key_is_made_once_and_only_for_the_embedded_database(tmp_path: Path) -> None:
    file = Settings(data_dir=tmp_path / "new").ensure_master_key()
    key = file.read_text()
    assert len(bytes.fromhex(key)) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Settings(data_dir=tmp_path / "new").ensure_master_key().read_text() == key
    external = Settings(database_url="postgresql://db/x", master_key_file=tmp_path / "absent")
    with pytest.raises(SettingsProblem):
        external.ensure_master_key()


def test_passwords_do_not_show(tmp_path: Path) -> None:
    settings = Settings(
        database_url="postgresql://u:geheim@db/x",
        master_key_file=tmp_path / "key",
        kafka={"sasl_plain_password": "geheim"},
    )
    assert "geheim" not in repr(settings)


@pytest.mark.parametrize(
    "surroundings",
    [
        {"HTTP_HOST": "0.0.0.0"},
        {"HTTP_HOST": "192.168.1.5"},
        {"HTTP_HOST": "::"},
        {"HTTP_HOST": "localhost.example"},
        {"PUBLIC_URL": "https://sg.example"},
        {"PUBLIC_URL": "http://127.0.0.1.evil.example"},
        {"KAFKA_BOOTSTRAP_SERVERS": "broker:9092"},
        {"DATABASE_URL": "postgresql://runtime@127.0.0.1/x"},
    ],
)
def test_nobody_is_taken_at_his_word_beyond_a_demonstration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    (tmp_path / "key").write_text("00" * 32)
    monkeypatch.setenv("SHENGUAN_MASTER_KEY_FILE", str(tmp_path / "key"))
    for name, value in surroundings.items():
        monkeypatch.setenv(f"SHENGUAN_{name}", value)
    assert load().sign_in == "oidc"
    [line] = refused(monkeypatch, SIGN_IN="demo")
    assert line.startswith("SHENGUAN_SIGN_IN：demo 只可用于")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_demonstration_is_at_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("SHENGUAN_HTTP_HOST", host)
    monkeypatch.setenv("SHENGUAN_PUBLIC_URL", "http://localhost:8300")
    assert load().sign_in == "demo"


def test_the_provider_is_reached_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHENGUAN_OIDC_ISSUER", "http://127.0.0.1:8080/realms/gov")
    load()
    assert refused(monkeypatch, OIDC_ISSUER="http://id.example") == [
        "SHENGUAN_OIDC_ISSUER：须以 https 访问，除非在本机。"
    ]
