"""Keeps the read models up to date."""

from __future__ import annotations

import threading

from adapters.postgres.runner import Runner
from infra.store import Store
from projections.catalogue import PROJECTIONS

REST_S = 0.2


class ProjectorRole:
    """All read models in one process; of each one process at a time does the work, others stand by."""

    def __init__(self, store: Store) -> None:
        self._runner = Runner(store.connect, PROJECTIONS, rest=REST_S)
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        watch = threading.Thread(target=self._stop_runner, name="projector-stop", daemon=True)
        watch.start()
        try:
            self._runner.run()
        finally:
            self.stopped.set()
            watch.join()

    def _stop_runner(self) -> None:
        self.stopped.wait()
        self._runner.stop()
