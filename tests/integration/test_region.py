"""The region's read model is the sum of its stores' own, however often it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from adapters.postgres.publication import stored_rows_before
from infra.queries import app
from infra.roles.publisher import LogPublisher, Publication, PublisherRole
from infra.roles.region import RegionRole
from infra.roles.registrar import RegistrarRole
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, count, running, store_for, until
from tests.integration.region import APPROVAL, S1, S2, accept, decide, everything, granted, receive
from tests.integration.test_stores import EVENTS, caught_up
from tests.integration.teststore import MASTER, TestStore

SHARED = "notice, department, serial, case_stream, about, owed_at, received_at, deemed_at, moved_at, status"


@pytest.fixture
def leagues(
    stores: Callable[..., TestStore], region: TestStore, outer: TrackedStore, bootstrap: str, tmp_path: Path
) -> Iterator[list[tuple[TestStore, TrackedStore]]]:
    """Two leagues that have taken the region's registers over."""
    made = []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        test = stores()
        made.append((test, store_for(test, MASTER, bootstrap, tmp_path / name, registers_from=outer.settings.store)))
    with running(PublisherRole(outer), *(RegistrarRole(store) for _, store in made)):
        until(lambda: all(caught_up(region, test) for test, _ in made))
    yield made
    for _, store in made:
        store.close()


@pytest.fixture
def whole(
    region: TestStore, outer: TrackedStore, leagues: list[tuple[TestStore, TrackedStore]]
) -> dict[str, tuple[TestStore, TrackedStore]]:
    """The region's store and both leagues', by name, each with something of its own."""
    (east, _), (west, _) = leagues
    everything(region)
    for number in ("1", "2", "3"):
        granted(east, number)
    at = east.now - timedelta(minutes=5)
    east.submit(receive(S1, "test/d-1", at), receive(S2, "test/d-1", at), receive(S1, "test/d-3", at))
    granted(west, "1")  # the same case number, submission and notice ids as in the east
    west.submit(accept("2"), decide("2", "not_granted"))
    all_stores = {store.settings.store: (test, store) for test, store in [(region, outer), *leagues]}
    for test, _ in all_stores.values():
        test.project()
    return all_stores


def watching(whole: dict[str, tuple[TestStore, TrackedStore]], outer: TrackedStore) -> RegionRole:
    settings = outer.settings.model_copy(update={"region_stores": tuple(whole)})
    view = SimpleNamespace(settings=settings, connect=outer.connect, kafka_options=outer.kafka_options)
    return RegionRole(view, retry_s=0.3)  # type: ignore[arg-type]


def known(region: TestStore, name: str) -> int:
    return count(region, "SELECT coalesce(max(position), 0) FROM shenguan.log_reading WHERE store = %s", name)


def up_to_date(whole: dict[str, tuple[TestStore, TrackedStore]], region: TestStore) -> bool:
    heads = {name: count(test, "SELECT max(notification_id) FROM shenguan.stored_events")
             for name, (test, _) in whole.items()}  # fmt: skip
    return heads == {name: known(region, name) for name in whole}


def contents(region: TestStore) -> list[Any]:
    return [
        region.rows(f"SELECT * FROM read.{table} ORDER BY 1, 2") for table in ("region_notices", "region_decisions")
    ]


def test_it_is_the_sum_of_the_stores_own_read_models(
    whole: dict[str, tuple[TestStore, TrackedStore]], region: TestStore, outer: TrackedStore
) -> None:
    with running(*(PublisherRole(store) for _, store in whole.values()), watching(whole, outer)):
        until(lambda: up_to_date(whole, region))
    for name, (test, _) in whole.items():
        there = region.rows(f"SELECT {SHARED} FROM read.region_notices WHERE store = '{name}' ORDER BY notice")
        assert there == test.rows(f"SELECT {SHARED} FROM read.receipts ORDER BY notice")
        assert there
        there = region.rows(
            f"SELECT case_stream, department FROM read.region_decisions WHERE store = '{name}' ORDER BY 1"
        )
        own = "SELECT stream, department FROM read.approvals WHERE decision_position IS NOT NULL ORDER BY 1"
        assert there == test.rows(own)
        if test is not region:  # where the kit records dispatches without deliveries
            assert verify(SimpleNamespace(migrator_url=test.urls.migrator)).problems == []

    answer = json.loads(CliRunner().invoke(app, ["region", "--json"], obj=region).output)
    own = {name: test.rows("SELECT status FROM read.receipts") for name, (test, _) in whole.items()}
    assert {one["store"]: (one["owed"], one["outstanding"]) for one in answer["stores"]} == {
        name: (len(rows), rows.count(("outstanding",))) for name, rows in own.items()
    }
    assert answer["sum"]["owed"] == sum(map(len, own.values()))
    assert (
        answer["outstanding"]["total"]
        == answer["sum"]["outstanding"]
        == sum(rows.count(("outstanding",)) for rows in own.values())
    )
    decided = [test.rows("SELECT count(decision_position) FROM read.approvals")[0][0] for test, _ in whole.values()]
    assert answer["sum"]["decisions"] == sum(decided)
    assert {one["store"]: one["position"] for one in answer["read"]} == {name: known(region, name) for name in whole}
    assert all(one["read_at"] for one in answer["read"])
    first = answer["outstanding"]["items"][0]
    assert first["owed_at"] == answer["sum"]["oldest"]

    status = json.loads(CliRunner().invoke(app, ["status", "--json"], obj=region).output)
    assert {(one["reader"], one["store"]) for one in status["readings"]} == {("region", name) for name in whole}
    assert not any("." in one["name"] for one in status["followers"])

    said = CliRunner().invoke(app, ["region", "--departments"], obj=region, env={"COLUMNS": "300"}).output
    assert "合计" in said
    assert "审批局" in said
    assert "读到何处" in said
    english = CliRunner().invoke(app, ["region", "--lang", "en"], obj=region, env={"COLUMNS": "300"}).output
    assert "How far each log was read" in english


