"""Makes the record prove itself: integrates the log into the transparency log, signs checkpoints, publishes them and
has witnesses cosign them."""

from __future__ import annotations

import threading

from adapters.postgres.runner import Runner
from infra.proving import BATCH, Keys, Proofs
from infra.roles.checkpoint_publisher import CheckpointPublisher, published
from infra.roles.role import persist
from infra.roles.witness_asker import WitnessAsker
from infra.store import Store
from infra.witness.asked import Asked, read_asked

REST_S = 0.2
"""Between checkpoints at least, while events keep coming; one that comes after a pause is integrated at once."""


class ProverRole:
    """One integrates and one publishes at a time; other processes stand by. Integrating waits for no publishing, and
    neither for a witness."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        settings = self._store.settings
        proofs = Proofs(settings.log_name, Keys(settings).signers, lambda: published(settings.checkpoint_file))
        runner = Runner(self._store.connect, [proofs], limit=BATCH, rest=REST_S)
        follower = threading.Thread(target=runner.run, name="proofs", daemon=True)
        follower.start()
        witnesses = read_asked(settings.witness_file)
        asker = threading.Thread(target=self._ask, args=(witnesses,), name="witnesses", daemon=True)
        if witnesses:
            asker.start()
        try:
            persist(self.stopped, CheckpointPublisher(self._store, self.stopped).run)
        finally:
            runner.stop()
            follower.join()
            if witnesses:
                asker.join()

    def _ask(self, witnesses: list[Asked]) -> None:
        persist(self.stopped, WitnessAsker(self._store, witnesses, self.stopped).run)
