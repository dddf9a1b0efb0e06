"""Has witnesses cosign the log's latest checkpoint, one after the other."""

from __future__ import annotations

import threading

import structlog

from adapters.channels.http import trusting
from adapters.postgres.checkpoints import MADE, latest
from adapters.postgres.liveness import show_alive, take_lease
from infra.store import Store
from infra.witness.asked import Asked, ask

_log = structlog.get_logger("shenguan.prover")
WITNESSES = "witnesses"
POLL_S = 1.0
REST_S = 1.0
"""Between two requests to the same witness: what comes meanwhile is cosigned with the next."""


class WitnessAsker:
    """One asks at a time; others stand by. Every witness has a line of its own in what `shenguan status` shows."""

    def __init__(self, store: Store, witnesses: list[Asked], stopped: threading.Event) -> None:
        self._store = store
        self._witnesses = witnesses
        self._stopped = stopped
        self._errors: dict[str, str | None] = {}

    def run(self) -> None:
        """Until `stopped` is set. Raises psycopg.OperationalError."""
        trust = trusting(self._store.settings.ca_file)
        with self._store.connect() as conn:
            while not take_lease(conn, WITNESSES):
                if self._stopped.wait(POLL_S):
                    return
            conn.execute(f"LISTEN {MADE}")
            while not self._stopped.is_set():
                made = latest(conn)
                for one in self._witnesses if made is not None else ():
                    assert made is not None
                    self._tell(one.key.name, ask(conn, one, made, trust))
                show_alive(conn, {f"{WITNESSES}.{name}": error for name, error in self._errors.items()})
                if self._stopped.wait(REST_S):
                    return
                for _ in conn.notifies(timeout=POLL_S, stop_after=1):
                    pass

    def _tell(self, name: str, error: str | None) -> None:
        if error is not None and error != self._errors.get(name):
            _log.error("checkpoint_not_cosigned", witness=name, error=error)
        self._errors[name] = error
