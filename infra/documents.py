"""Policy documents at the terminal, what rests on each, and the tasks of the reform (5.2a, 5.3a)."""

from __future__ import annotations

from typing import Any

from domain.documents import numbered
from infra.presentation import Context, Shown, columns
from infra.register_rows import citation_rows, document_rows, duty_rows
from infra.registers import TITLES, day, name_of, registers_at
from projections.page import Page

DOCUMENT = columns("""
    code | 编码 | code
    number | 文号 | number
    title | 标题 | title
    issuer | 发文机关 | issuer
    issued_on | 印发日期 | issued
    repealed_on | 废止日期 | repealed
    status | 状态 | status
    affects | 引用 | cited by
    since | 自 | since
    basis | 依据 | basis
""")
CITATION = columns("""
    kind | 登记 | register
    key | 编码 | key
    name | 名称 | name
    since | 自 | since
    basis | 依据 | basis
""")
DUTY = columns("""
    code | 编码 | code
    name | 任务 | task
    responsible | 责任部门 | responsible
    overseer | 督办部门 | overseer
    due_on | 完成期限 | due
    status | 状态 | status
    cost_item | 支出项目 | cost
    payer | 负担 | paid by
    budget | 预算级次 | budget
    amount | 金额（元） | amount, yuan
""")


def policy_documents(
    context: Context, shown: Shown, impact: str | None, as_true_at: str | None, as_known_at: str | None
) -> None:
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    if impact is not None:
        number = numbered(registers, impact, on)
        if number is None:
            raise shown.fail(f"没有登记文号 {impact}。", f"No document {impact} is registered.", number=impact)
        rows = [_citation(one, shown) for one in citation_rows(registers, on) if one["document"] == number]
        shown.page((f"引用 {number} 的登记", f"What rests on {number}"), CITATION, Page(len(rows), rows))
        return
    rows = list(document_rows(registers, on))
    shown.page(TITLES["document"], DOCUMENT, Page(len(rows), rows))


def reform_duties(
    context: Context, shown: Shown, overdue: bool, as_true_at: str | None, as_known_at: str | None
) -> None:
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    rows = [
        row | {name: name_of(registers, row[name], shown) for name in ("responsible", "overseer")}
        for row in duty_rows(registers, on)
        if row["status"] == "overdue" or not overdue
    ]
    shown.page(TITLES["duty"], DUTY, Page(len(rows), rows))


def _citation(row: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """For people a list by its title."""
    if not shown.as_json and row["kind"] in TITLES:
        return row | {"kind": TITLES[row["kind"]][0 if shown.zh else 1]}
    return row
