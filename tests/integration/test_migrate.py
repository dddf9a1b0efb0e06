"""Migrations: once each, by whoever comes first, and never another text under the same name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege
from typer.testing import CliRunner

from adapters.postgres.migrate import FOLDER, MigrationError, migrate
from infra.main import app
from infra.servers.postgres import READER, RUNTIME, DatabaseUrls
from projections.catalogue import PROJECTIONS, REGION


def test_several_processes_may_start_at_once(database: DatabaseUrls) -> None:
    with ThreadPoolExecutor(4) as starting:
        applied = list(starting.map(lambda _: migrate(database.migrator, RUNTIME, READER), range(4)))
    assert [name for names in applied for name in names].count("0001_store") == 1
    assert sum(bool(names) for names in applied) == 1
    assert migrate(database.migrator, RUNTIME, READER) == []


def test_a_migration_is_never_another_text(database: DatabaseUrls) -> None:
    migrate(database.migrator, RUNTIME, READER)
    with psycopg.connect(database.migrator) as conn:
        conn.execute("UPDATE public.shenguan_migration SET sha256 = 'x' WHERE name = '0001_store'")
    with pytest.raises(MigrationError, match="0001_store"):
        migrate(database.migrator, RUNTIME, READER)


def test_keys_without_a_trace_get_one(database: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of stores in which somebody took a key by hand; from then on nobody can unseen."""
    for file in FOLDER.glob("*.sql"):
        if file.stem < "0017":
            copy(file, tmp_path)
    monkeypatch.setattr("adapters.postgres.migrate.FOLDER", tmp_path)
    migrate(database.migrator, RUNTIME, READER)
    with psycopg.connect(database.migrator) as conn:
        conn.execute(
            "INSERT INTO vault.subject_key (subject, wrapped, destroyed_at) VALUES ('there', 'x', NULL),"
            " ('erased', NULL, '2026-03-02 01:00Z'), ('taken', NULL, NULL), ('put back', 'x', '2026-03-02 01:00Z')"
        )
    monkeypatch.undo()
    assert migrate(database.migrator, RUNTIME, READER) == ["0017_destroyed"]
    with psycopg.connect(database.migrator) as conn:
        rows = conn.execute("SELECT subject, destroyed_at, destroyed_at > created_at FROM vault.subject_key").fetchall()
        since = {subject: at and (at, later) for subject, at, later in rows}
        assert since["there"] is since["put back"] is None
        assert since["erased"][0] == datetime(2026, 3, 2, 1, tzinfo=UTC)
        assert since["taken"][1]
        for change in ("wrapped = NULL", "destroyed_at = now()"):
            with pytest.raises(CheckViolation), conn.transaction():
                conn.execute(f"UPDATE vault.subject_key SET {change} WHERE subject = 'there'")  # type: ignore[arg-type]


def test_every_read_table_is_bound_by_department(database: DatabaseUrls) -> None:
    """Row-level security on each, and a column `department` in each."""
    migrate(database.migrator, RUNTIME, READER)
    tables = {table for projection in (*PROJECTIONS, REGION) for table in projection.tables}
    with psycopg.connect(database.migrator) as conn:
        secured = conn.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " JOIN pg_attribute a ON a.attrelid = pg_class.oid AND a.attname = 'department'"
            " WHERE nspname = 'read' AND relkind = 'r' AND relrowsecurity"
        ).fetchall()
    assert {name for (name,) in secured} == tables


@pytest.mark.parametrize("statement", ["SELECT * FROM shenguan.stored_events", "SELECT * FROM vault.subject_key",
                                       "DELETE FROM read.receipts", "CREATE TABLE read.mine (x int)"])  # fmt: skip
def test_readers_read_read_models_only(database: DatabaseUrls, statement: str) -> None:
    migrate(database.migrator, RUNTIME, READER)
    with psycopg.connect(database.reader) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("statement", ["UPDATE shenguan.stored_events SET topic = 'x'", "DELETE FROM vault.subject_key",
                                       "TRUNCATE shenguan.submission", "DROP TABLE shenguan.delivery",
                                       "ALTER TABLE shenguan.stored_events DISABLE TRIGGER append_only",
                                       "INSERT INTO shenguan.stored_events (originator_id, originator_version, topic,"
                                       " state, notification_id) VALUES ('x', 1, 't', '', 7)",
                                       "UPDATE vault.subject_key SET wrapped = NULL"])  # fmt: skip
def test_the_runtime_role_appends_and_changes_nothing(database: DatabaseUrls, statement: str) -> None:
    migrate(database.migrator, RUNTIME, READER)
    with psycopg.connect(database.runtime) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize(("language", "words"), [("zh", "只由触发器保护"), ("en", "triggers alone")])
def test_one_role_for_everything_is_warned_of(
    database: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    key = tmp_path / "master.key"
    key.write_text("00" * 32)
    given = {"DATA_DIR": str(tmp_path), "MASTER_KEY_FILE": str(key), "LANGUAGE": language,
             "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"SHENGUAN_{name}", value)
    for name in ("DATABASE_URL", "MIGRATOR_URL", "READER_URL"):
        monkeypatch.setenv(f"SHENGUAN_{name}", database.migrator)
    said = CliRunner().invoke(app, ["migrate"])
    assert said.exit_code == 0
    assert said.stdout.startswith("0001_store\n")
    assert words in said.stderr
    assert len(said.stderr.splitlines()) == 1
    monkeypatch.setenv("SHENGUAN_READER_URL", database.reader)
    assert CliRunner().invoke(app, ["migrate"]).stderr == ""
