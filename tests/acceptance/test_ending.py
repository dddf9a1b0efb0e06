"""However `shenguan up` ends, nothing of it stays behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.command import COMMAND, answer, environment, up


@pytest.fixture
def data_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="shenguan-ending-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The servers, and theirs."""
    found = psutil.Process(process.pid).children(recursive=True)
    names = {one.name() for one in found}
    assert {"postgres", "tansu"} <= names, names
    return found


def gone(processes: list[psutil.Process], seconds: float) -> bool:
    return not psutil.wait_procs(processes, timeout=seconds)[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_up_ends_in_order_when_asked(data_dir: Path, how: signal.Signals) -> None:
    env = environment(data_dir)
    with up(env) as (process, _):
        assert answer(env, "status", "--json")
        all_ = children(process)
        begun = time.monotonic()
        process.send_signal(how)
        assert process.wait(60) == 0
        assert time.monotonic() - begun < 30
        assert gone(all_, 5), "something stayed behind"
    assert not (data_dir / "servers.json").exists()
    assert "was not properly shut down" not in (data_dir / "postgres.log").read_text()


def test_up_killed_leaves_no_server_and_can_start_again(data_dir: Path) -> None:
    env = environment(data_dir)
    with up(env) as (process, _):
        all_ = children(process)
        process.kill()
        process.wait()
        assert gone(all_, 30), "the servers outlived their process"
    with up(env) as (process, _):
        assert answer(env, "verify", "--json")["problems"] == []


def test_asked_to_end_while_it_starts(data_dir: Path) -> None:
    """At any moment of the start: nothing stays, and no traceback is shown."""
    env = environment(data_dir)
    for seconds in (0.3, 1.0, 2.0, 3.0):
        with up_soon(env) as process:
            time.sleep(seconds)
            all_ = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
            assert gone(all_, 15), seconds
            assert "Traceback" not in errors, errors[-2000:]


def up_soon(env: dict[str, str]) -> subprocess.Popen[str]:
    """`shenguan up`, not waited for."""
    return subprocess.Popen(
        [*COMMAND, "up"],
        env=env,
        cwd=env["SHENGUAN_DATA_DIR"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
