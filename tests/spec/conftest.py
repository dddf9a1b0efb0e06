"""The region of every spec test: in memory, and by Kafka as well where the test proves a capability of the notice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from adapters.postgres.migrate import migrate
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import READER, RUNTIME, DatabaseUrls, EmbeddedPostgres
from tests.integration.outlet_kit import store_on
from tests.integration.teststore import MASTER
from tests.spec.kafka_door import OPTIONS, KafkaDoor
from tests.unit.memory_intake import MemoryIntake
from tests.unit.signing_kit import signing_problems
from tests.unit.spec import OPERATOR, PRINCIPALS, Door, Region, founded

_numbers = itertools.count(1)
BY_KAFKA = pytest.param("kafka", marks=pytest.mark.door("kafka"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What proves no capability goes in memory only."""
    items[:] = [item for item in items if not _by_kafka(item) or item.get_closest_marker("clause")]


def _by_kafka(item: pytest.Item) -> bool:
    return "door" in item.fixturenames and item.get_closest_marker("door") is not None


@pytest.fixture(scope="session")
def _founded(postgres_server: EmbeddedPostgres, embedded_broker: EmbeddedBroker, server_dir: Path) -> str:
    """A template: a database whose region was founded through Kafka."""
    urls = postgres_server.create_database("template_spec")
    migrate(urls.migrator, RUNTIME, READER)
    with _door(urls, embedded_broker, server_dir) as door:
        founded(door)
    return urls.name


@pytest.fixture
def kafka_door(
    postgres_server: EmbeddedPostgres, embedded_broker: EmbeddedBroker, server_dir: Path, _founded: str
) -> Iterator[KafkaDoor]:
    urls = postgres_server.create_database(f"spec_{next(_numbers)}", template=_founded)
    with _door(urls, embedded_broker, server_dir) as door:
        yield door
    postgres_server.drop_database(urls.name)


@contextmanager
def _door(urls: DatabaseUrls, broker: EmbeddedBroker, path: Path) -> Iterator[KafkaDoor]:
    store = store_on(urls, MASTER, broker.bootstrap_servers, path, kafka=OPTIONS)
    with closing(store), closing(KafkaDoor(store, [*PRINCIPALS, OPERATOR])) as door:
        yield door


@pytest.fixture(params=["memory", BY_KAFKA])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "kafka":
        return request.getfixturevalue("kafka_door")
    return founded(MemoryIntake())


@pytest.fixture
def region(door: Door) -> Iterator[Region]:
    """Whoever reads its log again finds what was signed as it was decided."""
    made = Region(door)
    yield made
    assert signing_problems(made.recorded) == []
