"""A role in a process of its own, on the servers that this process knows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait

from infra.logging import configure
from infra.processes import begin
from infra.roles.catalogue import ROLES
from infra.settings import Settings
from infra.store import Servers, Store

LOOK_S = 0.2
END_S = 30.0
UNHURRIED = {"projector", "publisher", "prover", "region"}
"""Nobody waits for these as supervisors wait for their notices: under load they come second."""
_NICER = 10


class ProcessDied(Exception):
    """A role's process has ended with an error, or was killed."""


def run_apart(store: Store, name: str, stopping: threading.Event) -> None:
    """Until `stopping` is set, or the role ends. Raises ProcessDied."""
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(store.settings, store.servers, name), name=name
    )
    process.start()
    try:
        while not wait([process.sentinel], LOOK_S) and not stopping.is_set():
            pass
        process.terminate()
        process.join(END_S)
    finally:
        process.kill()
        process.join()
    if process.exitcode and not stopping.is_set():
        raise ProcessDied(f"{name}: exit code {process.exitcode}")


def _run(settings: Settings, servers: Servers, name: str) -> None:
    begin()
    configure()
    if name in UNHURRIED:
        os.nice(_NICER)
    role = ROLES[name](Store(settings, servers))
    signal.signal(signal.SIGTERM, lambda *_: role.stopped.set())
    role.run()
