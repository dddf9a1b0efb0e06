"""The outlet: what is owed becomes deliveries, deliveries become records in the addressees' topics, or what their
other channels carry, with evidence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from psycopg import Connection

from adapters.postgres.deliveries import WOKEN, Owing, owe
from adapters.postgres.log import Log
from adapters.postgres.mapper import EventMapper
from adapters.postgres.publication import StoredRow, stored_rows_after
from adapters.postgres.registers import RegisterCache
from adapters.postgres.runner import Runner
from adapters.postgres.troubles import begin_anew
from domain.channels import turns
from domain.departments import DepartmentRegistered
from domain.notices import NoticeOwed
from domain.registers import REGISTER_TOPICS, Registers
from infra.roles.beside import POLL_S, beside, lead
from infra.roles.collector import Collector
from infra.roles.dispatcher import CHANNEL, Dispatcher
from infra.roles.notice_topics import NoticeTopics
from infra.roles.role import persist
from infra.store import Store

GATHER_S = 0.1
"""While many are owed they are queued this often, so that a department's go as one batch: whatever is done once for a
batch (in Kafka's broker and at the reader too) costs more than a notice. One owed after a pause goes at once."""

_FOLLOWED = frozenset((NoticeOwed.TOPIC, *REGISTER_TOPICS))


class Filler:
    """Follows the log and queues each notice for the channels whose turn it was in its addressee's order when it was
    owed."""

    name = "outlet"

    def __init__(self) -> None:
        self._mapper = EventMapper()
        self._registers = Registers()
        self._at = 0  # the position that the registers are good for

    def read(self, conn: Connection[Any], position: int, limit: int) -> Sequence[StoredRow]:
        """Most events owe nothing: they are not even decoded."""
        return stored_rows_after(conn, position, limit)

    def apply(self, conn: Connection[Any], rows: Sequence[StoredRow]) -> None:
        before = rows[0].position - 1
        if self._at > before:  # what was folded last was rolled back
            self._registers, self._at = Registers(), 0
        if self._at < before:  # at the first batch, or after somebody else has led
            Log(conn).refresh(self._registers, self._at, before)
        self._at = rows[-1].position
        owings = []
        anew: list[str] = []
        for row in rows:
            if row.topic not in _FOLLOWED:
                continue
            event = self._mapper.read(row.stream, row.version, row.topic, row.state)
            self._registers.evolve(event)
            if isinstance(event, NoticeOwed):
                for channel in turns(self._registers.departments[event.addressee].channels):
                    owings.append(Owing(event.notice, channel, event.addressee, event.serial, row.position))
            elif isinstance(event, DepartmentRegistered):
                anew.append(event.entry.code)
        owe(conn, owings)
        if anew:
            begin_anew(conn, anew)


class OutletRole:
    """One sends at a time, by a lock that lasts as long as its connection; others stand by.

    Topics of departments that have none are made on the way.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped = threading.Event()
        self._leads = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set. Raises what cannot be got over by waiting."""
        runner = Runner(self._store.connect, [Filler()], rest=GATHER_S)
        failures: list[BaseException] = []
        threads = [
            threading.Thread(target=self._guard, args=(work, failures), name=name, daemon=True)
            for name, work in (
                ("outlet-follower", runner.run),
                ("outlet-evidence", lambda: persist(self.stopped, self._prove)),
            )
        ]
        threads += [
            threading.Thread(target=one.run, name=f"outlet-{one.channel}", daemon=True)
            for one in beside(self._store, self.stopped)
        ]
        for thread in threads:
            thread.start()
        try:
            self._guard(lambda: persist(self.stopped, self._dispatch), failures)
        finally:
            self.stopped.set()
            runner.stop()
            for thread in threads:
                thread.join()
        if failures:
            raise failures[0]

    def _guard(self, work: Callable[[], None], failures: list[BaseException]) -> None:
        """A part that fails for good ends the whole: half an outlet would look alive. But see `beside`."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`, in the role's own thread
            failures.append(error)
            self.stopped.set()

    def _dispatch(self) -> None:
        with closing(self._store.writer()) as writer, closing(NoticeTopics(self._store)) as topics:
            with self._store.connect() as conn:
                if not lead(conn, CHANNEL, self.stopped):
                    return
                self._leads.set()
                conn.execute("SET synchronous_commit TO off")  # leases: what counts is recorded by the writer
                conn.execute(f"LISTEN {WOKEN}")
                try:
                    with closing(Dispatcher(self._store, writer, topics, RegisterCache())) as dispatcher:
                        dispatcher.reset(conn)
                        while not self.stopped.is_set():
                            if not dispatcher.turn(conn):
                                for _ in conn.notifies(timeout=POLL_S, stop_after=1):
                                    pass
                finally:
                    self._leads.clear()

    def _prove(self) -> None:
        with closing(self._store.writer()) as writer, closing(Collector(self._store, writer)) as collector:
            with self._store.connect() as conn:
                while not self.stopped.wait(self._store.settings.evidence_seconds):
                    if self._leads.is_set():
                        collector.turn(conn)
