"""Every hot query finds its rows by its index: on a filled store of moderate size, as it is planned for its values and
as it is planned for any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, Cursor

from infra.bench.filler import Pattern, settle
from infra.bench.ground import ScratchStore, open_ground
from infra.bench.mix import lay_out, take_in
from infra.bench.queries import questions
from infra.bench.settled import follow
from infra.settings import Settings

pytestmark = pytest.mark.xdist_group("plans")  # the store is filled once
EVENTS = 40_000
LARGE = {"stored_events", "submission", "delivery", "subject_key", "approvals", "receipts", "daily", "daily_notices"}
LARGE |= {"two_way", "two_way_parties"}
INDEXES = {
    "an empty round trip": set(),
    "stream of a case": {"stored_events_pkey"},
    "stream of a notice": {"stored_events_pkey", "stored_events_unique_key_idx"},
    "head of a ledger": {"stored_events_pkey"},
    "ledger entry": {"stored_events_pkey"},
    "head of the log": {"stored_events_notification_id_idx"},
    "place and claim of a submission": {"submission_pkey", "submission_claim_idx"},
    "next deliveries": {"delivery_due_idx", "delivery_pkey"},
    "sent and unproven": {"delivery_undelivered_idx"},
    "case by number": {"approvals_number_idx"},
    "receipts of a case": {"receipts_case_idx"},
    "receipts of a department": {"receipts_serial_idx"},
    "outstanding of a department": {"receipts_outstanding_idx"},
    "statistics of a department": {"daily_pkey"},
    "statistics of everybody": set(),
    "overdue of everybody": {"daily_notices_held_idx"},
    "lamps of everybody": {"receipts_outstanding_idx"},
    "last notices": {"receipts_position_idx"},
    "last notices of a party": {"receipts_department_idx", "receipts_organ_idx"},
    "last seals": {"two_way_seals_idx"},
    "overdue of a department": {"daily_notices_held_idx"},
    "two-way record": {"two_way_pkey"},
    "steps of a case": {"two_way_pkey"},
    "cases of a party": {"two_way_parties_department_idx", "approvals_pkey"},
    "last cases": {"approvals_recorded_idx"},
    "last licences": {"approvals_decision_idx"},
}


@pytest.fixture(scope="module")
def filled(server_dir: Path) -> Iterator[ScratchStore]:
    """History, all of it settled, and a small year that is open."""
    with open_ground(Settings(data_dir=server_dir / "plans")) as ground:
        mix = lay_out(ground, "plans", 150, 1)
        pattern = Pattern.of_year(ground, mix)
        store = ground.store("filled", mix.store)
        pattern.fill(store, EVENTS)
        take_in(store, mix.submissions)
        follow(store)
        settle(store.migrator_url)
        yield store


class Plans(Cursor[Any]):
    """Has every query explained, in both ways, before it is executed."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Plans:
        if isinstance(query, str) and re.match(r"\s*(SELECT|WITH|UPDATE)\b", query):
            connection: Any = self.connection
            with psycopg.Cursor(self.connection) as cursor:
                for kind, text, values in (("", query, params), (", GENERIC_PLAN", *_numbered(query, params))):
                    [(plan,)] = cursor.execute(f"EXPLAIN (FORMAT JSON{kind}) {text}", values, prepare=False).fetchall()
                    connection.plans.append(plan[0]["Plan"])
        return super().execute(query, params, **options)


def _numbered(query: str, params: Any) -> tuple[str, None]:
    """With $1, $2, … for the values."""
    names = list(params) if isinstance(params, dict) else []
    numbers = iter(range(1, 100))
    text = re.sub(
        r"%\((\w+)\)s|%[sbt]|%%",
        lambda m: "%" if m[0] == "%%" else f"${names.index(m[1]) + 1 if m[1] else next(numbers)}",
        query,
    )
    return text, None


def plans(conn: Connection[Any], name: str) -> list[Any]:
    """The plans of all that a hot query executes, asked about several: lists longer than a page are among them."""
    rows, ask = questions(conn, 1)[name]
    found: list[Any] = []
    conn.plans = found  # type: ignore[attr-defined]
    conn.cursor_factory = Plans
    try:
        for row in rows[:10]:
            ask(conn, row)
    finally:
        conn.cursor_factory = Cursor
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def complaints(found: list[Any], wanted: set[str]) -> list[str]:
    """Large tables that are read from end to end, and indexes that are not used."""
    every = [node for plan in found for node in nodes(plan)]
    read = {node["Relation Name"] for node in every if node["Node Type"] == "Seq Scan"}
    used = {node["Index Name"] for node in every if "Index Name" in node}
    return [
        *(f"reads all of {table}" for table in sorted(read & LARGE)),
        *(f"does not use {index}" for index in sorted(wanted - used)),
    ]


def test_every_hot_query_has_its_indexes_named(filled: ScratchStore) -> None:
    with filled.connect() as conn:
        assert questions(conn, 1).keys() == INDEXES.keys()


@pytest.mark.parametrize("name", INDEXES)
def test_a_hot_query_finds_its_rows_by_its_index(filled: ScratchStore, name: str) -> None:
    with filled.connect() as conn:
        found = plans(conn, name)
        assert found
        assert complaints(found, INDEXES[name]) == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("case by number", "read.approvals_number_idx"),
        ("cases of a party", "read.two_way_parties_department_idx"),
        ("last cases", "read.approvals_recorded_idx"),
        ("last licences", "read.approvals_decision_idx"),
        ("last notices", "read.receipts_position_idx"),
        ("receipts of a department", "read.receipts_serial_idx"),
        ("outstanding of a department", "read.receipts_outstanding_idx"),
        ("overdue of a department", "read.daily_notices_held_idx"),
        ("place and claim of a submission", "shenguan.submission_claim_idx"),
        ("stream of a notice", "shenguan.stored_events_unique_key_idx"),
    ],
)
def test_an_index_that_is_gone_is_complained_of(filled: ScratchStore, name: str, index: str) -> None:
    with psycopg.connect(filled.migrator_url) as conn:
        conn.execute(f"DROP INDEX {index}")
        assert f"does not use {index.split('.')[1]}" in complaints(plans(conn, name), INDEXES[name])
        conn.rollback()
