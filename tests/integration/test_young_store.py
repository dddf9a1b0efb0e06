"""In a store of which PostgreSQL has no statistics yet, queues are still worked by key, not each row against each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from adapters.postgres.deliveries import Dispatch, Owing, fail, lease, mark_sent, owe
from infra.store import BY_KEY
from tests.integration.teststore import TestStore

ROUNDS = 8
"""After five PostgreSQL may keep one plan for all values."""
SIZE = 50


def _notices(number: int) -> list[str]:
    return [f"s1/test/{number}-{one}" for one in range(SIZE)]


def _plans_kept(conn: Connection[Any], beginning: str) -> list[str]:
    """For any values, of the statements in which this stands."""
    found = conn.execute(
        "SELECT name, parameter_types::text[] FROM pg_prepared_statements WHERE statement LIKE %s", (f"%{beginning}%",)
    ).fetchall()
    plans = []
    with conn.transaction():
        conn.execute("SET LOCAL plan_cache_mode TO force_generic_plan")
        for name, kinds in found:
            given = ", ".join("'{}'" if kind.endswith("[]") else "NULL" for kind in kinds)
            plans.append("\n".join(row[0] for row in conn.execute(f"EXPLAIN EXECUTE {name}({given})").fetchall()))
    return plans


def _work(conn: Connection[Any], work: Callable[[int, list[str]], None]) -> None:
    for number in range(ROUNDS):
        notices = _notices(number)
        owe(conn, [Owing(n, "kafka", "s1", number * SIZE + at + 1, at) for at, n in enumerate(notices)])
        work(number, notices)


def test_marking_and_leasing_go_by_key(store: TestStore) -> None:
    conn = store.connect()
    conn.execute(BY_KEY)

    def work(number: int, notices: list[str]) -> None:
        assert len(lease(conn, "kafka", SIZE, 60.0)) == SIZE
        mark_sent(conn, "kafka", [Dispatch(n, "t", 0, number * SIZE + at) for at, n in enumerate(notices)])

    _work(conn, work)
    for beginning in ("SET sent_at", "SET leased_until"):
        [plan] = _plans_kept(conn, beginning)
        assert "delivery_pkey" in plan, plan
        assert "Index Cond: ((notice = " in plan, plan
        assert "Join Filter" not in plan, plan


def test_failing_names_only_what_failed(store: TestStore) -> None:
    conn = store.connect()
    _work(conn, lambda _, notices: fail(conn, "kafka", [(notices[0], "NoTopic", 60.0)]))
    rows = conn.execute("SELECT notice FROM shenguan.delivery WHERE attempts = 1 AND error = 'NoTopic'").fetchall()
    assert {row[0] for row in rows} == {_notices(number)[0] for number in range(ROUNDS)}
