"""The role that proves: one works, another stands by; keys are made, rotated and refused; checkpoints reach the file
and the topic, and what is published is never gone back on."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import checkpoints_after, keys_in_use, latest
from adapters.postgres.follower import EventFailed, catch_up
from adapters.postgres.leaves import leaf_rows_after
from adapters.postgres.trees import LOG, nodes
from domain.checkpoints import parse_checkpoint
from domain.leaves import leaves
from domain.merkle import leaf_hashes, tree_hash
from domain.merkle_proofs import prove_consistency, verify_consistency
from domain.note_keys import parse_verifier_key
from domain.notes import open_note, parse_note
from infra.log_keys import LogKeyError, read_keys, rotate_keys, signers
from infra.proving import Keys, Proofs
from infra.roles.checkpoint_publisher import CheckpointPublisher, published
from infra.roles.prover import ProverRole
from infra.roles.publisher import Publication
from infra.store import Store
from tests.integration.outlet_kit import TrackedStore, count, messages, running, until
from tests.integration.region import granted, registers
from tests.integration.teststore import TestStore


def integrated(test: TestStore) -> bool:
    """Whether every event is."""
    return count(test, "SELECT count(*) FROM shenguan.stored_events") == size(test)


def size(test: TestStore) -> int:
    with test.connect() as conn:
        made = latest(conn)
    return made.head.size if made is not None else 0


def verifiers(test: TestStore) -> list[NoteVerifier]:
    with test.connect() as conn:
        return [NoteVerifier(parse_verifier_key(one.verifier)) for one in keys_in_use(conn)]


@pytest.fixture
def filed(outer: TrackedStore, tmp_path: Path) -> TrackedStore:
    """With a file for the latest checkpoint."""
    settings = outer.settings.model_copy(update={"checkpoint_file": tmp_path / "elsewhere" / "checkpoint"})
    outer.settings = settings
    return outer


def published_size(store: Store) -> int:
    note = published(store.settings.checkpoint_file)
    return parse_checkpoint(parse_note(note).text).size if note is not None else 0


def test_it_integrates_signs_and_publishes(region: TestStore, filed: TrackedStore) -> None:
    granted(region, "1")
    with running(ProverRole(filed)):
        until(lambda: integrated(region))
        for number in range(2, 6):
            granted(region, str(number))
            until(lambda: integrated(region))
        until(lambda: published_size(filed) == size(region))
        topic = filed.names.checkpoints
        until(lambda: json.loads(messages(filed, topic)[-1][1])["size"] == size(region))
    key = filed.settings.log_key_file
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(filed.settings.checkpoint_file.stat().st_mode) & 0o444 == 0o444  # type: ignore[union-attr]
    found = [(one, json.loads(data)) for one, data in messages(filed, topic)]
    sizes = [data["size"] for _, data in found]
    assert sizes == sorted(sizes)
    for attributes, data in found:
        text = parse_checkpoint(open_note(data["checkpoint"].encode(), verifiers(region)).text)
        assert (text.origin, text.size) == (data["origin"], data["size"])
        assert attributes["type"] == "cn.shenguan.checkpoint.v1"
        assert attributes["id"] == f"shenguan/{filed.settings.store}/{text.size}"
    assert "PRIVATE" in key.read_text()
    assert (
        count(
            region,
            "SELECT count(*) FROM proof.key WHERE verifier LIKE '%%PRIVATE%%'",
        )
        == 0
    )


def test_of_two_one_works_and_the_other_takes_over(region: TestStore, outer: TrackedStore) -> None:
    first, second = ProverRole(outer), ProverRole(outer)
    with running(second):
        with running(first):
            for number in range(4):
                granted(region, str(number))
            until(lambda: integrated(region))
        granted(region, "10")
        until(lambda: integrated(region))
    assert count(region, "SELECT count(*) FROM proof.checkpoint") == count(
        region, "SELECT count(DISTINCT size) FROM proof.checkpoint"
    )
    with region.connect() as conn:
        rows = conn.execute("SELECT name, error FROM shenguan.follower WHERE name IN ('proofs', 'checkpoints')")
        assert sorted(rows) == [("checkpoints", None), ("proofs", None)]


def test_killed_by_the_system_and_started_again_it_is_the_same_tree(region: TestStore, outer: TrackedStore) -> None:
    """Again and again, wherever it is in its work; each time other events have come."""
    settings = outer.settings
    given = {
        "STORE": settings.store,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "MASTER_KEY_FILE": str(settings.master_key_file),
        "KAFKA_BOOTSTRAP_SERVERS": outer.kafka_options["bootstrap_servers"],
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("SHENGUAN_")}
    env = others | {f"SHENGUAN_{name}": str(value) for name, value in given.items()}
    code = "from infra.main import main; main()"
    number = 0
    for _ in range(3):
        before = size(region)
        process = subprocess.Popen([sys.executable, "-c", code, "role", "prover"], env=env)
        try:
            while size(region) == before:
                number += 1
                granted(region, str(number))
        finally:
            process.kill()
            process.wait()
    with running(ProverRole(outer)):
        until(lambda: integrated(region))
    with region.connect() as conn:
        rows = leaf_rows_after(conn, 0, 100_000)
        made = latest(conn)
        assert made is not None
        assert made.head == (len(rows), tree_hash(leaf_hashes(leaves(rows))))
        found = checkpoints_after(conn, 0, 100_000)
        for first, second in pairwise(found):
            path = prove_consistency(first.head.size, second.head.size, nodes(conn, LOG, second.head.size))
            verify_consistency(first.head, second.head, path)
    assert len(found) >= 3


def test_a_broker_that_is_away_keeps_nothing_from_being_proven(region: TestStore, filed: TrackedStore) -> None:
    filed.kafka_options = {**filed.kafka_options, "bootstrap_servers": "127.0.0.1:9", "api_version_auto_timeout_ms": 99}
    region.prove()
    publisher = CheckpointPublisher(filed, threading.Event())
    with region.connect() as conn, closing(Publication(filed, filed.names.checkpoints)) as topic:
        assert filed.names.checkpoints in (publisher.turn(conn, topic) or "")
        assert published_size(filed) == size(region)


def test_a_file_that_cannot_be_written_is_said(region: TestStore, filed: TrackedStore, tmp_path: Path) -> None:
    region.prove()
    (tmp_path / "elsewhere").write_text("no directory")
    publisher = CheckpointPublisher(filed, threading.Event())
    with region.connect() as conn, closing(Publication(filed, filed.names.checkpoints)) as topic:
        assert "elsewhere" in (publisher.turn(conn, topic) or "")
        (tmp_path / "elsewhere").unlink()
        assert publisher.turn(conn, topic) is None
    assert published_size(filed) == size(region)


def prove(test: TestStore, store: Store) -> None:
    settings = store.settings
    with test.connect() as conn:
        catch_up(
            conn,
            [Proofs(settings.log_name, Keys(settings).signers, lambda: published(settings.checkpoint_file))],
        )


def test_what_is_published_outlives_the_database(
    region: TestStore, filed: TrackedStore, stores: Callable[..., TestStore]
) -> None:
    """A database put back to before the published checkpoint is not signed for again."""
    granted(region, "1")
    prove(region, filed)
    publisher = CheckpointPublisher(filed, threading.Event())
    with region.connect() as conn, closing(Publication(filed, filed.names.checkpoints)) as topic:
        assert publisher.turn(conn, topic) is None
    earlier = stores(registers)
    granted(earlier, "2")
    with pytest.raises(EventFailed, match="is published"):
        prove(earlier, filed)
    assert size(earlier) == 0


def test_keys_are_made_once_and_missed_when_they_are_gone(region: TestStore, outer: TrackedStore) -> None:
    prove(region, outer)
    file = outer.settings.log_key_file
    kept = file.read_text()
    granted(region, "1")
    file.unlink()
    with pytest.raises(EventFailed, match="none of the log's published keys"):
        prove(region, outer)
    assert not file.exists()
    file.write_text(kept.replace("PRIVATE", "SECRET"))
    with pytest.raises(EventFailed, match="line 2 is no key") as caught:
        prove(region, outer)
    assert kept.split("+")[-1].strip() not in str(caught.value)
    other = rotate_keys(file.with_name("other"), outer.settings.log_name, datetime.now(UTC), timedelta(1))
    file.write_text(other.line)
    with pytest.raises(EventFailed, match="none of the log's published keys"):
        prove(region, outer)
    file.write_text(kept)
    prove(region, outer)
    assert integrated(region)


def test_a_new_key_signs_beside_the_old_one_for_a_while(region: TestStore, outer: TrackedStore) -> None:
    settings = outer.settings
    keys = Keys(settings)
    follower = Proofs(settings.log_name, keys.signers)
    with region.connect() as conn:
        catch_up(conn, [follower])
    [old] = read_keys(settings.log_key_file)
    now = datetime.now(UTC)
    new = rotate_keys(settings.log_key_file, settings.log_name, now, timedelta(days=30))
    granted(region, "1")
    with region.connect() as conn:
        catch_up(conn, [follower])  # the same one has noticed
        found = keys_in_use(conn)
        note = latest(conn).note.encode()  # type: ignore[union-attr]
    assert [one.verifier for one in found] == [old.public.text, new.public.text]
    assert [one.until for one in found] == [now + timedelta(days=30), None]
    for verifier in verifiers(region):
        assert open_note(note, [verifier]).verified
    # when its time is over the old one signs no more, and at the next rotation its seed is gone
    after = now + timedelta(days=31)
    kept = read_keys(settings.log_key_file)
    assert [one.key_id for one in signers(kept, settings.log_name, after)] == [new.public.key_id]
    assert signers(kept, "another/log", after) == []
    rotate_keys(settings.log_key_file, settings.log_name, after, timedelta(days=30))
    last = read_keys(settings.log_key_file)
    assert [(one.public, one.secret is None) for one in last[:2]] == [(old.public, True), (new.public, False)]
    assert replace(last[0], secret=old.secret).line not in settings.log_key_file.read_text()
    assert stat.S_IMODE(settings.log_key_file.stat().st_mode) == 0o600
    with pytest.raises(LogKeyError):
        read_keys(settings.log_key_file.parent)
