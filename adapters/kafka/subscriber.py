"""The reference consumer for a department: how to read one's notices and let the store see that one has.

What is committed is the evidence of delivery (design §4), so a record is committed only after it was handled. A crash
in between repeats records: deduplicate by the CloudEvents `source` and `id`.
"""

from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import structlog
from kafka import OffsetAndMetadata, TopicPartition, errors

from adapters.kafka import clients
from adapters.kafka.rebalance import RebalanceNotes
from adapters.kafka.records import Place, RawRecord, from_client

_log = structlog.get_logger(__name__)
_LOOKUP_MS = 10_000
_WAIT_MS = 500
_COMMIT_EVERY = 500

# The group has moved on without us: what we handled will be handled again by whoever has the partition now.
_OUTDATED = (
    errors.CommitFailedError,
    errors.IllegalGenerationError,
    errors.RebalanceInProgressError,
    errors.UnknownMemberIdError,
)


class Subscription(Iterator[RawRecord]):
    """Iterates over a topic. Asking for the next record says that the last one was handled. For one thread.

    Commits when what was fetched has been handled, every few hundred records, and on `commit()`.
    """

    def __init__(self, consumer: Any, notes: RebalanceNotes, static: bool, idle_s: float | None) -> None:
        self._consumer = consumer
        self._notes = notes
        self._static = static
        self._idle_s = idle_s
        self._fetched: deque[RawRecord] = deque()
        self._current: RawRecord | None = None
        self._handled: dict[Place, int] = {}
        self._uncommitted = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __next__(self) -> RawRecord:
        """The next record; ends when nothing came for `idle_s` seconds.

        Raises:
            clients.BrokerError: no broker answers a commit in time, or we may not read.
        """
        self._mark_handled()
        if not self._fetched or self._uncommitted >= _COMMIT_EVERY:
            self._commit()
        waited = 0
        while not self._fetched:
            if self._idle_s is not None and waited >= self._idle_s * 1000:
                raise StopIteration
            fetched = self._consumer.poll(timeout_ms=_WAIT_MS)
            self._forget(self._notes.drain())
            for records in fetched.values():
                self._fetched.extend(map(from_client, records))
            waited += _WAIT_MS
        self._current = self._fetched.popleft()
        return self._current

    def commit(self) -> None:
        """Commit now; says that every record so far was handled.

        Raises:
            clients.BrokerError: no broker answered in time.
        """
        self._mark_handled()
        self._commit()

    def close(self) -> None:
        """Commit what was handled, which the record last given out was not unless `commit` said so, and disconnect."""
        self._current = None
        try:
            self._commit()
        except clients.BrokerError as error:
            _log.warning("subscriber_closed_uncommitted", error=type(error).__name__)
        self._consumer.close(autocommit=False, timeout_ms=_LOOKUP_MS)

    def _mark_handled(self) -> None:
        record, self._current = self._current, None
        if record is not None:
            self._handled[record.place] = record.offset + 1
            self._uncommitted += 1

    def _commit(self) -> None:
        # A commit for a partition that has gone would set its new owner's position back.
        mine = self._consumer.assignment()
        offsets = {
            TopicPartition(*place): OffsetAndMetadata(offset, "", -1)
            for place, offset in self._handled.items()
            if TopicPartition(*place) in mine
        }
        if offsets:
            try:
                self._consumer.commit(offsets, timeout_ms=_LOOKUP_MS)
            except _OUTDATED as error:
                _log.info("subscriber_commit_outdated", error=type(error).__name__)
        self._handled.clear()
        self._uncommitted = 0

    def _forget(self, places: set[Place]) -> None:
        if places:
            self._fetched = deque(record for record in self._fetched if record.place not in places)
            for place in places & self._handled.keys():
                del self._handled[place]

    def start(self, topic: str, from_beginning: bool) -> None:
        """Begin: join the group, or take all partitions at their committed offsets.

        Raises:
            clients.BrokerError: no broker answers, or there is no such topic, or none that we may see.
        """
        partitions = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic)]
        if not partitions:
            # A group would wait for it in silence, also where it is only not allowed to see it.
            raise errors.UnknownTopicOrPartitionError(topic)
        if not self._static:
            self._consumer.subscribe([topic], listener=self._notes)
            return
        self._consumer.assign(partitions)
        fresh = []
        for partition in partitions:
            offset = self._consumer.committed(partition, timeout_ms=_LOOKUP_MS)
            if offset is None:
                fresh.append(partition)
            else:
                self._consumer.seek(partition, offset)
        if not fresh:
            return
        look_up = self._consumer.beginning_offsets if from_beginning else self._consumer.end_offsets
        for partition, offset in look_up(fresh, timeout_ms=_LOOKUP_MS).items():
            self._consumer.seek(partition, offset)


def subscribe(
    options: clients.Options,
    topic: str,
    group: str,
    from_beginning: bool = True,
    static: bool = False,
    idle_s: float | None = None,
) -> Subscription:
    """Read a topic, committing as `group`.

    Args:
        from_beginning: where to start if the group has committed nothing yet: the first record kept, or the next one.
        static: take all partitions without joining the group. Needed on the embedded broker, whose groups can wedge;
            only one such reader may run at a time. (There `from_beginning=False` may begin within the last batch.)
        idle_s: end after so many seconds without a record; None reads for ever.

    Raises:
        clients.BrokerError: no broker answers, or there is no such topic, or none that we may see.
    """
    notes = RebalanceNotes()
    consumer = clients.consumer(
        options,
        usual={"fetch_max_wait_ms": 100, "isolation_level": "read_committed"},
        fixed={
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest" if from_beginning else "latest",
        },
    )
    subscription = Subscription(consumer, notes, static, idle_s)
    try:
        subscription.start(topic, from_beginning)
    except BaseException:
        consumer.close(autocommit=False)
        raise
    return subscription
