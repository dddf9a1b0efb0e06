"""The topics to read that there are, looked up every so often."""

import time
from collections.abc import Callable
from typing import Any

import structlog

from adapters.kafka import clients, topics
from adapters.kafka.records import Place

_log = structlog.get_logger(__name__)


class TopicRoster:
    """The topics that are `wanted`, their ids and partitions, as the broker last told them. For one thread.

    Raises:
        clients.BrokerError: no broker answers.
    """

    def __init__(self, options: clients.Options, wanted: Callable[[str], bool], refresh_s: float) -> None:
        self._wanted = wanted
        self._refresh_s = refresh_s
        self._due_at = 0.0
        self._admin: Any = clients.admin(options)
        self.ids: dict[str, str] = {}
        self.places: set[Place] = set()

    def refresh(self, now: bool = False) -> set[str]:
        """Ask the broker if it is time to, or `now`; the topics that were deleted and made anew.

        If the broker does not answer, what was known stands.
        """
        if not now and time.monotonic() < self._due_at:
            return set()
        try:
            listed = topics.listed(self._admin)
        except clients.BrokerError as error:
            _log.warning("intake_topics_unknown", error=type(error).__name__)
            return set()
        finally:
            self._due_at = time.monotonic() + self._refresh_s
        mine = {name: topic for name, topic in listed.items() if self._wanted(name)}
        before = self.ids
        self.ids = {name: topics.identity(topic) for name, topic in mine.items()}
        self.places = {(name, each["partition_index"]) for name, topic in mine.items() for each in topic["partitions"]}
        anew = {name for name, was in before.items() if self.ids.get(name, was) != was}
        if anew:
            _log.warning("intake_topics_made_anew", topics=sorted(anew))
        return anew

    def changed(self, names: set[str]) -> set[str] | None:
        """Those of the topics that are not the ones we know, or gone; None if the broker does not say."""
        try:
            ids = topics.topic_ids(self._admin, names)
        except clients.BrokerError as error:
            _log.warning("intake_topics_unknown", error=type(error).__name__)
            return None
        return {name for name in names if ids.get(name) != self.ids.get(name)}

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()
