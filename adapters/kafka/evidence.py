"""Evidence of delivery: how far an addressee's consumer group has committed."""

import time
from typing import Any, Final

from kafka.errors import GroupIdNotFoundError

from adapters.kafka import clients

_ELECTION_S: Final = 5.0


def committed(admin: Any, group: str, topic: str) -> dict[int, int] | None:
    """The next offset the group will read, per partition of the topic: everything before it was handled.

    None means unknown, not undelivered: the group does not exist, or has committed nothing in this topic (its offsets
    may also have expired).

    Args:
        admin: a `KafkaAdminClient`; on a broker with access rules it needs DESCRIBE on the group and the topic.

    Raises:
        clients.BrokerError: no broker answers, or we may not ask.
    """
    until = time.monotonic() + _ELECTION_S
    while True:
        try:
            # Not describe_groups: the embedded broker's answer to it cannot be read by kafka-python.
            offsets = admin.list_group_offsets({group: None}).get(group, {})
            break
        except GroupIdNotFoundError:
            return None
        except clients.BrokerError as error:
            # A group's coordinator may be moving; on a new cluster, the very first question makes there be one.
            if not error.retriable or time.monotonic() >= until:
                raise
            time.sleep(0.1)
    # Kafka says -1 for "no commit".
    found = {place.partition: at.offset for place, at in offsets.items() if place.topic == topic and at.offset >= 0}
    return found or None
