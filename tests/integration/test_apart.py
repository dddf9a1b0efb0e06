"""Roles in processes of their own: they do their work, are started again when killed, and never stay behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from infra.roles import supervisor
from tests.integration.outlet_kit import TrackedStore, count, unsent, until
from tests.integration.region import everything
from tests.integration.teststore import TestStore

NAMES = ("approvals", "attempts", "receipts", "two_way", "log-publisher", "outlet")


def test_all_roles_in_processes_of_their_own(region: TestStore, outer: TrackedStore) -> None:
    with supervisor.Crew(outer, apart=True) as crew:
        everything(region)
        until(lambda: unsent(region) == 0, 60)
        behind = (
            "SELECT count(*) FROM unnest(%s::text[]) AS n (name) LEFT JOIN shenguan.notification_tracking AS t"
            " ON t.application_name = n.name WHERE t.notification_id IS DISTINCT FROM"
            " (SELECT max(notification_id) FROM shenguan.stored_events)"
        )
        until(lambda: count(region, behind, list(NAMES)) == 0, 60)
        crew.check()
        processes = [p for p in multiprocessing.active_children() if p.name in ("intake", "outlet", "projector")]
        assert len(processes) == 3
    assert not any(p.is_alive() for p in processes)


def test_a_killed_role_is_told_of_and_started_again(region: TestStore, outer: TrackedStore) -> None:
    with supervisor.Crew(outer, ["projector"], apart=True) as crew:
        first = until(lambda: [p.pid for p in multiprocessing.active_children() if p.name == "projector"])
        until(lambda: alive(region) == first[0], 60)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: alive(region) != first[0], 60)
        with pytest.raises(supervisor.RoleDied, match="projector"):
            crew.check()


def alive(region: TestStore) -> int:
    return count(region, "SELECT coalesce(max(pid), 0) FROM shenguan.follower WHERE name = 'receipts'")


def test_processes_end_with_the_one_that_started_them(server_dir: Path) -> None:
    """`shenguan up`, killed: its roles and their helpers must not go on beside the next one."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SHENGUAN_")}
    up = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("from infra.main import main; main()"), "up"],
        env={**settings, "SHENGUAN_DATA_DIR": str(server_dir / "killed-up")},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
    )
    try:
        children = until(lambda: of_roles(up.pid), 90)
        up.kill()
        up.wait()
        until(lambda: not any(running(child) for child in children), 30)
    finally:
        up.kill()
        up.wait()


def of_roles(pid: int) -> list[psutil.Process]:
    """All below, once there are as many as roles and servers; waits for them to have begun in earnest."""
    found = psutil.Process(pid).children(recursive=True)
    python = [p for p in found if "spawn_main" in command(p)]
    if len(python) < 5:
        return []
    time.sleep(2.0)
    return found


def command(process: psutil.Process) -> str:
    """What it was started as; nothing if it has ended meanwhile: servers begin with helpers that live for a moment."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
