"""Everything dies on the way, on real Kafka, and nothing is lost, doubled or made up.

With SHENGUAN_FAULT_CASES=20000 and SHENGUAN_TEST_POSTGRES_BIN=/usr/lib/postgresql/15/bin this is the long run:

    SHENGUAN_FAULT_CASES=20000 SHENGUAN_TEST_POSTGRES_BIN=/usr/lib/postgresql/15/bin \\
        python -m pytest -s -m slow tests/acceptance/test_faults.py
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import feeding, founding
from infra.generator.year import generate
from infra.servers import binaries
from infra.servers.postgres import EmbeddedPostgres
from infra.store import Store
from infra.verify import verify
from projections import outcomes
from tests.acceptance.command import shenguan
from tests.acceptance.fault_kit import ROLES, Faults, Feeder, contents, crew, open_for, patiently, programs, quiet
from tests.servers.real_kafka import RealKafka, available

CASES = int(os.environ.get("SHENGUAN_FAULT_CASES", "300"))
SEED = int(os.environ.get("SHENGUAN_FAULT_SEED", "2020"))
LONG = CASES > 2000
SETTLE_S = 300 + CASES / 10
pytestmark = [pytest.mark.slow, pytest.mark.kafka]


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="shenguan-faults-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def postgres(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
    """A server of one's own, to be killed; of the version that the environment names."""
    if (chosen := programs()) is not None:
        monkeypatch.setattr(binaries, "postgres_bin", lambda _account: chosen)
    with EmbeddedPostgres(place / "server", {"max_connections": "200"}) as server:
        yield server


@pytest.fixture
def kafka() -> Iterator[RealKafka]:
    if not available():
        pytest.skip("real Kafka needs java and mvn on PATH")
    with RealKafka() as server:
        yield server


def test_whatever_dies_the_record_is_complete_and_true(
    place: Path, postgres: EmbeddedPostgres, kafka: RealKafka
) -> None:
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - begun:6.1f} s] {text}", flush=True)

    out = place / "year"
    summary = generate(CASES, SEED, out)
    more: dict[str, Any] = {
        "evidence_seconds": 1.0,
        # A stopped worker is to lose its partitions while it is stopped.
        "kafka": {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 1_000},
        # Small batches, so that there is a middle to be killed in.
        **({} if LONG else {"batch_max_records": 25}),
    }
    store, env = open_for(place, postgres, kafka, **more)
    founding.prepare(store)
    founding.found(store, founding.read(out / "founding.json"))
    with crew(env) as roles:
        feeder = Feeder(store, out)
        feeder.registers()
        say(f"registers have settled, {feeder.sent} records; {summary.submissions} submissions follow")
        faults = Faults(SEED, roles, {"PostgreSQL": postgres, "Kafka": kafka}, stopped_s=9.0)
        feeder.year(faults.kinds * (3 if LONG else 1), faults.strike)
        say(f"fed, with {sum(faults.struck.values())} faults: {dict(sorted(faults.struck.items()))}")
        assert {f"{kind} {name}" for kind in ("kill", "stop") for name in ROLES} <= faults.struck.keys()
        assert {"crash PostgreSQL", "crash Kafka"} <= faults.struck.keys()
        feeder.settle(SETTLE_S)
        feeding.wait_for(lambda: patiently(lambda: quiet(store)), SETTLE_S, "送达与读模型")
        say("settled")
        true_and_complete(store, out, kafka)
        events, notices = count(store), count(store, "notice.owed")
        say(f"verified: {events} events, {notices} notices, {count(store, 'case.decided')} decisions")

        replayed(store, env, feeder.sent)
        say(f"replayed {feeder.sent} records: no event, no notice, only duplicates")
        true_and_complete(store, out, kafka)
        for role in roles:
            assert role.end() == 0, role.said()[-2000:]
    for role in roles:
        assert "role_died" not in role.said(), role.said()[-3000:]


def count(store: Store, topic: str | None = None) -> int:
    with store.connect() as conn:
        row = conn.execute(
            "SELECT count(*) FROM shenguan.stored_events WHERE %s::text IS NULL OR topic = %s", (topic, topic)
        ).fetchone()
    assert row is not None
    return int(row[0])


def true_and_complete(store: Store, out: Path, kafka: RealKafka) -> None:
    verdict = verify(store)
    assert verdict.problems == []
    assert verdict.signatures.keys() == {"unread"}  # of all that the pilots handed in it is there
    assert feeding.mismatches(store, out) == []
    with store.connect() as conn:
        owed = conn.execute(
            "SELECT substr(originator_id, 8), originator_version, unique_key FROM shenguan.stored_events"
            " WHERE topic = 'notice.owed' ORDER BY 1, 2"
        ).fetchall()
        positions = [str(n) for (n,) in conn.execute("SELECT notification_id FROM shenguan.stored_events ORDER BY 1")]
        letters = {
            f"{a}/{b}/{c}" for a, b, c in conn.execute('SELECT topic_id, partition, "offset" FROM shenguan.dead_letter')
        }
    told: dict[str, list[tuple[str, str]]] = {}
    for department, serial, notice in owed:
        told.setdefault(store.names.notices(department), []).append((str(serial), notice))
    for topic, records in contents(store, _notices(store)).items():
        sent = [(str(attributes["serial"]), str(attributes["id"])) for attributes, _ in records]
        # Re-sent after a crash with the same id and the same words; each serial first comes after the one before it.
        assert list(dict.fromkeys(sent)) == told.pop(topic, []), topic
        words: dict[str, bytes] = {}
        assert all(words.setdefault(str(attributes["id"]), data) == data for attributes, data in records), topic
    assert told == {}
    published = contents(store, store.names.log)[store.names.log]
    assert list(dict.fromkeys(str(attributes["position"]) for attributes, _ in published)) == positions
    dead = contents(store, store.names.deadletters)[store.names.deadletters]
    assert {str(attributes["id"]) for attributes, _ in dead} == letters


def _notices(store: Store) -> str:
    return f"shenguan.notices.{store.settings.store}."


def replayed(store: Store, env: dict[str, str], records: int) -> None:
    """Every intake topic from its start once more."""

    def submissions() -> dict[str, int]:
        with store.connect() as conn:
            return outcomes.counts(conn)

    with store.connect() as conn:
        row = conn.execute(
            "SELECT count(*), (SELECT sum(redelivered) FROM shenguan.submission) FROM shenguan.intake_topic"
        )
        topics, again = row.fetchone() or (0, None)
    assert again == 0, "nothing was read twice on the way: positions move with the events"
    before, by_topic = submissions(), _by_topic(store)
    sent = {topic: len(found) for topic, found in contents(store, _notices(store)).items()}

    shenguan(env, "rewind", "演练：从头重读")
    feeding.wait_for(lambda: feeding.taken_in(store) >= 2 * records, SETTLE_S, "重读")
    feeding.wait_for(lambda: quiet(store), SETTLE_S, "重读之后")

    after = submissions()
    assert after == {**before, "in": before["in"] + records, "duplicate": before["duplicate"] + records}
    assert _by_topic(store) - by_topic == Counter({"intake.epoch_opened": topics})
    assert {topic: len(found) for topic, found in contents(store, _notices(store)).items()} == sent


def _by_topic(store: Store) -> Counter[str]:
    with store.connect() as conn:
        return Counter(dict(conn.execute("SELECT topic, count(*) FROM shenguan.stored_events GROUP BY 1").fetchall()))
