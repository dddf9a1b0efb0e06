"""Erasure: a subject's key is destroyed, and with it whatever was sealed under it (domain notes §4.11).

Who ordered it, and why, is recorded first; a key destroyed without an order is what `shenguan verify` names. The
running system may not do it: it is done as the owner of the schema. What stays are ciphertexts that nobody can open,
commitments, the order, and that a key was there from when until when.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from adapters.postgres.log import Log
from domain.erasure import ErasureOrdered, Order, erasure_stream
from domain.system import erasure_ordered
from infra.answers import department_names
from infra.presentation import Context, Shown, columns, known_at, names_over
from infra.store import Store
from projections.page import Page

ORDER = columns("""
    position
    recorded_at | 时间 | time
    subject | 主体 | subject
    department | 部门 | department
    officer | 经办人 | officer
    officer_name | 姓名 | name
    reason | 事由 | reason
    destroyed_at | 密钥销毁于 | key destroyed
""")


class Destroyed(NamedTuple):
    """`now`: whether it was this time."""

    subject: str
    created_at: datetime
    destroyed_at: datetime
    now: bool


def erase(store: Store, order: Order) -> Destroyed | None:
    """Records the order and destroys the key, for good. None where no such subject has, or had, a key. Raises
    psycopg.OperationalError."""
    with psycopg.connect(store.migrator_url, autocommit=True) as conn:
        known = conn.execute("SELECT FROM vault.subject_key WHERE subject = %s", (order.subject,)).fetchone()
        if known is None:
            return None
        stream = erasure_stream(order.subject)
        ordered = conn.execute("SELECT FROM shenguan.stored_events WHERE originator_id = %s", (stream,)).fetchone()
        if ordered is None:
            sealed = store.sealed(order, stream)
            store.facts(lambda world, now: erasure_ordered(world, sealed, now))
        destroyed = conn.execute(
            "UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = clock_timestamp()"
            " WHERE subject = %s AND wrapped IS NOT NULL",
            (order.subject,),
        ).rowcount
        row = conn.execute(
            "SELECT subject, created_at, destroyed_at FROM vault.subject_key WHERE subject = %s", (order.subject,)
        ).fetchone()
        assert row is not None
        return Destroyed(row[0], row[1], row[2], destroyed == 1)


def erasures(context: Context, shown: Shown, as_known_at: str | None, limit: int) -> None:
    """What was ordered, the latest first, as the log has it; and when the vault says that it was done."""
    with closing(context.connect()) as conn:
        found = Log(conn).recorded_under("erasure", known_at(as_known_at))
        done = dict(
            conn.execute(
                "SELECT subject, destroyed_at FROM vault.subject_key WHERE subject = ANY(%s)",
                ([one.event.originator_id.partition("/")[2] for one in found],),
            ).fetchall()
        )
    rows: list[dict[str, Any]] = []
    for one in sorted(found, key=lambda one: -one.position):
        event, meta = one.event, one.event.meta
        assert isinstance(event, ErasureOrdered)
        rows.append(
            {
                "position": one.position,
                "recorded_at": one.recorded_at,
                "subject": event.subject,
                "department": meta.department,
                "officer": meta.officer.id if meta.officer else None,
                "officer_name": meta.officer.name if meta.officer else None,
                "reason": event.reason,
                "destroyed_at": done.get(event.subject),
            }
        )
    total, rows = len(rows), rows[:limit]
    rows = rows if shown.as_json else names_over(rows, ["department"], department_names(context))
    shown.page(("销毁命令", "Orders to erase"), ORDER, Page(total, rows))
