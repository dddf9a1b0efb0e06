"""Publishes the log, sealed as it is stored, and what could not be taken, for whoever may read those topics."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import structlog
from psycopg import Connection

from adapters.kafka import clients
from adapters.kafka.cloudevents import Value, encode
from adapters.kafka.outbox import Failed, Outbox
from adapters.kafka.topics import TopicError
from adapters.postgres.follower import Postponed
from adapters.postgres.publication import (
    DeadLetter,
    StoredRow,
    dead_letters_after,
    lead_dead_letters,
    publish_to,
    published,
    published_to,
    stored_rows_after,
    stored_rows_before,
)
from adapters.postgres.runner import Runner
from domain.submissions import full_type
from infra.roles.composer import attribute, source
from infra.roles.role import persist
from infra.store import Store
from infra.topics import apply_outward

_log = structlog.get_logger("shenguan.publisher")
POLL_S = 0.5
REST_S = 0.2
LETTERS = 500
ACKS_S = 60.0
"""Longer than the producer tries a record."""
ONLY = 0
"""Both topics have one partition."""
Record = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""(key, value, headers)."""


class Publication:
    """A topic, with a producer of one's own, made when first needed. For one thread."""

    def __init__(self, store: Store, topic: str) -> None:
        self.topic = topic
        self._store = store
        self._outbox: Outbox | None = None
        self._topic_id = ""

    def open(self) -> str:
        """The topic's id as it was when the producer was made. Raises Postponed."""
        if self._outbox is None:
            try:
                # A producer asking for a topic that is missing may make it, wrongly.
                self._topic_id = apply_outward(self._store, self.topic)
                if not self._topic_id:
                    raise Postponed(f"{self.topic}: not there yet")
                self._outbox = Outbox(self._store.kafka_options)
            except (clients.BrokerError, TopicError) as error:
                raise Postponed(f"{self.topic}: {type(error).__name__}") from None
        return self._topic_id

    def send(self, records: Iterable[Record]) -> None:
        """Returns when every record has been acknowledged. Raises Postponed: send them all again."""
        self.open()
        assert self._outbox is not None
        try:
            for key, value, headers in records:
                self._outbox.send(self.topic, key, value, headers, ONLY)
            failed = next((r for r in self._outbox.flush(ACKS_S) if isinstance(r, Failed)), None)
            unsure = self._outbox.pending
        except (clients.BrokerError, TopicError) as error:
            self.close()
            raise Postponed(f"{self.topic}: {type(error).__name__}") from None
        if failed is not None or unsure:
            # A new producer: what the old one still holds would otherwise come after what is sent again.
            self.close()
            raise Postponed(f"{self.topic}: {failed.error if failed else 'NotAcknowledged'}")

    def close(self) -> None:
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            outbox.close(timeout=0)


class LogPublisher:
    """A follower of the log: every event, keyed by its stream. Its position moves after all acks.

    A topic that was made anew holds nothing of what was published before, and other stores read it from its start: it
    is filled with the whole log before it is added to.
    """

    name = "log-publisher"

    def __init__(self, store: Store, publication: Publication) -> None:
        self._source = source(store.settings.store)
        self._publication = publication
        self._filled = ""

    def read(self, conn: Connection[Any], position: int, limit: int) -> Sequence[StoredRow]:
        """The stored bytes, not decoded events: they are what proofs hash, and may be of any version."""
        return stored_rows_after(conn, position, limit)

    def apply(self, conn: Connection[Any], rows: Sequence[StoredRow]) -> None:
        topic, topic_id = self._publication.topic, self._publication.open()
        if self._filled != topic_id:
            if published_to(conn, topic) != topic_id:
                for before in stored_rows_before(conn, rows[0].position):
                    self._publication.send(self._record(row) for row in before)
                publish_to(conn, topic, topic_id)
            self._filled = topic_id
        self._publication.send(self._record(row) for row in rows)

    def _record(self, row: StoredRow) -> Record:
        attributes: dict[str, Value] = {
            "specversion": "1.0",
            "id": attribute(f"{row.stream}/{row.version}"),
            "source": self._source,
            "type": row.topic,
            "subject": attribute(row.stream),
            "time": row.recorded_at.isoformat(),
            "position": str(row.position),  # CloudEvents integers end at 32 bits
            "previous": str(row.previous),
        }
        headers, value = encode(attributes, row.state)
        return row.stream.encode(), value, headers


class LetterPublisher:
    """Dead letters and quarantined conflicts, after the commit that made them; never their bytes."""

    def __init__(self, store: Store, publication: Publication) -> None:
        self._source = source(store.settings.store)
        self._publication = publication

    def turn(self, conn: Connection[Any]) -> int:
        """Publishes the next ones; how many. Nothing while another process is at it. Raises Postponed."""
        with conn.transaction():
            last = lead_dead_letters(conn)
            letters = [] if last is None else dead_letters_after(conn, last, LETTERS)
            if letters:
                self._publication.send(self._record(letter) for letter in letters)
                published(conn, letters[-1].number)
        return len(letters)

    def _record(self, letter: DeadLetter) -> Record:
        attributes: dict[str, Value] = {
            "specversion": "1.0",
            "id": letter.place,
            "source": self._source,
            "type": full_type("deadletter"),
            "time": letter.dead_at.isoformat(),
        }
        data = {
            "place": letter.place,
            "principal": letter.principal,
            "source": letter.source,
            "id": letter.id,
            "type": letter.type,
            "disposition": letter.disposition,
            "errors": letter.errors,
            "dead_at": letter.dead_at.isoformat(),
        }
        headers, value = encode(attributes, json.dumps(data, ensure_ascii=False).encode())
        return letter.principal.encode(), value, headers


class PublisherRole:
    """Both publications; of each one process at a time does the work."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set."""
        with closing(Publication(self._store, self._store.names.log)) as log:
            runner = Runner(self._store.connect, [LogPublisher(self._store, log)], rest=REST_S)
            follower = threading.Thread(target=runner.run, name="log-publisher", daemon=True)
            follower.start()
            try:
                persist(self.stopped, self._letters)
            finally:
                runner.stop()
                follower.join()

    def _letters(self) -> None:
        with self._store.connect() as conn, closing(Publication(self._store, self._store.names.deadletters)) as topic:
            publisher = LetterPublisher(self._store, topic)
            while not self.stopped.is_set():
                try:
                    done = publisher.turn(conn)
                except Postponed as reason:
                    _log.warning("dead_letters_postponed", reason=str(reason))
                    done = 0
                if not done:
                    self.stopped.wait(POLL_S)
