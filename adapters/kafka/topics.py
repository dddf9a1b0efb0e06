"""Topics: their names, their creation, their ids, and who may use them.

The names are the design's (§4). A topic's partition count is fixed at creation: adding partitions would send the later
records of a case to another partition than its earlier ones, and their order would be lost. Retention is always
bounded: what stays is in the log, not in Kafka.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType
from kafka.errors import TopicAlreadyExistsError, for_code

from adapters.kafka import clients
from adapters.kafka.names import TopicNames, part

_log = structlog.get_logger(__name__)
_NO_ERROR: Final = 0
_LEADER_PENDING: Final = 5  # LEADER_NOT_AVAILABLE: the topic exists, its leader is still being elected
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"
CREATED_MS: Final = 30_000


class TopicError(Exception):
    """Kafka would not create a topic or an access rule: which, and why."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be.

    Raises:
        ValueError: a figure out of range, or retention without bound.
    """

    name: str
    partitions: int
    retention_ms: int
    replication: int = 1
    config: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.partitions < 1 or self.replication < 1:
            raise ValueError("分区数与副本数至少为 1")
        if self.retention_ms < 1:
            raise ValueError("保留时间必须有界")


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for one principal to do one thing with one resource."""

    principal: str
    operation: str  # WRITE or READ
    resource: str  # TOPIC or GROUP
    name: str
    prefixed: bool = False


def may_submit(names: TopicNames, principal: str) -> list[Grant]:
    """A principal writes its own intake topic. (WRITE implies DESCRIBE, and leave to be an idempotent producer.)"""
    return [Grant(principal, "WRITE", "TOPIC", names.intake(principal))]


def may_watch(names: TopicNames, principal: str) -> list[Grant]:
    """Every principal reads what the log signs of itself; in which group, see `may_receive`."""
    return [Grant(principal, "READ", "TOPIC", names.checkpoints)]


def may_receive(names: TopicNames, department: str, principal: str) -> list[Grant]:
    """A principal of a department reads its notices, in the group `shenguan.<department>` or one below it.

    The prefix ends in a dot: without it, department `12` could also use, and move, the groups of department `120`.
    """
    group = f"shenguan.{part(department)}"
    return [
        Grant(principal, "READ", "TOPIC", names.notices(department)),
        Grant(principal, "READ", "GROUP", group),
        Grant(principal, "READ", "GROUP", f"{group}.", prefixed=True),
    ]


def apply(client_options: clients.Options, wanted: Iterable[TopicSpec]) -> list[str]:
    """Create the topics that are missing, and return their names. Existing topics are left as they are.

    Raises:
        TopicError: Kafka refused one of them; the others were still created.
        clients.BrokerError: no broker answers.
    """
    specs = {spec.name: spec for spec in wanted}
    admin = clients.admin(client_options)
    try:
        present = _described(admin, sorted(specs))
        for name, topic in present.items():
            if len(topic["partitions"]) != specs[name].partitions:
                _log.warning(
                    "topic_partitions_differ", topic=name, found=len(topic["partitions"]), wanted=specs[name].partitions
                )
        missing = {name: spec for name, spec in specs.items() if name not in present}
        if not missing:
            return []
        answer = admin.create_topics(
            {
                name: {
                    "num_partitions": spec.partitions,
                    "replication_factor": spec.replication,
                    "configs": {**spec.config, "retention.ms": str(spec.retention_ms)},
                }
                for name, spec in missing.items()
            },
            raise_errors=False,
        )
        codes = {topic["name"]: (topic["error_code"], topic["error_message"]) for topic in answer["topics"]}
        # Another process may be starting at the same time: what it created is not ours, and no error.
        created = [name for name, (code, _) in codes.items() if code == _NO_ERROR]
        refused = {
            name: f"{for_code(code).__name__} {message or ''}".strip()
            for name, (code, message) in codes.items()
            if code not in (_NO_ERROR, TopicAlreadyExistsError.errno)
        }
        # A topic is usable only when every broker knows it and each partition has a leader.
        admin.wait_for_topics([name for name in missing if name not in refused], timeout_ms=CREATED_MS)
        if refused:
            raise TopicError(f"Kafka 拒绝创建主题:{refused}")
        return sorted(created)
    finally:
        admin.close()


def apply_acls(client_options: clients.Options, grants: Iterable[Grant]) -> int:
    """Create the access rules (Kafka takes one that exists as done) and return how many were asked for.

    Raises:
        TopicError: Kafka refused one, or has no authorizer (the embedded broker has none).
        clients.BrokerError: no broker answers, or we may not administer it.
    """
    rules = [
        ACL(
            principal=f"User:{grant.principal}",
            host="*",
            operation=ACLOperation[grant.operation],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(
                ResourceType[grant.resource],
                grant.name,
                ACLResourcePatternType.PREFIXED if grant.prefixed else ACLResourcePatternType.LITERAL,
            ),
        )
        for grant in grants
    ]
    if not rules:
        return 0
    admin = clients.admin(client_options)
    try:
        failed = admin.create_acls(rules)["failed"]
    finally:
        admin.close()
    if failed:
        raise TopicError(f"Kafka 拒绝写入访问规则:{sorted({error.__name__ for error in failed})}")
    return len(rules)


def topic_ids(client: Any, names: Iterable[str]) -> dict[str, str]:
    """The ids, as text, of those of the topics that exist. A topic deleted and made anew has another id.

    Args:
        client: a `KafkaAdminClient`.

    Raises:
        clients.BrokerError: no broker answers.
    """
    return {name: identity(topic) for name, topic in _described(client, sorted(names)).items()}


def identity(topic: Mapping[str, Any]) -> str:
    """The id of a topic as described by the broker."""
    return str(topic.get("topic_id") or _NO_ID)


def _described(admin: Any, names: list[str]) -> dict[str, Mapping[str, Any]]:
    found = admin.describe_topics(names) if names else []
    return {topic["name"]: topic for topic in found if topic["error_code"] in (_NO_ERROR, _LEADER_PENDING)}


def listed(admin: Any) -> dict[str, Mapping[str, Any]]:
    """Every topic we may see, as described by the broker."""
    return {topic["name"]: topic for topic in admin.describe_topics() if topic["error_code"] in (0, _LEADER_PENDING)}
