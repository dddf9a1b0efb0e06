"""A store with a broker behind it: what the roles need, and short questions to both."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from adapters.kafka.cloudevents import decode
from adapters.kafka.subscriber import subscribe
from adapters.postgres.follower import catch_up
from infra.roles.outlet import Filler
from infra.roles.role import Role
from infra.servers.postgres import DatabaseUrls
from infra.settings import Settings
from infra.store import Servers, Store
from infra.topics import apply_topics
from tests.integration.region import granted
from tests.integration.teststore import TestStore


class TrackedStore(Store):
    """Closes what roles leave open: the key tables' connections live as long as the process."""

    def __init__(self, settings: Settings, servers: Servers) -> None:
        super().__init__(settings, servers)
        self._made: list[Connection[Any]] = []

    def connect(self) -> Connection[Any]:
        self._made.append(psycopg.connect(self.database_url, autocommit=True))
        return self._made[-1]

    def close(self) -> None:
        for conn in self._made:
            conn.close()


def store_for(test: TestStore, master: bytes, bootstrap: str, path: Path, **more: Any) -> TrackedStore:
    """The test's database with a broker; topics are made."""
    store = store_on(test.urls, master, bootstrap, path, **more)
    apply_topics(store)
    return store


def store_on(urls: DatabaseUrls, master: bytes, bootstrap: str, path: Path, **more: Any) -> TrackedStore:
    """A database with a broker, under a name of its own."""
    key = path / "master.key"
    key.write_text(master.hex())
    settings = Settings(
        store=f"t{uuid.uuid4().hex[:8]}",
        data_dir=path,
        database_url=urls.runtime,
        migrator_url=urls.migrator,
        reader_url=urls.reader,
        kafka_bootstrap_servers=bootstrap,
        kafka_group=False,
        reads_apart=False,
        master_key_file=key,
        evidence_seconds=0.2,
        clock_seconds=0.2,
        **more,
    )
    return TrackedStore(settings, Servers(urls.runtime, urls.migrator, urls.reader, bootstrap))


@contextmanager
def running(*roles: Role) -> Iterator[None]:
    """Roles in threads; what one raises comes out at the end."""
    errors: list[BaseException] = []

    def run(role: Role) -> None:
        try:
            role.run()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(role,)) for role in roles]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for role in roles:
            role.stopped.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
    if errors:
        raise errors[0]


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What the condition comes to, once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


def count(test: TestStore, query: str, *params: Any) -> int:
    with test.connect() as conn:
        row = conn.execute(query, params or None).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])


def unsent(test: TestStore) -> int:
    owed = count(test, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'notice.owed'")
    return owed - count(test, "SELECT count(*) FROM shenguan.delivery WHERE sent_at IS NOT NULL")


def events(test: TestStore, topic: str) -> int:
    return count(test, "SELECT count(*) FROM shenguan.stored_events WHERE topic = %s", topic)


def messages(store: Store, topic: str, group: str | None = None) -> list[tuple[dict[str, Any], bytes]]:
    """(attributes, data) of everything in a topic; commits as the group, if one is named."""
    found = []
    with subscribe(
        store.kafka_options, topic, group or uuid.uuid4().hex, from_beginning=True, static=True, idle_s=1.0
    ) as subscription:
        for record in subscription:
            envelope = decode(record.value, record.headers)
            found.append((envelope.attributes, envelope.data))
            if group:
                subscription.commit()
    return found


def serials(store: Store, department: str) -> list[int]:
    return [int(attributes["serial"]) for attributes, _ in messages(store, store.names.notices(department))]


def owe(test: TestStore, numbers: Sequence[str]) -> None:
    """Granted cases, each owing S1 and S2 a notice, queued for delivery."""
    for number in numbers:
        granted(test, number)
    fill(test)


def fill(test: TestStore) -> None:
    with test.connect() as conn:
        catch_up(conn, [Filler()])
