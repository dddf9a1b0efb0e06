"""The producer for what the store sends out: pipelined, all acks, every record's fate told.

A record is sent again after a crash or a temporary failure, under the same CloudEvents id; readers dedupe by it. The
idempotent producer only spares them most of that work.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from kafka import errors

from adapters.kafka import clients

_log = structlog.get_logger(__name__)

# Sending the same record again cannot help with these; with anything else it may, so anything else is temporary.
_PERMANENT: Final = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidTopicError,
    errors.AuthorizationError,
    errors.InvalidRecordError,
    errors.InvalidTimestampError,
    errors.PolicyViolationError,
    errors.UnsupportedForMessageFormatError,
    TypeError,
)
# After these an idempotent producer's sequence with the broker is broken (a new broker does not know our producer id).
_SEQUENCE_LOST: Final = (
    errors.OutOfOrderSequenceNumberError,
    errors.UnknownProducerIdError,
    errors.InvalidProducerEpochError,
    errors.InvalidProducerIdMappingError,
    errors.ProducerFencedError,
    errors.ClusterAuthorizationFailedError,
    errors.IllegalStateError,
)
_RECHECK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A record every replica in sync has acknowledged, and where it stands.

    The offset is -1 if the broker only said that it has the record already.
    """

    handle: int
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that was not acknowledged: if `temporary` try again (it may have arrived all the same)."""

    handle: int
    topic: str
    temporary: bool
    error: str


class Outbox:
    """Sends records and reports, by handle, what became of each. For one thread.

    Args:
        options: `bootstrap_servers`, security; tuning (`linger_ms`, `batch_size`, `max_request_size`,
            `delivery_timeout_ms`, `max_block_ms`, `compression_type`) to taste.
        idempotent: off only for brokers that cannot do it.

    Raises:
        clients.BrokerError: no broker answers.
    """

    def __init__(self, options: clients.Options, idempotent: bool = True) -> None:
        self._options = options
        self._idempotent = idempotent
        self._handles = 0
        self._pending: dict[int, tuple[str, Any]] = {}
        self._settled: list[Failed] = []
        self._unknown_until: dict[str, float] = {}
        self._lost = False
        self._producer: Any = self._open()

    def _open(self) -> Any:
        return clients.producer(
            self._options,
            usual={
                "compression_type": "lz4",
                "linger_ms": 200,  # a flush follows: until then a partition's records go together
                "batch_size": 131_072,
                "delivery_timeout_ms": 30_000,
                "request_timeout_ms": 10_000,
                # send() blocks so long for a topic it does not know: all other addressees wait meanwhile.
                "max_block_ms": 3_000,
                "metadata_max_age_ms": 60_000,
            },
            fixed={"acks": "all", "enable_idempotence": self._idempotent},
        )

    @property
    def pending(self) -> int:
        """How many records have no reported fate yet."""
        return len(self._pending) + len(self._settled)

    def expect(self, topics: Iterable[str]) -> None:
        """Have these topics looked up together. kafka-python looks one up at its first record, a tenth of a second
        each: hundreds of departments would wait for each other."""
        if self._producer is None:
            self._producer = self._open()
        for topic in topics:
            self._producer._metadata.add_topic(topic)

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None = None,
    ) -> int:
        """Hand a record over, and return its handle. Never raises for a record: its failure comes out of `flush`.

        Where a topic has one partition only, name it: hashing keys in Python costs as much as encoding the record.
        """
        self._handles += 1
        handle = self._handles
        if self._unknown_until.get(topic, 0.0) > time.monotonic():
            self._settled.append(Failed(handle, topic, True, "UnknownTopicOrPartitionError"))
            return handle
        try:
            if self._producer is None:
                self._producer = self._open()
            future = self._producer.send(topic, value=value, key=key, headers=list(headers), partition=partition)
            self._pending[handle] = (topic, future)
        except Exception as error:  # noqa: BLE001 - one bad record must not stop the others, whatever it does
            if isinstance(error, errors.KafkaTimeoutError):
                self._unknown_until[topic] = time.monotonic() + _RECHECK_S
            self._lost = self._lost or isinstance(error, _SEQUENCE_LOST)
            self._settled.append(self._failed(handle, topic, error))
        return handle

    def flush(self, timeout: float) -> list[Sent | Failed]:
        """Wait up to `timeout` seconds for what was sent, and report each fate known, once.

        A handle that is not in the list is still under way and comes out of a later `flush`, at the latest when
        `delivery_timeout_ms` has passed.
        """
        if self._pending and self._producer is not None:
            try:
                self._producer.flush(timeout)
            except clients.BrokerError as error:
                _log.info("outbox_flush_incomplete", error=type(error).__name__, pending=len(self._pending))
        results: list[Sent | Failed] = [*self._settled]
        self._settled = []
        for handle, (topic, future) in list(self._pending.items()):
            if not future.is_done:
                continue
            del self._pending[handle]
            if future.succeeded():
                results.append(Sent(handle, topic, future.value.partition, future.value.offset))
            else:
                self._lost = self._lost or isinstance(future.exception, _SEQUENCE_LOST)
                results.append(self._failed(handle, topic, future.exception))
        if self._lost:
            results.extend(self._renew())
        return results

    def _renew(self) -> list[Sent | Failed]:
        """Drop a producer the broker no longer accepts; what it still held may or may not have arrived."""
        _log.warning("outbox_producer_renewed", pending=len(self._pending))
        unsure: list[Sent | Failed] = [
            Failed(handle, topic, True, "ProducerRenewed") for handle, (topic, _) in self._pending.items()
        ]
        self._pending.clear()
        self._end(0)
        self._lost = False
        return unsure

    @staticmethod
    def _failed(handle: int, topic: str, error: BaseException) -> Failed:
        permanent = isinstance(error, _PERMANENT) and not getattr(error, "retriable", False)
        # The name only: the client's texts may quote the record.
        return Failed(handle, topic, not permanent, type(error).__name__)

    def close(self, timeout: float = 5.0) -> None:
        """Send what can be sent within `timeout` seconds, and disconnect. Unreported fates are lost: flush first."""
        self._end(timeout)

    def _end(self, timeout: float) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.flush(timeout)
        except clients.BrokerError as error:
            _log.warning("outbox_closed_with_unsent_records", error=type(error).__name__)
        # Its close() flushes first, and when that fails leaves the sender's thread and sockets behind.
        producer.flush = lambda *_: None
        producer.close(timeout=timeout)
