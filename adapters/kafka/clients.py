"""kafka-python's clients, made from one plain mapping of options.

Each client refuses options it does not know, so each is passed only its own. `bootstrap_servers` and the security
settings are the same for all. What a caller's correctness rests on is `fixed` and beats the options; what is only a
good choice is `usual` and yields to them.
"""

from collections.abc import Mapping
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError as BrokerError
from kafka.net.compat import KafkaNetClient

from adapters.kafka import repairs

__all__ = ["BrokerError", "Options", "admin", "consumer", "producer", "without_positions"]

Options = Mapping[str, Any]

_ASSIGNORS = {"cooperative": CooperativeStickyAssignor, "range": RangePartitionAssignor}

repairs.install()


class _NoCreation(KafkaNetClient):  # type: ignore[misc]
    """Asks for topics without making them.

    Otherwise a mistyped name would come to exist, with the broker's partition count, for ever. kafka-python 3.0.12 has
    an option for it, `allow_auto_create_topics`, but never hands it to the code that asks.
    """

    def __init__(self, **configs: Any) -> None:
        super().__init__(**configs)
        self.cluster.config["allow_auto_create_topics"] = False


def _chosen(kind: Any, options: Options, usual: Options, fixed: Options) -> dict[str, Any]:
    merged = {**usual, **options, **fixed}
    return {name: value for name, value in merged.items() if name in kind.DEFAULT_CONFIG}


def consumer(options: Options, *, usual: Options | None = None, fixed: Options | None = None) -> Any:
    """A `KafkaConsumer`.

    Raises:
        BrokerError: no broker answered within `bootstrap_timeout_ms`, or it refused us.
    """
    certain = {"kafka_client": _NoCreation, **(fixed or {})}
    return KafkaConsumer(**_chosen(KafkaConsumer, options, usual or {}, certain))


def without_positions(options: Options, group: str | None, assignor: str, refresh_s: float) -> Any:
    """A `KafkaConsumer` that neither takes a position from Kafka nor leaves one there.

    Raises:
        BrokerError: as for `consumer`.
    """
    usual = {
        "fetch_max_wait_ms": 100,
        "max_partition_fetch_bytes": 131_072,  # little of each, so that what is held is of many partitions
        "metadata_max_age_ms": max(int(refresh_s * 1000), 100),
        "isolation_level": "read_committed",  # what its sender aborted was never said
    }
    fixed = {
        "group_id": group,
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "partition_assignment_strategy": (_ASSIGNORS[assignor],),
    }
    return consumer(options, usual=usual, fixed=fixed)


def producer(options: Options, *, usual: Options | None = None, fixed: Options | None = None) -> Any:
    """A `KafkaProducer`.

    Raises:
        BrokerError: as for `consumer`.
    """
    certain = {"kafka_client": _NoCreation, **(fixed or {})}
    return KafkaProducer(**_chosen(KafkaProducer, options, usual or {}, certain))


def admin(options: Options) -> Any:
    """A `KafkaAdminClient`.

    Raises:
        BrokerError: as for `consumer`.
    """
    # Administration runs inside loops that must stay responsive: a silent broker may cost seconds, not half a minute.
    return KafkaAdminClient(**_chosen(KafkaAdminClient, options, {"request_timeout_ms": 5000}, {}))
