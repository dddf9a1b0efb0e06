"""Evidence of delivery: how far an addressee's consumer group has committed."""

import time
from collections.abc import Collection, Iterable
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
    try:
        return committed_by(admin, [(group, topic)]).get((group, topic))
    except GroupIdNotFoundError:
        return None


def committed_by(admin: Any, asked: Collection[tuple[str, str]]) -> dict[tuple[str, str], dict[int, int]]:
    """As `committed`, of many groups with their topics in one question; those that are unknown are missing.

    Raises:
        clients.BrokerError: as `committed`, also where that is so of one group only: then ask about each by itself.
    """
    if not asked:
        return {}
    offsets = _ask(admin, {group for group, _ in asked})
    found = {(group, topic): _of_topic(offsets.get(group, {}), topic) for group, topic in asked}
    return {one: at for one, at in found.items() if at}


def _ask(admin: Any, groups: Iterable[str]) -> dict[str, Any]:
    wanted = dict.fromkeys(groups)
    until = time.monotonic() + _ELECTION_S
    while True:
        try:
            # Not describe_groups: the embedded broker's answer to it cannot be read by kafka-python.
            return dict(admin.list_group_offsets(wanted))
        except GroupIdNotFoundError:
            raise
        except clients.BrokerError as error:
            # A group's coordinator may be moving; on a new cluster, the very first question makes there be one.
            if not error.retriable or time.monotonic() >= until:
                raise
            time.sleep(0.1)


def _of_topic(offsets: dict[Any, Any], topic: str) -> dict[int, int]:
    # Kafka says -1 for "no commit".
    return {place.partition: at.offset for place, at in offsets.items() if place.topic == topic and at.offset >= 0}
