"""The composition root: one store's connections, keys and names, from the settings and the servers in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from adapters.crypto.sealer import Sealer, read_master_key
from adapters.kafka.topics import TopicNames
from adapters.postgres.keys import KeyTable
from adapters.postgres.writer import Writer
from domain.event import Auth
from domain.personal import Sealed
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import EmbeddedPostgres
from infra.settings import Settings


class Store:
    """What every role needs. Connections are made when asked for; whoever asks closes them."""

    def __init__(
        self, settings: Settings, database_url: str, migrator_url: str, reader_url: str, bootstrap: str
    ) -> None:
        self.settings = settings
        self.database_url = database_url
        self.migrator_url = migrator_url
        self.reader_url = reader_url
        self.kafka_options: dict[str, Any] = {**settings.kafka, "bootstrap_servers": bootstrap}
        self.names = TopicNames(settings.store)
        self.auth: Auth = settings.kafka_auth
        self._master = read_master_key(settings.ensure_master_key())

    def connect(self) -> Connection[Any]:
        """As the runtime role, in autocommit."""
        return psycopg.connect(self.database_url, autocommit=True, application_name="shenguan", connect_timeout=10)

    def connect_reader(self, department: str = "*") -> Connection[Any]:
        """As the readers' role, seeing a department's rows; `*` is everybody's."""
        conn = psycopg.connect(self.reader_url, autocommit=True, application_name="shenguan-reader")
        conn.execute("SELECT set_config('shenguan.department', %s, false)", (department,))
        return conn

    def sealer(self) -> Sealer:
        """With a key cache and a connection of its own, which it renews when lost."""
        return Sealer(self._master, KeyTable(self.connect))

    def writer(self) -> Writer:
        return Writer(self.connect, self.sealer().seal)

    def open(self, sealed: Sealed) -> str | None:
        """One personal value in clear; None where its key was destroyed."""
        return self._opener().open(sealed)

    def _opener(self) -> Sealer:
        if not hasattr(self, "_sealer"):
            self._sealer = self.sealer()
        return self._sealer


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The store on the configured servers; what is not configured is embedded, and ends with the block."""
    postgres = EmbeddedPostgres(settings.data_dir, {"max_connections": "100"}) if settings.embedded_database else None
    broker = EmbeddedBroker(settings.data_dir) if settings.embedded_kafka else None
    try:
        if postgres is not None:
            postgres.start()
        if broker is not None:
            broker.start()
        yield Store(
            settings,
            postgres.runtime_url if postgres else _given(settings.database_url),
            postgres.migrator_url if postgres else _given(settings.migrator_url),
            postgres.reader_url if postgres else _given(settings.reader_url),
            broker.bootstrap_servers if broker else _given(settings.kafka_bootstrap_servers),
        )
    finally:
        if broker is not None:
            broker.stop()
        if postgres is not None:
            postgres.stop()


def _given(value: str | None) -> str:
    assert value is not None
    return value
