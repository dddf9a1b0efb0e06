"""Liaison officers at the terminal (2.2g)."""

from __future__ import annotations

from typing import Any

from domain.liaisons import contact, liaisons_on, to_be_reached
from infra.presentation import Context, Shown, columns
from infra.registers import day, name_of, registers_at
from projections.page import Page

LIAISON = columns("""
    department | 部门 | department
    contact | 联络 | contact
    number | 编号 | number
    deputy | 副联络员 | deputy
    name | 姓名 | name
    phone | 电话 | telephone
    since | 自 | since
""")


def liaisons(
    context: Context,
    shown: Shown,
    department: str | None,
    missing: bool,
    as_true_at: str | None,
    as_known_at: str | None,
) -> None:
    registers, on = registers_at(context, as_known_at), day(as_true_at)
    if department is not None and department not in registers.departments:
        raise shown.fail("没有登记此部门。", "No such department is registered.", department=department)
    rows: list[dict[str, Any]] = []
    for code in to_be_reached(registers, on) if department is None else [department]:
        reached = contact(registers, code, on)
        if missing and reached == "liaison":
            continue
        row = {"department": name_of(registers, code, shown), "contact": reached}
        found = liaisons_on(registers, code, on)
        rows += [
            row
            | {
                "number": one.number,
                "deputy": one.deputy,
                "name": one.person.name,
                "phone": one.person.phone,
                "since": one.since,
            }
            for one in found
        ] or [row]
    shown.page(("联络员", "Liaison officers"), LIAISON, Page(len(rows), rows))
