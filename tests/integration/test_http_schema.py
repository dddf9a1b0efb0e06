"""Whatever is asked, as whoever: never an internal error, never an answer that the OpenAPI page does not have.

Requests are made up by schemathesis from the page itself, valid ones and others; live streams have their own tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.servers.broker import EmbeddedBroker
from infra.store import Store
from infra.topics import apply_topics
from infra.web.entrance import sessions_of
from tests.integration.http_role import served
from tests.integration.region import APPROVAL, OFFICE, S1
from tests.integration.stages import complete
from tests.integration.teststore import TestStore

EXAMPLES = int(os.environ.get("SHENGUAN_SCHEMA_EXAMPLES", "2"))
"""Of each operation, each caller and each mode."""
CALLERS = ("jw", APPROVAL, S1, OFFICE, "operator", "pt")
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="module")
def opened(
    kept: Callable[..., TestStore], embedded_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """What is handed in stays in Kafka: no intake is at work."""
    path = tmp_path_factory.mktemp("schema")
    with served(kept(complete), embedded_broker.bootstrap_servers, path) as (store, _client):
        apply_topics(store)
        yield store


def operations(store: Store) -> Iterator[Any]:
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{store.settings.http_port}/api/v1/openapi.json")
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.endswith("/events"):
            yield operation


def token(store: Store, code: str) -> str:
    claims = {"sub": f"https://id.example {code}.W01", "officer": "W01", "name": "巴特尔", "departments": [code]}
    return sessions_of(store.settings).make(claims, 600)


@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_on_the_page(opened: Store, caller: str) -> None:
    wrong: list[str] = []
    headers = {"Authorization": f"Bearer {token(opened, caller)}"}
    asked = sum(
        asking(operation.as_strategy(generation_mode=mode), headers, wrong)
        for operation in operations(opened)
        for mode in GenerationMode
    )
    assert asked
    assert not wrong, "\n\n".join(dict.fromkeys(wrong))


def asking(cases: Any, headers: dict[str, str], wrong: list[str]) -> int:
    """How often was asked; what is wrong with the answers is added."""
    asked = 0

    @seed(1)
    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    def ask(case: Any) -> None:
        nonlocal asked
        case.headers = {k: v for k, v in (case.headers or {}).items() if k.lower() != "authorization"}
        response = case.call(headers=headers, timeout=20)
        asked += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (AssertionError, BaseExceptionGroup) as error:
            wrong.append(f"{case.method} {case.path} {response.status_code}: {str(error)[:700]}")

    with suppress(Unsatisfiable):  # some can be asked in no wrong way
        ask()
    return asked
