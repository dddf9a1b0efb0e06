"""What one event of intent asks for many notices, and how far it was carried out: successions and subscriptions."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from adapters.postgres.log import Log
from domain.registers import Registers
from infra.presentation import Context, Shown, columns, known_at, names_over
from infra.register_rows import subscription_rows, succession_rows
from infra.registers import registers_at
from projections.page import Page

SUCCESSION = columns("""
    old | 原部门 | department
    to | 承接部门 | successor
    matters | 限于事项 | matters
    since | 自 | since
    basis | 依据 | basis
    through | 告知已接续至编号 | passed on through serial
""")
SUBSCRIPTION = columns("""
    department | 部门 | department
    number | 订阅 | subscription
    matters | 事项 | matters
    started_at | 开始 | started
    serial | 此前编号 | serial before
    backfill_from | 补发自决定日 | permits decided since
    told | 已补发 | told anew
    complete | 补发完毕 | complete
""")


def successions(context: Context, shown: Shown, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under("succession", known_at(as_known_at))
    rows = list(succession_rows(registers, streams))
    shown.page(("机构承接", "Successions"), SUCCESSION, Page(len(rows), _named(registers, rows, ["old", "to"], shown)))


def subscriptions(context: Context, shown: Shown, department: str | None, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    prefix = f"subscription/{department}" if department else "subscription"
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under(prefix, known_at(as_known_at))
    rows = list(subscription_rows(streams))
    shown.page(("订阅", "Subscriptions"), SUBSCRIPTION, Page(len(rows), _named(registers, rows, ["department"], shown)))


def _named(registers: Registers, rows: list[dict[str, Any]], keys: list[str], shown: Shown) -> list[dict[str, Any]]:
    names = {code: entry.name for code, entry in registers.departments.items()}
    return rows if shown.as_json else names_over(rows, keys, names)
