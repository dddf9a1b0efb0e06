"""A bundle over HTTP: all of it for inspectors, on record; for a party what it sees of the case; for others nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from infra import evidence_verifier as verifier
from infra.servers.broker import EmbeddedBroker
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import count, store_for
from tests.integration.region import APPROVAL, HIGHER, MATTER, OWN_MATTER, S1, S2
from tests.integration.stages import complete
from tests.integration.teststore import LOG_KEY, MASTER, TestStore

KEYS = [verifier.parse_key(LOG_KEY.verifier_key.text)]
NUMBER = "9"
READS = "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'read.recorded'"


@pytest.fixture(scope="module")
def region(kept: Callable[..., TestStore]) -> TestStore:
    region = kept(complete)
    region.prove()
    return region


@pytest.fixture(scope="module")
def opened(
    region: TestStore, embedded_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    path = tmp_path_factory.mktemp("evidence")
    with closing(store_for(region, MASTER, embedded_broker.bootstrap_servers, path)) as outer, doors(outer) as made:
        yield made


def fetch(opened: Doors, caller: str, code: int = 200, number: str = NUMBER, **params: Any) -> bytes:
    found = opened.client.get(
        f"/api/v1/cases/{APPROVAL}/{number}/evidence", params=params, headers=opened.headers(caller)
    )
    assert found.status_code == code, found.text
    if code == 200:
        assert found.headers["content-type"] == "application/zip"
        assert "attachment" in found.headers["content-disposition"]
        assert found.headers["cache-control"] == "no-store"
    return bytes(found.content)


def test_an_inspector_has_all_of_it_and_that_is_on_record(opened: Doors, region: TestStore) -> None:
    before = count(region, READS)
    found = verifier.check(fetch(opened, "jw"), KEYS)
    assert found.manifest["scope"] == "all"
    assert found.manifest["made_for"] == {"principal": None, "department": "jw", "officer": "W01"}
    streams = {one.stream for one in found.events}
    assert {f"ledger/{S1}", f"ledger/{S2}", f"case/{APPROVAL}/{NUMBER}", "feedback/s1/f1"} <= streams
    assert not found.opened
    fetch(opened, "jw", 422, personal="included")
    shown = verifier.check(fetch(opened, "jw", personal="included", reason="核查"), KEYS)
    assert "张三丰" in shown.opened.values()
    assert count(region, READS) == before + 2


def test_a_party_has_what_it_sees_of_the_case(opened: Doors, region: TestStore) -> None:
    before = count(region, READS)
    for caller in (S1, S2):
        found = verifier.check(fetch(opened, caller), KEYS)
        assert found.manifest["scope"] == caller
        steps = opened.get(f"/cases/{APPROVAL}/{NUMBER}/steps", caller, limit=500)["items"]
        seen = {step["position"] for step in steps}
        assert {one.position for one in found.events if one.part != "register"} == seen
    fetch(opened, S1, 404, number="8")
    assert count(region, READS) == before
    fetch(opened, HIGHER, 404)
    fetch(opened, "operator", 403)
    fetch(opened, "jw", 404, number="none")
    fetch(opened, "jw", 404, size=10**9)


def test_every_case_s_bundle_verifies(opened: Doors, region: TestStore) -> None:
    """Of a store with an event of nearly every type."""
    for (number,) in region.rows(f"SELECT number FROM read.approvals WHERE organ = '{APPROVAL}' ORDER BY number"):
        found = verifier.check(fetch(opened, "jw", number=number, personal="included", reason="核查"), KEYS)
        events = json.loads(opened.client.get(
            f"/api/v1/cases/{APPROVAL}/{number}", headers=opened.headers("jw")
        ).content)["events"]  # fmt: skip
        assert len([one for one in found.events if one.part != "register"]) >= events > 0, number


def test_the_registers_that_applied_come_along_and_no_others(opened: Doors) -> None:
    found = verifier.check(fetch(opened, "jw", number="20"), KEYS)
    streams = {one.stream for one in found.events}
    assert {
        "entry/time_limit/receive",
        "calendar",
        f"matter/{MATTER}",
        "entry/work_capability/" + MATTER + ".survey",
    } <= (streams)
    assert any(one.startswith("entry/calendar/") for one in streams)
    assert f"matter/{OWN_MATTER}" not in streams
    assert not any(one.startswith(("liaison/", "entry/letterhead/", "entry/proposal/")) for one in streams)
    last = max(one.position for one in found.events if one.part != "register")
    assert all(one.position < last for one in found.events if one.part == "register")
    early = {one.stream for one in verifier.check(fetch(opened, "jw", number="5"), KEYS).events}
    assert "entry/time_limit/receive" not in early  # it came later
