"""The composition root: one store's connections, keys and names, from the settings and the servers in use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from adapters.crypto.sealer import Sealer, read_master_key
from adapters.crypto.webhooks import SecretBox
from adapters.kafka.names import TopicNames
from adapters.postgres.keys import KeyTable
from adapters.postgres.writer import Fact, Writer
from domain.event import Auth
from domain.personal import M, Sealed, seal
from domain.signatures import Signature
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import EmbeddedPostgres
from infra.settings import Language, Settings

CONNECT_SECONDS = 10
BY_KEY = "; ".join(f"SET {one} TO off" for one in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"))
"""Roles ask by key. In a young store PostgreSQL would rather read the whole of a small table, or of its index, and keep
that plan while the table grows. Compiling a query never pays here, and servers before 18 would do it for what they
would not scan."""


class Servers(NamedTuple):
    """How to reach what a store runs on. The URLs contain passwords."""

    database_url: str
    migrator_url: str
    reader_url: str
    bootstrap: str


class Store:
    """What every role needs. Connections are made when asked for; whoever asks closes them."""

    def __init__(self, settings: Settings, servers: Servers, clock: Callable[[], datetime] | None = None) -> None:
        """`clock`: the database's, where none is given."""
        self.settings = settings
        self.clock = clock
        self.servers = servers
        self.database_url = servers.database_url
        self.migrator_url = servers.migrator_url
        self.reader_url = servers.reader_url
        self.kafka_options: dict[str, Any] = {**settings.kafka, "bootstrap_servers": servers.bootstrap}
        self.names = TopicNames(settings.store)
        self.auth: Auth = settings.kafka_auth
        self._master = read_master_key(settings.ensure_master_key())

    @property
    def language(self) -> Language:
        return self.settings.language

    def connect(self) -> Connection[Any]:
        """As the runtime role, in autocommit."""
        conn: Connection[Any] = psycopg.connect(
            self.database_url, autocommit=True, application_name="shenguan", connect_timeout=CONNECT_SECONDS
        )
        conn.execute(BY_KEY)
        return conn

    def connect_reader(self, department: str = "*") -> Connection[Any]:
        """As the readers' role, seeing a department's rows; `*` is everybody's."""
        conn: Connection[Any] = psycopg.connect(
            self.reader_url, autocommit=True, application_name="shenguan-reader", connect_timeout=CONNECT_SECONDS
        )
        conn.execute("SELECT set_config('shenguan.department', %s, false)", (department,))
        return conn

    def sealer(self) -> Sealer:
        """With a key cache of its own, and a connection that it renews when lost. Not for several threads."""
        return Sealer(self._master, KeyTable(self._connect_vault))

    def _connect_vault(self) -> Connection[Any]:
        """A key is on disk before any event sealed with it: the events' commit flushes all that was written before."""
        conn = self.connect()
        conn.execute("SET synchronous_commit TO off")
        return conn

    def secret_box(self) -> SecretBox:
        """Wraps the secrets of pushes."""
        return SecretBox(self._master)

    def writer(self) -> Writer:
        """The one way to append. Not for several threads."""
        sealer = self.sealer()
        kept = timedelta(days=self.settings.parked_days)
        return Writer(self.connect, sealer.seal_all, kept, self.clock, sealer.forget)

    def open(self, sealed: Sealed) -> str | None:
        """One personal value in clear; None where its key was destroyed."""
        return self._opener.open(sealed)

    def opening(self, sealed: Sealed) -> tuple[bytes, str] | None:
        """Its salt, and the value in clear; None where its key was destroyed."""
        return self._opener.opening(sealed)

    def signed_bytes(self, signature: Signature) -> bytes | None:
        """The JWS, a line feed and the data; None where a key of those whom they are about was destroyed."""
        return self._opener.open_jointly(signature.subjects, signature.ciphertext)

    def fetch_keys(self, subjects: Iterable[str]) -> None:
        """In one go those of what is about to be opened. Raises MasterKeyError."""
        self._opener.prepare(subjects, create=False)

    def misfits(self, wrapped: Mapping[str, bytes]) -> list[str]:
        """The subjects whose key in the vault does not unwrap under the master key."""
        return self._opener.misfits(wrapped)

    def sealed(self, model: M, subject: str) -> M:
        """The model with every personal value sealed; `subject` is for parts that have none of their own."""
        return seal(model, self._opener, subject)

    def facts(self, *facts: Fact) -> None:
        """Records facts of the system's own, by a writer that ends with it."""
        with closing(self.writer()) as writer:
            writer.write(facts=facts)

    @cached_property
    def _opener(self) -> Sealer:
        return self.sealer()


@contextmanager
def open_store(settings: Settings, *, kafka: bool = True) -> Iterator[Store]:
    """The store on the configured servers. What is not configured is embedded: that of a process that runs already, or
    one that ends with the block. Without `kafka` no broker is started."""
    running = _running(settings)
    if running is not None:
        yield Store(settings, running)
        return
    postgres = EmbeddedPostgres(settings.data_dir, {"max_connections": "100"}) if settings.embedded_database else None
    broker = EmbeddedBroker(settings.data_dir) if settings.embedded_kafka and kafka else None
    try:
        if postgres is not None:
            postgres.start()
        if broker is not None:
            broker.start()
        servers = Servers(
            postgres.runtime_url if postgres else settings.database_url or "",
            postgres.migrator_url if postgres else settings.migrator_url or "",
            postgres.reader_url if postgres else settings.reader_url or "",
            broker.bootstrap_servers if broker else settings.kafka_bootstrap_servers or "",
        )
        if postgres is not None and kafka:
            _announce(settings, servers)
        yield Store(settings, servers)
    finally:
        if postgres is not None and kafka:
            _file(settings).unlink(missing_ok=True)
        if broker is not None:
            broker.stop()
        if postgres is not None:
            postgres.stop()


@contextmanager
def open_kafka(settings: Settings) -> Iterator[tuple[dict[str, Any], TopicNames]]:
    """How to reach Kafka, and the topics' names, for who needs nothing else: what is configured, or the embedded
    broker of the process that runs on this data directory."""
    if settings.kafka_bootstrap_servers is not None:
        yield {**settings.kafka, "bootstrap_servers": settings.kafka_bootstrap_servers}, TopicNames(settings.store)
        return
    with open_store(settings) as store:
        yield store.kafka_options, store.names


def _file(settings: Settings) -> Path:
    return settings.data_dir / "servers.json"


def _announce(settings: Settings, servers: Servers) -> None:
    """Lets other commands on this data directory use our servers."""
    file = _file(settings)
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump({"pid": os.getpid(), **servers._asdict()}, stream)


def _running(settings: Settings) -> Servers | None:
    """The embedded servers of a living process on this data directory."""
    if not settings.embedded_database:
        return None
    try:
        found = json.loads(_file(settings).read_text())
        pid = found.pop("pid")
        os.kill(pid, 0)
        servers = Servers(**found)
        with psycopg.connect(servers.database_url, connect_timeout=2):
            return (
                servers
                if settings.embedded_kafka
                else servers._replace(bootstrap=settings.kafka_bootstrap_servers or "")
            )
    except (OSError, ValueError, TypeError, psycopg.OperationalError):
        return None
