"""Servers for the tests: one of each kind per pytest process (so per xdist worker), a fresh database per test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # While imported, kafka-python reads schemas by importlib.resources.read_text, which our filters make an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka  # noqa: F401

from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import DatabaseUrls, EmbeddedPostgres
from tests.servers.real_kafka import RealKafka, available
from tests.traceability import (  # noqa: F401 - pytest finds its hooks here
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """kafka-python again: parts of it are imported later, and it leaks sockets when a broker does not answer."""
    config.addinivalue_line("filterwarnings", "ignore:read_text is deprecated:DeprecationWarning")
    config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """A directory every account may pass through: pytest's own are 0700, where under root PostgreSQL could not live."""
    path = Path(tempfile.mkdtemp(prefix="shenguan-tests-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_dir: Path) -> Iterator[EmbeddedPostgres]:
    """PostgreSQL 18 as in production, fsync included; for databases of one's own see `database`."""
    with EmbeddedPostgres(server_dir / "postgres-session") as server:
        yield server


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    """An empty database, not migrated, dropped after the test."""
    urls = postgres_server.create_database(f"test_{next(_numbers)}")
    yield urls
    postgres_server.drop_database(urls.name)


@pytest.fixture(scope="session")
def embedded_broker(server_dir: Path) -> Iterator[EmbeddedBroker]:
    """Tansu, shared: use topic and group names of your own."""
    with EmbeddedBroker(server_dir / "broker-session") as broker:
        yield broker


@pytest.fixture(scope="session")
def real_kafka() -> Iterator[RealKafka]:
    """Apache Kafka without security, shared: use topic and group names of your own, leave it running."""
    if not available():
        pytest.skip("real Kafka needs java and mvn on PATH")
    with RealKafka() as server:
        yield server
