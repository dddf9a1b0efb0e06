"""Evidence of delivery, and what is due again because its topic is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from psycopg import Connection

from adapters.kafka import clients
from adapters.kafka.evidence import committed, committed_by
from adapters.postgres.evidence import mark_delivered, send_again, sent_before, unproven
from adapters.postgres.registers import RegisterCache
from adapters.postgres.writer import Writer
from domain import system
from domain.channels import Channel
from domain.event import Event
from domain.notices import notice_stream
from domain.world import World
from infra.roles.notice_topics import NoticeTopics
from infra.store import Store

_log = structlog.get_logger("shenguan.outlet")
CHANNEL: Channel = "kafka"
BATCH = 2000


@dataclass(frozen=True, slots=True)
class _Commit:
    """A group has read what lies before an offset."""

    group: str
    topic_id: str
    partition: int
    offset: int


class Collector:
    """Asks how far the addressees' consumer groups have read. For one thread.

    A group that has committed nothing proves nothing: such a notice is neither delivered nor undelivered, but unknown.
    """

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self._topics = NoticeTopics(store)
        self._registers = RegisterCache()
        self._admin: Any = None

    def close(self) -> None:
        self._topics.close()
        self._drop_admin()

    def turn(self, conn: Connection[Any]) -> int:
        """Records what is proven, and has what was lost sent again; how many were delivered.

        Raises psycopg.OperationalError, clients.BrokerError.
        """
        open_ = unproven(conn, CHANNEL)
        if not open_:
            return 0
        departments = {department for _, department in open_}
        registers = self._registers.refresh(conn)
        before = self._topics.look_up(departments)
        # After the embedded broker's restart there are none: without new ones nothing would be found lost.
        before |= self._topics.ids(departments - before.keys(), registers)
        asked = {
            department: registers.departments[department].group
            for topic_id, department in open_
            if before.get(department) == topic_id and department in registers.departments
        }
        offsets = self._ask(asked)
        # A topic made anew between the two questions would make old commits prove new records.
        after = self._topics.look_up(departments)
        for topic_id, department in open_:
            self._send_again(conn, topic_id, department, after.get(department))
        return self._record(
            conn,
            [
                _Commit(asked[department], before[department], partition, offset)
                for department, found in offsets.items()
                if after.get(department) == before[department]
                for partition, offset in found.items()
            ],
        )

    def _ask(self, groups: dict[str, str]) -> dict[str, dict[int, int]]:
        """How far the departments' groups have read in their topics, where they have committed anything."""
        wanted = {department: (group, self._store.names.notices(department)) for department, group in groups.items()}
        try:
            found = committed_by(self._client(), wanted.values())
            return {department: found[one] for department, one in wanted.items() if one in found}
        except clients.BrokerError:
            # Of one group that cannot be asked about (no leave, no coordinator) nobody learns which it is.
            self._drop_admin()
        alone = {department: self._ask_one(department, *one) for department, one in wanted.items()}
        return {department: offsets for department, offsets in alone.items() if offsets is not None}

    def _ask_one(self, department: str, group: str, topic: str) -> dict[int, int] | None:
        try:
            return committed(self._client(), group, topic)
        except clients.BrokerError as error:
            # It leaves the others their evidence.
            _log.warning("delivery_unknown", department=department, error=type(error).__name__)
            self._drop_admin()
            return None

    def _client(self) -> Any:
        if self._admin is None:
            self._admin = clients.admin(self._store.kafka_options)
        return self._admin

    def _send_again(self, conn: Connection[Any], sent_to: str, department: str, now: str | None) -> None:
        """The topic that was sent to is gone: deleted by somebody, or the embedded broker has restarted.

        While there is no topic at all nothing is decided: it may only be out of sight. The first dispatch stays on
        record as it was; the log says nothing of the second.
        """
        if now is None or now == sent_to:
            return
        again = send_again(conn, CHANNEL, sent_to)
        _log.warning("notices_sent_again", department=department, count=again, topic_id=now)

    def _record(self, conn: Connection[Any], commits: Sequence[_Commit]) -> int:
        """What lies before the commits, whoever it is addressed to, a batch in one transaction."""
        done = 0
        while True:
            proven: list[tuple[str, _Commit]] = []
            for one in commits:
                room = BATCH - len(proven)
                found = sent_before(conn, CHANNEL, one.topic_id, one.partition, one.offset, room) if room else []
                proven += [(notice, one) for notice in found]
            if proven:
                self._deliver(proven)
            done += len(proven)
            if len(proven) < BATCH:
                return done

    def _deliver(self, proven: Sequence[tuple[str, _Commit]]) -> None:
        notices = [notice for notice, _ in proven]

        def fact(world: World, now: datetime) -> list[Event]:
            world.prefetch(notice_stream(notice) for notice in notices)
            found: list[Event] = []
            for notice, commit in proven:
                found += system.delivered(world, notice, CHANNEL, commit.group, commit.offset, now)
            return found

        self._writer.run(lambda conn: mark_delivered(conn, CHANNEL, notices), [fact])

    def _drop_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()
