"""Makes the record prove itself: integrates the log into the transparency log, signs checkpoints, publishes them and
has them cosigned."""

from __future__ import annotations

import threading

from adapters.postgres.runner import Runner
from infra.proving import BATCH, Keys, Proofs
from infra.roles.checkpoint_publisher import CheckpointPublisher, published
from infra.roles.role import persist
from infra.roles.witness_submitter import WitnessSubmitters
from infra.store import Store

LAST_S = 2.0
"""So long is waited for an exchange with a witness that is on its way when the role is to end."""
REST_S = 0.2
"""Between checkpoints at least, while events keep coming; one that comes after a pause is integrated at once."""


class ProverRole:
    """One integrates, one publishes and one asks each witness at a time; other processes stand by. Integrating waits
    for none of the others."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        settings = self._store.settings
        proofs = Proofs(settings.log_name, Keys(settings).signers, lambda: published(settings.checkpoint_file))
        runner = Runner(self._store.connect, [proofs], limit=BATCH, rest=REST_S)
        follower = threading.Thread(target=runner.run, name="proofs", daemon=True)
        asking = threading.Thread(
            target=WitnessSubmitters(self._store, self.stopped).run, name="witnesses", daemon=True
        )
        follower.start()
        asking.start()
        try:
            persist(self.stopped, CheckpointPublisher(self._store, self.stopped).run)
        finally:
            runner.stop()
            follower.join()
            self.stopped.set()
            asking.join(LAST_S)
