"""Who sees which rows of a case by the database alone, as the readers' role, whatever the doors before it do."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.region import APPROVAL, FORMER, HIGHER, OFFICE, S1, S2, S3
from tests.integration.teststore import TestStore

DEPARTMENTS = (APPROVAL, FORMER, S1, S2, S3, HIGHER, OFFICE, "sfj", "pt", "jw")
BY_CASE = {
    "approvals": "stream",
    "two_way": "case_stream",
    "feedback": "case_stream",
    "inspections": "case_stream",
}


@pytest.fixture
def told(every: TestStore) -> TestStore:
    return every


def parties(store: TestStore) -> dict[str, set[str]]:
    """By department the cases in which it acted or of which it was told, by the whole record."""
    found: dict[str, set[str]] = {}
    for case, *named in store.rows("SELECT case_stream, department, from_department, to_department FROM read.two_way"):
        for one in named:
            if one:
                found.setdefault(one, set()).add(case)
    return found


def test_what_is_about_a_case_is_seen_by_its_parties_and_nobody_else(told: TestStore) -> None:
    of = parties(told)
    for table, column in BY_CASE.items():
        every: list[Any] = told.rows(f"SELECT {column}, t::text FROM read.{table} AS t")
        assert every, table
        for department in DEPARTMENTS:
            own = told.rows(f"SELECT {column}, t::text FROM read.{table} AS t", department)
            assert sorted(own) == sorted(row for row in every if row[0] in of.get(department, ())), (table, department)
    seen = {department: len(told.rows("SELECT FROM read.approvals", department)) for department in DEPARTMENTS}
    assert 0 == seen["jw"] < seen[FORMER] < seen[S1] < seen[APPROVAL] < len(told.rows("SELECT FROM read.approvals"))
    assert told.rows("SELECT FROM read.feedback", APPROVAL)  # another's finding, about its own case
    assert told.rows("SELECT FROM read.inspections WHERE department = 's1'", APPROVAL)


def test_notices_are_seen_by_addressee_and_organ(told: TestStore) -> None:
    every = told.rows("SELECT department, split_part(case_stream, '/', 2), notice FROM read.receipts")
    for department in DEPARTMENTS:
        own = told.rows("SELECT department, split_part(case_stream, '/', 2), notice FROM read.receipts", department)
        assert sorted(own) == sorted(row for row in every if department in row[:2])


def test_attempts_are_seen_by_who_tried(told: TestStore) -> None:
    every = told.rows("SELECT department, position FROM read.attempts")
    assert {row[0] for row in every} >= {FORMER}
    for department in DEPARTMENTS:
        own = told.rows("SELECT department, position FROM read.attempts", department)
        assert sorted(own) == sorted(row for row in every if row[0] == department)


@pytest.mark.parametrize("table", [*BY_CASE, "receipts", "attempts", "two_way_parties"])
def test_who_names_no_department_or_an_unknown_one_sees_nothing(told: TestStore, table: str) -> None:
    assert told.rows(f"SELECT FROM read.{table}", "*")
    for nobody in ("", "nobody", "%", "s1,s2", f"{S1}/"):
        assert told.rows(f"SELECT FROM read.{table}", nobody) == []
    with psycopg.connect(told.urls.reader) as conn:
        assert conn.execute(f"SELECT FROM read.{table}").fetchall() == []  # type: ignore[arg-type]


def test_readers_have_no_way_to_the_log(told: TestStore) -> None:
    for query in ("SELECT FROM shenguan.stored_events", "SELECT FROM vault.subject_key", "DELETE FROM read.approvals"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            told.rows(query)
