"""A migrated store of its own for each test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from adapters.postgres.migrate import migrate
from infra.servers.postgres import READER, RUNTIME, EmbeddedPostgres
from tests.integration.region import everything, registers
from tests.integration.teststore import TestStore

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _migrated(postgres_server: EmbeddedPostgres) -> str:
    """A template: migrating takes longer than cloning."""
    urls = postgres_server.create_database("template_store")
    migrate(urls.migrator, RUNTIME, READER)
    return urls.name


@pytest.fixture
def store(postgres_server: EmbeddedPostgres, _migrated: str) -> Iterator[TestStore]:
    urls = postgres_server.create_database(f"store_{next(_numbers)}", template=_migrated)
    made = TestStore(urls, os.urandom(32))
    yield made
    made.close()
    postgres_server.drop_database(urls.name)


@pytest.fixture
def region(store: TestStore) -> TestStore:
    """A region with one transferred matter, supervised by two departments."""
    return registers(store)


@pytest.fixture
def full(region: TestStore) -> TestStore:
    """With at least one event of every type, and the read models up to date."""
    everything(region)
    region.project()
    return region