def test_a_department_reads_its_own_rows_of_all_stores(
    whole: dict[str, tuple[TestStore, TrackedStore]], region: TestStore, outer: TrackedStore
) -> None:
    with running(*(PublisherRole(store) for _, store in whole.values()), watching(whole, outer)):
        until(lambda: up_to_date(whole, region))
    assert region.rows("SELECT DISTINCT department FROM read.region_notices", S1) == [(S1,)]
    assert len(region.rows("SELECT DISTINCT store FROM read.region_notices", S1)) == 3
    assert region.rows("SELECT * FROM read.region_decisions", S1) == []
    assert {d for (d,) in region.rows("SELECT department FROM read.region_decisions", APPROVAL)} == {APPROVAL}


def test_told_again_it_stays_the_same(
    whole: dict[str, tuple[TestStore, TrackedStore]], region: TestStore, outer: TrackedStore
) -> None:
    with running(*(PublisherRole(store) for _, store in whole.values())):
        with running(watching(whole, outer), watching(whole, outer)):
            until(lambda: up_to_date(whole, region))
        before = contents(region)
        for test, _ in whole.values():  # every publisher says everything again
            with psycopg.connect(test.urls.migrator) as conn:
                conn.execute("UPDATE shenguan.notification_tracking SET notification_id = 0")
        with psycopg.connect(region.urls.migrator) as conn:  # and every topic is read from its start, as if made anew
            conn.execute("UPDATE shenguan.log_reading SET topic_id = 'another'")
        with running(watching(whole, outer)):
            until(lambda: count(region, "SELECT sum(next_offset) FROM shenguan.log_reading") == sum(
                2 * count(test, EVENTS) for test, _ in whole.values()))  # fmt: skip
        assert contents(region) == before


def test_one_log_that_cannot_be_read_stops_no_other(
    whole: dict[str, tuple[TestStore, TrackedStore]], region: TestStore, outer: TrackedStore
) -> None:
    broken = next(name for name in whole if name != outer.settings.store)
    test, _ = whole[broken]
    with psycopg.connect(test.urls.migrator) as conn:  # as a later program would write it
        conn.execute("ALTER TABLE shenguan.stored_events DISABLE TRIGGER append_only")
        conn.execute(
            "UPDATE shenguan.stored_events SET state = convert_to('{\"class_version\":9,' ||"
            " substr(convert_from(state, 'UTF8'), 2), 'UTF8') WHERE unique_key = %s",
            (f"{S1}/test/d-2",),
        )
        row = conn.execute(
            "SELECT notification_id FROM shenguan.stored_events WHERE unique_key = %s", (f"{S1}/test/d-2",)
        ).fetchone()
    assert row is not None
    query = "SELECT coalesce(max(error), '') FROM shenguan.follower WHERE name = %s"
    with ExitStack() as stack:
        stack.enter_context(running(*(PublisherRole(store) for name, (_, store) in whole.items() if name != broken)))
        publish_as_stored(whole[broken][1])
        stack.enter_context(running(watching(whole, outer)))
        with region.connect() as conn:
            until(lambda: "UnknownEvent" in conn.execute(query, (f"region.{broken}",)).fetchone()[0])  # type: ignore[index]
        others = {name: one for name, one in whole.items() if name != broken}
        until(lambda: up_to_date(others, region))
    assert known(region, broken) == row[0] - 1


def publish_as_stored(store: TrackedStore) -> None:
    """The whole log, though the store itself cannot decode it."""
    publication = Publication(store, store.names.log)
    publisher = LogPublisher(store, publication)
    with store.connect() as conn:
        for rows in stored_rows_before(conn, 2**62):
            publication.send(publisher._record(row) for row in rows)
    publication.close()


def test_where_nothing_was_read_the_command_says_so(region: TestStore) -> None:
    result = CliRunner().invoke(app, ["region"], obj=region)
    assert result.exit_code == 1
    assert "SHENGUAN_REGION_STORES" in result.output
