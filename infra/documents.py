"""Policy documents at the terminal, what rests on each, and the tasks of the reform (5.2a, 5.3a)."""

from __future__ import annotations

from typing import Any

from domain.documents import Citation, citations, documents, numbered
from domain.duties import duties
from domain.registers import Registers
from infra.presentation import Context, Shown, columns
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
        rows = [_citation(registers, one, shown) for one in citations(registers, number, on)]
        shown.page((f"引用 {number} 的登记", f"What rests on {number}"), CITATION, Page(len(rows), rows))
        return
    rows = [
        {
            **known.document.model_dump(mode="json"),
            "status": known.status,
            "affects": len(citations(registers, known.document.number, on)),
            "since": known.since,
            "basis": known.basis,
        }
        for known in documents(registers, on).values()
    ]
    shown.page(TITLES["document"], DOCUMENT, Page(len(rows), rows))


def reform_duties(
    context: Context, shown: Shown, overdue: bool, as_true_at: str | None, as_known_at: str | None
) -> None:
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    rows = [
        {
            **one.duty.model_dump(mode="json"),
            "responsible": name_of(registers, one.duty.responsible, shown),
            "overseer": name_of(registers, one.duty.overseer, shown),
            "status": one.status,
        }
        for one in duties(registers, on)
        if one.status == "overdue" or not overdue
    ]
    shown.page(TITLES["duty"], DUTY, Page(len(rows), rows))


def _citation(registers: Registers, one: Citation, shown: Shown) -> dict[str, Any]:
    """For people a list by its title, and what the key names."""
    row = one._asdict() | {"name": None}
    matter = registers.matters.get(one.key.partition(".")[0])
    if matter is not None:
        row["name"] = matter.entry.name
    elif one.kind == "succession":
        row["name"] = name_of(registers, one.key, shown)
    elif (version := registers.entries.get(one.kind, {}).get(one.key)) and version[-1].entry is not None:
        row["name"] = getattr(version[-1].entry, "name", None)
    if not shown.as_json and one.kind in TITLES:
        row["kind"] = TITLES[one.kind][0 if shown.zh else 1]
    return row
