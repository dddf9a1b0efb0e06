"""The ground of a run: servers, scratch databases and topics that nobody misses afterwards."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

from adapters.kafka import clients
from infra.bench import conditions
from infra.founding import prepare
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import EmbeddedPostgres
from infra.settings import Settings
from infra.store import Servers, Store


class ScratchStore(Store):
    """Knows its connections, so that its database can become a template or go; (`settings`, `servers`) make it anew in
    another process."""

    def __init__(self, settings: Settings, servers: Servers) -> None:
        super().__init__(settings, servers)
        self.servers = servers
        self._connections: list[psycopg.Connection[Any]] = []

    def connect(self) -> psycopg.Connection[Any]:
        conn = super().connect()
        self._connections = [one for one in self._connections if not one.closed] + [conn]
        return conn

    def disconnect(self) -> None:
        """Closes what anybody has left open."""
        for conn in self._connections:
            conn.close()


class Ground:
    """Makes databases on one PostgreSQL server; all stores share one broker.

    On a configured server the migrator must be allowed to create databases.
    """

    def __init__(self, settings: Settings, servers: Servers, broker: str) -> None:
        self.settings = settings
        self._servers = servers
        self._broker = broker
        self._prefix = f"shenguan_bench_{secrets.token_hex(3)}"
        self._names: list[str] = []
        self._stores: list[ScratchStore] = []

    @property
    def directory(self) -> Path:
        """For files; removed with everything else."""
        return self.settings.data_dir

    def store(self, label: str, template: ScratchStore | None = None) -> ScratchStore:
        """A store in a database of its own: migrated, with topics of its own; or with all that the template has, which
        is disconnected, and with its topics."""
        name = f"{self.settings.store}-{label}"
        settings = template.settings if template else self.settings.model_copy(update={"store": name})
        if template is not None:
            template.disconnect()
        url = self.database(label, template.migrator_url if template else None)
        made = ScratchStore(
            settings,
            self._servers._replace(
                database_url=_in(self._servers.database_url, url),
                migrator_url=url,
                reader_url=_in(self._servers.reader_url, url),
            ),
        )
        self._stores.append(made)
        if template is None:
            prepare(made)
        return made

    def database(self, label: str, template_url: str | None = None) -> str:
        """A database of the migrator's; its URL."""
        name = f"{self._prefix}_{label}"
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template_url:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(_name(template_url)))
        with psycopg.connect(self._servers.migrator_url, autocommit=True) as conn:
            conn.execute(command)
        self._names.append(name)
        return conninfo.make_conninfo(self._servers.migrator_url, dbname=name)

    def drop(self, url: str) -> None:
        """Drops one of our databases."""
        name = _name(url)
        for store in self._stores:
            if _name(store.migrator_url) == name:
                store.disconnect()
        with psycopg.connect(self._servers.migrator_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        self._names.remove(name)

    def conditions(self, **more: Any) -> dict[str, Any]:
        """Machine, servers, and whatever the benchmark adds."""
        found = {**conditions.machine(), **conditions.database(self._servers.migrator_url), "broker": self._broker}
        return found | more

    def clear(self) -> None:
        """Disconnects from everything, drops the databases and deletes the topics."""
        for store in self._stores:
            store.disconnect()
        for name in list(self._names):
            self.drop(conninfo.make_conninfo(self._servers.migrator_url, dbname=name))
        admin = clients.admin({**self.settings.kafka, "bootstrap_servers": self._servers.bootstrap})
        try:
            topics = [name for name in admin.list_topics() if f".{self.settings.store}-" in name]
            if topics:
                admin.delete_topics(topics)
        finally:
            admin.close()


@contextmanager
def open_ground(settings: Settings) -> Iterator[Ground]:
    """On the configured servers, else on embedded ones; in `data_dir`/bench, which is removed before and after."""
    directory = settings.data_dir / "bench"
    _remove(directory)
    directory.mkdir(parents=True)
    postgres = broker = None
    try:
        if settings.embedded_database:
            postgres = EmbeddedPostgres(directory, {"max_connections": "100"})
            postgres.start()
            with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
                conn.execute("ALTER ROLE shenguan_migrator CREATEDB")
                conn.execute("GRANT pg_checkpoint TO shenguan_migrator")
        if settings.embedded_kafka:
            broker = EmbeddedBroker(directory)
            broker.start()
        servers = Servers(
            postgres.runtime_url if postgres else settings.database_url or "",
            postgres.migrator_url if postgres else settings.migrator_url or "",
            postgres.reader_url if postgres else settings.reader_url or "",
            broker.bootstrap_servers if broker else settings.kafka_bootstrap_servers or "",
        )
        kind = "embedded (Tansu, memory)" if broker else f"configured ({servers.bootstrap.count(',') + 1} addresses)"
        scratch = settings.model_copy(
            update={
                "store": f"bench{secrets.token_hex(3)}",
                "data_dir": directory,
                "database_url": None,  # so that a key of its own is made
                "master_key_file": directory / "master.key",
                "log_key_file": directory / "log.key",
                "checkpoint_file": None,
            }
        )
        ground = Ground(scratch, servers, kind)
        try:
            yield ground
        finally:
            ground.clear()
    finally:
        if broker is not None:
            broker.stop()
        if postgres is not None:
            postgres.stop()
        _remove(directory)


def _remove(directory: Path) -> None:
    """Also where PostgreSQL's data lies elsewhere because its account cannot reach the directory."""
    visible = directory / "postgres"
    if visible.is_symlink():
        shutil.rmtree(visible.resolve().parent, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def _name(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url)["dbname"])


def _in(url: str, other: str) -> str:
    """The first URL's role in the second's database."""
    return conninfo.make_conninfo(url, dbname=_name(other))
