"""Evidence of delivery: how far an addressee's consumer group has committed."""

from typing import Any

from kafka.errors import GroupIdNotFoundError


def committed(admin: Any, group: str, topic: str) -> dict[int, int] | None:
    """The next offset the group will read, per partition of the topic: everything before it was handled.

    None means unknown, not undelivered: the group does not exist, or has committed nothing in this topic (its offsets
    may also have expired).

    Args:
        admin: a `KafkaAdminClient`; on a broker with access rules it needs DESCRIBE on the group and the topic.

    Raises:
        clients.BrokerError: no broker answers, or we may not ask.
    """
    try:
        # Not describe_groups: the embedded broker's answer to it cannot be read by kafka-python.
        offsets = admin.list_group_offsets({group: None}).get(group, {})
    except GroupIdNotFoundError:
        return None
    # Kafka says -1 for "no commit".
    found = {place.partition: at.offset for place, at in offsets.items() if place.topic == topic and at.offset >= 0}
    return found or None
