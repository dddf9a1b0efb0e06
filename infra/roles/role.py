"""What every role is: a loop that another thread may stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import psycopg
import structlog

from adapters.kafka import clients
from adapters.postgres.runner import first_line

_log = structlog.get_logger("shenguan.role")
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)


class Role(Protocol):
    """Stateless: kill it anywhere and start it again, with a new object."""

    stopped: threading.Event

    def run(self) -> None:
        """Until `stopped` is set. Raises what cannot be got over by waiting."""
        ...


def persist(stopped: threading.Event, work: Callable[[], None]) -> None:
    """Does `work` again, after a pause that grows, as often as a server it needs is away; until it returns."""
    failures = 0
    while not stopped.is_set():
        begun = time.monotonic()
        try:
            work()
            return
        except (psycopg.OperationalError, clients.BrokerError) as error:
            if time.monotonic() - begun > BACK_OFF[-1]:
                failures = 0
            wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
            failures += 1
            _log.error("server_unavailable", error=first_line(error), retry_in_s=wait)
            stopped.wait(wait)
