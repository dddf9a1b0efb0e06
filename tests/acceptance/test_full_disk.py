"""The disk is full: intake waits and says so; when there is room again it goes on as if nothing had been.

The method: PostgreSQL's data lies on a file system of its own, a `tmpfs` of 200 MB mounted for the test, which only
root may do; it is filled by a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra import feeding, founding
from infra.generator.year import generate
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import EmbeddedPostgres
from infra.verify import verify
from tests.acceptance.fault_kit import Feeder, Process, crew, open_for, patiently, quiet

MB = 1024 * 1024
SIZE = 200
pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="shenguan-disk-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    disk = place / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=0711", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this machine lets not even root mount a tmpfs: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (MB, 4096):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(b"\0" * size)
    free = os.statvfs(disk)
    assert free.f_bavail * free.f_frsize < 4096
    return filler


def complaints(process: Process) -> list[str]:
    """What the role says of its database, line by line."""
    lines = [json.loads(line) for line in process.said().splitlines() if line.startswith("{")]
    return [line["error"] for line in lines if line.get("event") == "database_unavailable"]


def test_a_full_disk_is_waited_for(place: Path, small_disk: Path) -> None:
    out = place / "year"
    generate(200, 5, out)
    # Checkpoints as the deployment has them; no more WAL is kept than the small disk can hold.
    settings = {"max_wal_size": "64MB", "min_wal_size": "32MB", "wal_keep_size": "0"}
    with EmbeddedPostgres(small_disk, settings) as postgres, EmbeddedBroker(place / "broker") as broker:
        store, env = open_for(place, postgres, broker, kafka_group=False, batch_max_records=50)
        founding.prepare(store)
        founding.found(store, founding.read(out / "founding.json"))
        with crew(env, ["intake", "outlet", "projector", "publisher", "clock", "prover"]) as roles:
            intake = roles[0]
            feeder = Feeder(store, out)
            feeder.registers()
            filler = fill(small_disk)
            feeder.year(1, lambda: None)
            feeding.wait_for(lambda: bool(complaints(intake)), 120, "摄取说明磁盘已满")
            time.sleep(5)
            taken = _taken(postgres, store)
            assert taken is None or taken < feeder.sent
            words = complaints(intake)
            assert any("No space left on device" in one for one in words), words
            assert all("\n" not in one for one in words)
            assert "Traceback" not in intake.said()

            filler.unlink()
            postgres.start()  # where it gave up for want of room for its write-ahead log; else nothing
            feeder.settle(180)
            feeding.wait_for(lambda: patiently(lambda: quiet(store)), 180, "送达与读模型")
            assert verify(store).problems == []
            assert feeding.mismatches(store, out) == []
            for role in roles:
                assert role.end() == 0


def _taken(postgres: EmbeddedPostgres, store: object) -> int | None:
    """How many have a disposition; None where the database does not even answer."""
    try:
        return feeding.taken_in(store)  # type: ignore[arg-type]
    except psycopg.OperationalError:
        return None
