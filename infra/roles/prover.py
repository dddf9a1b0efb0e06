"""Evidence of delivery, and what is due again because its topic is gone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from psycopg import Connection

from adapters.kafka import clients
from adapters.kafka.evidence import committed
from adapters.postgres.proofs import mark_delivered, send_again, sent_before, unproven
from adapters.postgres.registers import RegisterCache
from adapters.postgres.writer import Writer
from domain import system
from domain.event import Event
from domain.notices import Channel, notice_stream
from domain.world import World
from infra.roles.notice_topics import NoticeTopics
from infra.store import Store

_log = structlog.get_logger("shenguan.outlet")
CHANNEL: Channel = "kafka"
BATCH = 2000


class Prover:
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
        commits = {}
        for topic_id, department in open_:
            if before.get(department) == topic_id and department in registers.departments:
                offsets = self._ask(registers.departments[department].group, department)
                if offsets is not None:
                    commits[department] = (topic_id, offsets)
        # A topic made anew between the two questions would make old commits prove new records.
        after = self._topics.look_up(departments)
        for topic_id, department in open_:
            self._send_again(conn, topic_id, department, after.get(department))
        return sum(
            self._record(conn, department, topic_id, partition, offset)
            for department, (topic_id, offsets) in commits.items()
            if after.get(department) == topic_id
            for partition, offset in offsets.items()
        )

    def _ask(self, group: str, department: str) -> dict[int, int] | None:
        try:
            if self._admin is None:
                self._admin = clients.admin(self._store.kafka_options)
            return committed(self._admin, group, self._store.names.notices(department))
        except clients.BrokerError as error:
            # One group that cannot be asked about (no leave, no coordinator) leaves the others their evidence.
            _log.warning("delivery_unknown", department=department, error=type(error).__name__)
            self._drop_admin()
            return None

    def _send_again(self, conn: Connection[Any], sent_to: str, department: str, now: str | None) -> None:
        """The topic that was sent to is gone: deleted by somebody, or the embedded broker has restarted.

        While there is no topic at all nothing is decided: it may only be out of sight. The first dispatch stays on
        record as it was; the log says nothing of the second.
        """
        if now is None or now == sent_to:
            return
        again = send_again(conn, CHANNEL, sent_to)
        _log.warning("notices_sent_again", department=department, count=again, topic_id=now)

    def _record(self, conn: Connection[Any], department: str, topic_id: str, partition: int, offset: int) -> int:
        group = self._registers.registers.departments[department].group
        done = 0
        while notices := sent_before(conn, CHANNEL, topic_id, partition, offset, BATCH):

            def fact(world: World, now: datetime, notices: list[str] = notices) -> list[Event]:
                world.prefetch(notice_stream(n) for n in notices)
                return [e for n in notices for e in system.delivered(world, n, CHANNEL, group, offset, now)]

            self._writer.run(lambda conn, notices=notices: mark_delivered(conn, CHANNEL, notices), [fact])  # type: ignore[misc]
            done += len(notices)
        return done

    def _drop_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()
