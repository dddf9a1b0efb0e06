"""What a run that was killed leaves behind in a PostgreSQL cluster, and how it is cleared."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from infra.servers.child import ServerError

_FAST, _HARD = 30.0, 10.0  # seconds: for a shutdown in order, then for the kernel to remove killed processes


def clear(cluster: Path) -> None:
    """End what still runs in `cluster` and remove its stale postmaster.pid. Call only while holding the cluster's lock.

    A pid file alone proves nothing (pids are reused, quickly so in containers, and PostgreSQL then refuses to start),
    so processes are known by their working directory, which PostgreSQL sets to the cluster. Removing the file gives up
    PostgreSQL's own check for surviving backends: hence every one of them must be gone first. Without /proc (not Linux)
    nothing is touched and PostgreSQL decides by itself. Raises ServerError when something cannot be ended.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists() or not Path("/proc/self/cwd").exists():
        return
    postmaster = int(pid_file.read_text().partition("\n")[0] or 0)
    for how, patience in ((signal.SIGINT, _FAST), (signal.SIGKILL, _HARD)):
        living = _inside(cluster)
        for pid in living:
            # Backends without a postmaster end by themselves; interrupting them would only cancel a query.
            if pid == postmaster or how is signal.SIGKILL:
                _send(pid, how)
        deadline = time.monotonic() + patience
        while living and time.monotonic() < deadline:
            time.sleep(0.02)
            living = _inside(cluster)
        if not living:
            pid_file.unlink(missing_ok=True)
            return
    raise ServerError(f"上次运行留下的 PostgreSQL 进程 {living} 结束不掉，仍占用 {cluster}。")


def _inside(cluster: Path) -> list[int]:
    """The processes named postgres whose working directory is `cluster`."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            at_home = os.readlink(f"/proc/{entry.name}/cwd") == str(cluster)
            name = Path(f"/proc/{entry.name}/comm").read_text().strip()
            state = Path(f"/proc/{entry.name}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # ended meanwhile, or another account's
        if at_home and name == "postgres" and state != "Z":
            found.append(int(entry.name))
    return found


def _send(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
