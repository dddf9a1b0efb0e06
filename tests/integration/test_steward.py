"""Successions and subscriptions carried out: in chunks, by several at once, and again after a stop."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from adapters.postgres.writer import Writer
from domain.departments import RegisterDepartment
from domain.matters import RouteMatter, Supervisor
from domain.permits import CancelCase
from domain.subscriptions import StartSubscription
from domain.succession import SucceedDepartment
from infra.roles import steward as stewarding
from infra.roles.steward import Steward
from infra.verify import verify
from tests.integration.region import DAY, MATTER, OFFICE, S1, S2, S3, case, granted, receive
from tests.integration.test_queries import ask, ask_json
from tests.integration.teststore import TestStore, department

OWED = "SELECT count(*) FROM read.receipts WHERE department = '{}' AND about = '{}'"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stewarding, "CHUNK", 3)


def carry_out(store: TestStore, stop_after: int | None = None) -> int:
    """One steward's turn, stopped after so many looks."""
    looks = 0

    def stopped() -> bool:
        nonlocal looks
        looks += 1
        return stop_after is not None and looks > stop_after

    with store.connect() as conn:
        return Steward(lambda: datetime.now(UTC)).turn(conn, store.writer, stopped)


def succeed(store: TestStore, old: str, to: str, since: date = DAY) -> None:
    store.submit(SucceedDepartment(department=OFFICE, old=old, to=to, valid_from=since, basis="机构改革方案"))


def clean(store: TestStore) -> bool:
    store.project()
    return verify(SimpleNamespace(migrator_url=store.urls.migrator)).problems == []


@pytest.mark.clause("2.2d")
def test_a_ledger_passes_on_in_chunks_and_once(region: TestStore) -> None:
    facts = [granted(region, str(number)) for number in range(8)]
    region.submit(receive(S1, facts[0], region.now), receive(S1, facts[1], region.now))
    region.submit(case(CancelCase, "1", on=DAY, document_number="注1", reason="申请"))
    succeed(region, S1, S3)
    assert carry_out(region, stop_after=1) == 2  # of three one is received, and its permit is over
    assert ask_json(region, "successions")["items"][0]["through"] == 3
    assert carry_out(region) == 6  # the others, and what was told of the cancellation
    assert carry_out(region) == 0
    assert clean(region)
    assert region.rows(OWED.format(S3, "succession")) == [(8,)]
    assert region.rows("SELECT count(*) FROM read.receipts WHERE department = 's1' AND status = 'outstanding'") == [
        (0,)
    ]
    assert "监管一局" in ask(region, "successions")


def test_a_chain_goes_all_the_way(region: TestStore) -> None:
    granted(region, "1")
    succeed(region, S1, S3)
    assert carry_out(region) == 1
    region.submit(RegisterDepartment(department=OFFICE, entry=department("s4", "监管四局", "SUPERVISION")))
    succeed(region, S3, "s4")
    assert carry_out(region) == 1
    assert clean(region)
    assert region.rows(OWED.format("s4", "succession")) == [(1,)]


def test_one_that_is_not_in_force_yet_does_nothing(region: TestStore) -> None:
    granted(region, "1")
    succeed(region, S1, S3, date(2100, 1, 1))
    assert carry_out(region) == 0
    assert ask_json(region, "successions")["items"][0]["through"] == 0


def test_two_stewards_do_it_once(region: TestStore) -> None:
    second_writer = Writer(region.connect, region.sealer.seal_all)
    for number in range(4):
        granted(region, str(number))
    succeed(region, S1, S3)
    first, second = (Steward(lambda: datetime.now(UTC)) for _ in range(2))
    with region.connect() as conn:
        done = first.turn(conn, region.writer, iter([False, True, True, True]).__next__)
        assert done == 3
        assert second.turn(conn, second_writer) == 1
        assert first.turn(conn, region.writer) == 0
    assert clean(region)


@pytest.mark.door("command")
@pytest.mark.clause("2.2i")
def test_a_subscriber_is_told_of_permits_from_before(region: TestStore) -> None:
    for number in range(7):
        granted(region, str(number))
    region.submit(case(CancelCase, "1", on=DAY, document_number="注1", reason="申请"))
    region.submit(
        RouteMatter(
            department=OFFICE, matter=MATTER, valid_from=DAY, basis="二",
            supervisors=(Supervisor(department=S1), Supervisor(department=S2), Supervisor(department=S3)),
        )
    )  # fmt: skip
    region.submit(StartSubscription(department=S3, number="1", matters=(MATTER,), backfill_from=date(2020, 1, 1)))
    assert carry_out(region) == 0  # the read model is not as far
    region.project()
    assert carry_out(region, stop_after=1) == 3
    [found] = ask_json(region, "subscriptions", "--department", S3)["items"]
    assert (found["told"], found["complete"], found["serial"]) == (3, False, 0)
    assert carry_out(region) == 3
    assert carry_out(region) == 0
    [found] = ask_json(region, "subscriptions")["items"]
    assert (found["told"], found["complete"]) == (6, True)
    assert "监管三局" in ask(region, "subscriptions")
    assert clean(region)
    assert region.rows(OWED.format(S3, "backfill")) == [(6,)]
    assert region.rows("SELECT max(serial), count(*) FROM read.receipts WHERE department = 's3'") == [(6, 6)]


@pytest.mark.clause("2.2i", refused=True)
def test_a_stranger_subscribes_to_nothing(region: TestStore) -> None:
    region.submit(StartSubscription(department=S3, number="1", matters=(MATTER,)), expect="refused")
    assert ask_json(region, "subscriptions")["items"] == []
