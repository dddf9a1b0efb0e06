"""What a rebalance did, noted for the main loop."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from kafka import ConsumerRebalanceListener

from adapters.kafka.records import Place


class RebalanceNotes(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what was assigned and taken away.

    kafka-python calls this on its IO thread, which also sends the heartbeats: a database read or a blocking call here
    would get the member expelled, or deadlock. So `on_assigned` may only touch memory, and the main loop does the rest
    when it calls `drain`.
    """

    def __init__(self, on_assigned: Callable[[Any], None] | None = None) -> None:
        self._on_assigned = on_assigned
        self._lock = threading.Lock()
        self._touched: set[Place] = set()

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Called by kafka-python after an assignment."""
        partitions = list(assigned)
        if self._on_assigned is not None:
            for partition in partitions:
                self._on_assigned(partition)
        self._note(partitions)

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Called by kafka-python before partitions go, and also (by its default) when they were lost."""
        self._note(revoked)

    def _note(self, partitions: Iterable[Any]) -> None:
        with self._lock:
            self._touched.update((partition.topic, partition.partition) for partition in partitions)

    def drain(self) -> set[Place]:
        """The places given or taken since the last call; whether we have them now is for `assignment()` to say."""
        with self._lock:
            touched, self._touched = self._touched, set()
        return touched
