"""The hot queries: what deciding reads, and what people ask most."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

from psycopg import Connection

from adapters.postgres.log import Log
from infra.bench.ground import ScratchStore
from infra.bench.pace import quantiles_ms
from projections.approvals import find_approvals
from projections.receipts import find_receipts

WARM_UP, ASKED = 300, 1000
Ask = Callable[[Connection[Any], Any], object]


def hot_queries(store: ScratchStore, seed: int) -> dict[str, dict[str, float]]:
    """p50, p99, p99.9 of each in milliseconds, one connection, with cases and departments drawn from the store."""
    rng = Random(seed)
    with store.connect() as conn:
        cases = _sample(conn, "SELECT stream, number FROM read.approvals ORDER BY random() LIMIT 1000", rng)
        notices = _sample(
            conn, "SELECT notice, department, serial FROM read.receipts ORDER BY random() LIMIT 1000", rng
        )
        asks: dict[str, tuple[list[Any], Ask]] = {
            "stream of a case": (cases, lambda c, row: Log(c).streams([row[0]])),
            "stream of a notice": (notices, lambda c, row: Log(c).streams([f"notice/{row[0]}"])),
            "ledger entry": (notices, lambda c, row: Log(c).ledger(row[1], row[2])),
            "case by number": (cases, lambda c, row: find_approvals(c, number=row[1])),
            "receipts of a case": (cases, lambda c, row: find_receipts(c, case=row[0])),
            "two-way record": (cases, lambda c, row: c.execute(_TWO_WAY, (row[0],), prepare=True).fetchall()),
            "outstanding of a department": (
                notices,
                lambda c, row: c.execute(_OLDEST, (row[1],), prepare=True).fetchall(),
            ),
        }
        return {name: _timed(conn, rows, ask) for name, (rows, ask) in asks.items()}


_TWO_WAY = "SELECT * FROM read.two_way WHERE case_stream = %s ORDER BY position"
_OLDEST = (
    "SELECT * FROM read.receipts WHERE department = %s AND status = 'outstanding' ORDER BY department, owed_at LIMIT 50"
)


def _sample(conn: Connection[Any], query: str, rng: Random) -> list[Any]:
    rows = conn.execute(query).fetchall()
    return [rng.choice(rows) for _ in range(WARM_UP + ASKED)]


def _timed(conn: Connection[Any], rows: list[Any], ask: Ask) -> dict[str, float]:
    for row in rows[:WARM_UP]:
        ask(conn, row)
    seconds = []
    for row in rows[WARM_UP:]:
        begun = time.perf_counter()
        ask(conn, row)
        seconds.append(time.perf_counter() - begun)
    return quantiles_ms(seconds)
