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
from tests.integration.region import registers
from tests.integration.stages import Stage, Template, complete, empty, ordinary
from tests.integration.teststore import MASTER, TestStore

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def template(postgres_server: EmbeddedPostgres) -> Callable[[Stage], Template]:
    """The database that stores of this stage are cloned from: getting there takes much longer than cloning."""
    made: dict[Stage, Template] = {}

    def find(stage: Stage) -> Template:
        if stage not in made:
            base = None if stage is empty else find(empty).name
            urls = postgres_server.create_database(f"template_{stage.__name__}", template=base)
            if base is None:
                migrate(urls.migrator, RUNTIME, READER)
            store = TestStore(urls, MASTER)
            stage(store)
            store.close()
            made[stage] = Template(urls.name, store.handed_in)
        return made[stage]

    return find


@pytest.fixture
def stores(
    postgres_server: EmbeddedPostgres, template: Callable[[Stage], Template]
) -> Iterator[Callable[..., TestStore]]:
    """Makes stores, each with a database of its own, at a stage: `stores()`, `stores(registers)`."""
    yield from _stores(postgres_server, template)


@pytest.fixture(scope="module")
def kept(
    postgres_server: EmbeddedPostgres, template: Callable[[Stage], Template]
) -> Iterator[Callable[..., TestStore]]:
    """Like `stores`, for the tests of a file that only read and can share one."""
    yield from _stores(postgres_server, template)


def _stores(server: EmbeddedPostgres, template: Callable[[Stage], Template]) -> Iterator[Callable[..., TestStore]]:
    all_made: list[TestStore] = []

    def make(stage: Stage = empty) -> TestStore:
        name, handed_in = template(stage)
        urls = server.create_database(f"store_{next(_numbers)}", template=name)
        all_made.append(TestStore(urls, MASTER, handed_in))
        return all_made[-1]

    yield make
    for made in all_made:
        made.close()
        server.drop_database(made.urls.name)


@pytest.fixture
def store(stores: Callable[..., TestStore]) -> TestStore:
    return stores()


@pytest.fixture
def region(stores: Callable[..., TestStore]) -> TestStore:
    """A region with one transferred matter, supervised by two departments."""
    return stores(registers)


@pytest.fixture
def full(stores: Callable[..., TestStore]) -> TestStore:
    """With something of everything that happens every day, and the read models up to date."""
    return stores(ordinary)


@pytest.fixture
def every(stores: Callable[..., TestStore]) -> TestStore:
    """With an event of nearly every type, and the read models up to date."""
    return stores(complete)


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
