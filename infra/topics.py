"""The store's topics and who may use them, from the registers."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from adapters.kafka import clients
from adapters.kafka.topics import Grant, TopicSpec, apply, apply_acls, may_receive, may_submit, may_watch, topic_ids
from adapters.postgres.registers import RegisterCache
from domain.registers import Registers
from infra.store import Store

DAY_MS = 24 * 3600 * 1000


def apply_topics(store: Store) -> list[str]:
    """Creates what is missing, and with `kafka_auth="acl"` the access rules; returns the names of new topics.

    May be repeated. The topics of departments registered later the outlet creates by itself (`apply_notices`); those
    of new principals come by running this again, since only then does an operator give the principal its credentials.
    Rules of principals that lost a department are not taken away: Kafka has them until an operator removes them.

    Raises TopicError or clients.BrokerError.
    """
    with store.connect() as conn:
        registers = RegisterCache().refresh(conn)
    specs = _outward(store)
    specs += [_spec(store, store.names.intake(p), store.settings.partitions) for p in registers.principals]
    specs += [_spec(store, store.names.notices(d)) for d in registers.departments]
    created = apply(store.kafka_options, specs)
    if store.auth == "acl":
        grants = [
            grant
            for principal in registers.principals
            for grant in (*may_submit(store.names, principal), *may_watch(store.names, principal))
        ]
        apply_acls(store.kafka_options, grants + _readers(store, registers, registers.departments))
    return created


def apply_outward(store: Store, topic: str) -> str:
    """Sees to it that the topic of the log, the dead letters or the checkpoints is there; its id. Raises as
    `apply_topics`."""
    apply(store.kafka_options, [spec for spec in _outward(store) if spec.name == topic])
    with closing(clients.admin(store.kafka_options)) as admin:
        return topic_ids(admin, [topic]).get(topic, "")


def apply_notices(store: Store, registers: Registers, departments: Iterable[str]) -> list[str]:
    """The notice topics of some departments, and who may read them. Raises as `apply_topics`."""
    wanted = list(departments)
    created = apply(store.kafka_options, [_spec(store, store.names.notices(d)) for d in wanted])
    if store.auth == "acl":
        apply_acls(store.kafka_options, _readers(store, registers, wanted))
    return created


def _outward(store: Store) -> list[TopicSpec]:
    return [_spec(store, one) for one in (store.names.log, store.names.deadletters, store.names.checkpoints)]


def _spec(store: Store, name: str, partitions: int = 1) -> TopicSpec:
    return TopicSpec(name, partitions, store.settings.retention_days * DAY_MS, store.settings.replication)


def _readers(store: Store, registers: Registers, departments: Iterable[str]) -> list[Grant]:
    """Principals that act for a department read its notices, in its group; also in one that its entry names."""
    grants = []
    for code in departments:
        entry = registers.departments.get(code)
        for name, principal in registers.principals.items():
            if code in principal.acts_for:
                grants += may_receive(store.names, code, name)
                if entry is not None and entry.consumer_group:
                    grants.append(Grant(name, "READ", "GROUP", entry.consumer_group))
    return grants
