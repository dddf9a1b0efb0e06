"""The notice topics that departments have right now; missing ones are made."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import structlog

from adapters.kafka import clients
from adapters.kafka.topics import TopicError, topic_ids
from domain.registers import Registers
from infra.store import Store
from infra.topics import apply_notices

_log = structlog.get_logger("shenguan.outlet")
KNOWN_FOR_S = 2.0
"""An older id may be stale: what is sent then goes on record with the old id, is found lost, and is sent again."""
MAKE_AGAIN_S = 5.0


class NoticeTopics:
    """Topic ids by department. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._admin: Any = None
        self._known: dict[str, tuple[str, float]] = {}
        self._tried: dict[str, float] = {}

    def name(self, department: str) -> str:
        """The topic's name."""
        return self._store.names.notices(department)

    def ids(self, departments: Collection[str], registers: Registers) -> dict[str, str]:
        """Of those that have a topic. Sending to one that has none would hold up everybody, or make it wrongly.

        Raises clients.BrokerError where no broker answers.
        """
        now = time.monotonic()
        fresh = {d: i for d in departments if (i := self._fresh(d, now))}
        asked = [d for d in departments if d not in fresh]
        found = self.look_up(asked)
        missing = [d for d in asked if d not in found and self._tried.get(d, 0.0) < now]
        if missing:
            self._make(missing, registers)
            found |= self.look_up(missing)
        self._known |= {department: (id_, now) for department, id_ in found.items()}
        return fresh | found

    def look_up(self, departments: Collection[str]) -> dict[str, str]:
        """What the broker says now. Raises clients.BrokerError."""
        if not departments:
            return {}
        names = {self._store.names.notices(d): d for d in departments}
        try:
            if self._admin is None:
                self._admin = clients.admin(self._store.kafka_options)
            return {names[name]: id_ for name, id_ in topic_ids(self._admin, names).items()}
        except clients.BrokerError:
            self.close()
            raise

    def forget(self, department: str) -> None:
        """Ask again next time."""
        self._known.pop(department, None)

    def close(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()

    def _fresh(self, department: str, now: float) -> str | None:
        id_, since = self._known.get(department, ("", 0.0))
        return id_ if id_ and now - since < KNOWN_FOR_S else None

    def _make(self, departments: list[str], registers: Registers) -> None:
        self._tried |= dict.fromkeys(departments, time.monotonic() + MAKE_AGAIN_S)
        try:
            created = apply_notices(self._store, registers, departments)
        except TopicError as error:
            _log.error("notice_topics_refused", error=str(error))
        else:
            _log.info("notice_topics_made", topics=created)
