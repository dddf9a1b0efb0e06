"""Nobody rewrites the log, and nobody finds a person in it: not in a dump, not in the topics that others may read."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from adapters.postgres.follower import position_of
from infra import feeding, founding
from infra.generator import feed
from infra.generator.year import generate
from infra.roles.supervisor import Crew
from infra.servers import binaries
from infra.servers.postgres import EmbeddedPostgres
from tests.integration.outlet_kit import TrackedStore, messages, store_for, unsent, until
from tests.integration.teststore import MASTER, TestStore

LOG = "shenguan.stored_events"
REWRITES = (
    f"UPDATE {LOG} SET state = ''",
    f"UPDATE {LOG} SET recorded_at = now() WHERE false",
    f"DELETE FROM {LOG} WHERE notification_id = 1",
    f"TRUNCATE {LOG}",
    f"TRUNCATE {LOG} CASCADE",
    f"MERGE INTO {LOG} AS l USING (VALUES (1::bigint)) AS v (n) ON l.notification_id = v.n WHEN MATCHED THEN DELETE",
    f"INSERT INTO {LOG} SELECT * FROM {LOG} ON CONFLICT (originator_id, originator_version)"
    " DO UPDATE SET state = excluded.state",
)
WAYS_AROUND = (
    f"ALTER TABLE {LOG} DISABLE TRIGGER append_only",
    f"DROP TRIGGER append_only ON {LOG}",
    "CREATE OR REPLACE FUNCTION shenguan.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    f"DROP TABLE {LOG}",
    "SET session_replication_role = replica",
    f"CREATE RULE r AS ON INSERT TO {LOG} DO INSTEAD NOTHING",
    f"SELECT setval('{LOG}_notification_id_seq', 1, false)",
    f"LOCK TABLE {LOG} IN EXCLUSIVE MODE",
    f"SELECT * FROM {LOG} FOR UPDATE",
)


def rows(store: TestStore) -> list[Any]:
    with store.connect() as conn:
        return conn.execute(f"SELECT * FROM {LOG} ORDER BY notification_id").fetchall()


@pytest.mark.parametrize("statement", [*REWRITES, *WAYS_AROUND])
def test_the_runtime_role_lacks_the_right(region: TestStore, statement: str) -> None:
    before = rows(region)
    with (
        region.connect() as conn,
        pytest.raises(errors.InsufficientPrivilege, match=r"permission denied|must be owner"),
        conn.transaction(),
    ):
        conn.execute(statement)
    assert rows(region) == before != []


@pytest.mark.parametrize("statement", REWRITES)
def test_even_the_owner_is_stopped_by_the_trigger(region: TestStore, statement: str) -> None:
    before = rows(region)
    with psycopg.connect(region.urls.migrator) as conn:
        with pytest.raises(errors.InsufficientPrivilege, match="the log is append-only"):
            conn.execute(statement)
    assert rows(region) == before


def test_readers_do_not_see_the_log_at_all(region: TestStore) -> None:
    with region.connect_reader() as conn:
        for table in (LOG, "shenguan.submission", "shenguan.parked", "shenguan.dead_letter", "vault.subject_key"):
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(f"SELECT 1 FROM {table}")


# No person is to be found.

CASES = 110
"""Every scenario is among them, so also dead letters, conflicts and parked submissions about people."""


class Persons:
    """Names and numbers of natural persons in generated input."""

    def __init__(self, out: Path) -> None:
        self.names: set[str] = set()
        self.numbers: set[str] = set()
        self.organisations: set[str] = set()
        for name in feed.FILES:
            for line in (out / name).read_text(encoding="utf-8").splitlines():
                found = json.loads(line)
                if "data" in found:
                    self._collect(found["data"])
                else:
                    value = feed.record(found)[3]
                    self.numbers |= {one.decode() for one in re.findall(rb'"id_number":"(\w+)"', value)}

    def _collect(self, value: Any) -> None:
        if isinstance(value, list):
            for one in value:
                self._collect(one)
        if not isinstance(value, dict):
            return
        several = [*value.get("signers", ()), *value.get("inspectors", ())]
        for who in (*(value.get(key) for key in ("officer", "person", "representative")), *several):
            if isinstance(who, dict):
                self.names |= {name for name in [who.get("name")] if isinstance(name, str)}
                self.numbers |= {who[number] for number in ("id_number", "phone") if number in who}
        if value.get("kind") in ("自然人", "个体工商户"):
            self.names.add(value["name"])
        elif value.get("kind") == "法人及非法人组织":
            self.organisations.add(value["name"])
        for one in value.values():
            self._collect(one)


class Text:
    """What can be read in bytes: as UTF-8, as the bytes that pg_dump writes in hexadecimal, as escaped JSON."""

    def __init__(self, *parts: bytes) -> None:
        words: set[str] = set()
        numbers: set[str] = set()
        for part in parts:
            hexadecimal = re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", part)
            for one in (part, *(bytes.fromhex(found.decode()) for found in hexadecimal)):
                text = one.decode("utf-8", "replace")
                text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
                words |= set(re.findall(r"[\u3400-\u9fff·（）]+", text))
                numbers |= set(re.findall(r"[0-9A-Z]{8,}", text))
        self.words, self.numbers = "\n".join(words), numbers

    def of(self, persons: Persons) -> list[str]:
        """Whom it names. Numbers count where they stand by themselves: a longer code may contain them by chance."""
        return sorted(name for name in persons.names if name in self.words) + sorted(self.numbers & persons.numbers)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("year")
    generate(CASES, 19, out)
    return out


@pytest.fixture
def lived(store: TestStore, year: Path, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    """A store into which the year came through Kafka, with everything sent and published that there is."""
    outer = store_for(store, MASTER, bootstrap, tmp_path)
    founding.found(outer, founding.read(year / "founding.json"))
    with Crew(outer) as crew:
        feeding.feed_year(outer, year, lambda _: None, 120)
        until(lambda: unsent(store) == 0, 120)
        until(lambda: _behind(outer, "log-publisher") == 0 and _unpublished(outer) == 0, 60)
        crew.check()
    yield outer
    outer.close()


def _behind(store: TrackedStore, follower: str) -> int:
    with store.connect() as conn:
        row = conn.execute(f"SELECT max(notification_id) FROM {LOG}").fetchone()
        assert row is not None
        return int(row[0]) - position_of(conn, follower)


def _unpublished(store: TrackedStore) -> int:
    with store.connect() as conn:
        row = conn.execute("SELECT count(*) FROM shenguan.dead_letter").fetchone()
    assert row is not None
    return int(row[0]) - len({a["id"] for a, _ in messages(store, store.names.deadletters)})


def dump(server: EmbeddedPostgres, url: str) -> bytes:
    """The whole database by pg_dump."""
    program = binaries.postgres_bin(binaries.unprivileged(server.cluster)) / "pg_dump"
    return subprocess.run([str(program), url], capture_output=True, check=True, timeout=120).stdout


def test_no_person_is_named_in_a_dump_nor_in_the_public_topics(
    postgres_server: EmbeddedPostgres, store: TestStore, lived: TrackedStore, year: Path
) -> None:
    persons = Persons(year)
    assert (len(persons.names) > 200, len(persons.numbers) > 200, len(persons.organisations) > 30) == (True,) * 3
    everything = dump(postgres_server, store.urls.superuser)
    published = [json.dumps([a, data.decode()], ensure_ascii=False).encode() for topic in
                 (lived.names.log, lived.names.deadletters) for a, data in messages(lived, topic)]  # fmt: skip
    for table in (
        b"shenguan.stored_events",
        b"shenguan.dead_letter",
        b"shenguan.parked",
        b"read.",
        b"vault.subject_key",
    ):
        assert b"COPY " + table in everything
    with store.connect() as conn:
        kept = conn.execute(
            "SELECT (SELECT count(*) FROM shenguan.parked), (SELECT count(*) FROM shenguan.dead_letter)"
        )
        assert min(kept.fetchone() or (0,)) > 0

    found = Text(everything)
    # The search finds what is there: organisations are no persons, and stand in the stored bytes.
    assert sum(name in found.words for name in persons.organisations) > 0.8 * len(persons.organisations)
    assert found.of(persons) == []
    assert Text(*published).words
    assert Text(*published).of(persons) == []


def test_the_search_finds_a_person(year: Path) -> None:
    """However it is written down: else the test above would prove nothing."""
    persons = Persons(year)
    name, number = sorted(persons.names)[0], sorted(persons.numbers)[0]
    plain = json.dumps({"name": name, "id": number}, ensure_ascii=False).encode()
    escaped = json.dumps({"name": name, "id": number}).encode()
    for written in (plain, escaped, rb"\\x" + plain.hex().encode(), rb"\\x" + escaped.hex().encode()):
        assert Text(b"x\t" + written + b"\n").of(persons) == [name, number]
