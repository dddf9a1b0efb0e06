"""A server process that does not outlive the process that started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

LOG_LIMIT = 16 * 1024 * 1024  # bytes: a longer log is started afresh at the next start

# Runs between our fork and the server, in an interpreter of its own rather than in preexec_fn: Python code between
# fork and exec is unsafe once there are threads. A change of user clears the death signal: hence the order.
_WRAPPER = """
import ctypes, os, sys
parent, death_signal, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, death_signal, 0, 0, 0)
if os.getppid() != parent:
    os._exit(75)
try:
    os.execv(sys.argv[5], sys.argv[5:])
except OSError as error:
    sys.stderr.write(f"{sys.argv[5]}: {error}\\n")
    os._exit(126)
"""

# Linux sends the death signal when the *thread* that forked ends; this one lives as long as the interpreter.
_keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")


class ServerError(RuntimeError):
    """An embedded server cannot start, stop or be used; the message is for the person at the terminal."""


class Account(NamedTuple):
    """An unprivileged account of the operating system, by number."""

    uid: int
    gid: int


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago; someone may still take it before the server binds it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether anything accepts connections on 127.0.0.1:`port`. kafka-python leaks refused sockets: ask here first."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path = Path("/"),
) -> subprocess.Popen[bytes]:
    """Start `command` (absolute path first) in its own session, output appended to `log`; `death_signal` when we die.

    The environment is small on purpose: PG*, KAFKA_* or LISTENER_URL of the caller must not steer a private server.
    Raises OSError when no process can be made; a command that cannot be run exits with 126 and says why in the log.
    """
    uid, gid = account or (-1, -1)
    arguments = [sys.executable, "-I", "-S", "-c", _WRAPPER]
    arguments += [str(os.getpid()), str(int(death_signal)), str(uid), str(gid), *command]

    def start() -> subprocess.Popen[bytes]:
        fresh = log.exists() and log.stat().st_size > LOG_LIMIT
        with log.open("wb" if fresh else "ab") as output:
            return subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={"PATH": os.defpath, "LC_ALL": "C", **(env or {})},
                start_new_session=True,  # Ctrl-C at the terminal is for us: we then stop the server in order
            )

    if threading.current_thread() is threading.main_thread():
        return start()
    return _keeper.submit(start).result()


def end(process: subprocess.Popen[bytes], how: signal.Signals, patience: float) -> None:
    """Send `how`, wait `patience` seconds, then SIGKILL; returns when the process is gone. A dead process is fine."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for error messages; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 8192))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])
