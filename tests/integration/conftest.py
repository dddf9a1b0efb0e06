"""A migrated store of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.postgres.migrate import migrate
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import READER, RUNTIME, EmbeddedPostgres
from tests.integration.outlet_kit import TrackedStore, store_for
from tests.integration.region import registers, usual
from tests.integration.teststore import MASTER, TestStore

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _migrated(postgres_server: EmbeddedPostgres) -> str:
    """A template: migrating takes longer than cloning."""
    urls = postgres_server.create_database("template_store")
    migrate(urls.migrator, RUNTIME, READER)
    return urls.name


@pytest.fixture
def stores(postgres_server: EmbeddedPostgres, _migrated: str) -> Iterator[Callable[[], TestStore]]:
    """Makes stores, each with a database of its own."""
    all_made: list[TestStore] = []

    def make() -> TestStore:
        urls = postgres_server.create_database(f"store_{next(_numbers)}", template=_migrated)
        all_made.append(TestStore(urls, MASTER))
        return all_made[-1]

    yield make
    for made in all_made:
        made.close()
        postgres_server.drop_database(made.urls.name)


@pytest.fixture
def store(stores: Callable[[], TestStore]) -> TestStore:
    return stores()


@pytest.fixture
def region(store: TestStore) -> TestStore:
    """A region with one transferred matter, supervised by two departments."""
    return registers(store)


@pytest.fixture
def full(region: TestStore) -> TestStore:
    """With something of everything that happens every day, and the read models up to date."""
    usual(region)
    region.project()
    return region


@pytest.fixture
def bootstrap(embedded_broker: EmbeddedBroker) -> str:
    """Another broker's address, where a test file overrides it."""
    return embedded_broker.bootstrap_servers


@pytest.fixture
def outer(region: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    """The region's store with a broker and its topics, as the roles see it."""
    made = store_for(region, MASTER, bootstrap, tmp_path)
    yield made
    made.close()
