"""What the demonstration's sign-in page offers: departments by league and city, and one of each duty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import get_args

from fastapi import Request
from fastapi.responses import HTMLResponse

from domain.departments import Department, Role
from domain.registers import Registers
from domain.submissions import local_date
from infra.statistics import region_of
from infra.web.pages.page import language, render

ROLES: dict[Role, tuple[str, str]] = {
    "APPROVAL": ("行政审批部门", "Approval"),
    "SUPERVISION": ("监管部门", "Supervision"),
    "HIGHER_AUTHORITY": ("上级部门", "Higher authority"),
    "REFORM_OFFICE": ("审改部门", "Reform office"),
    "REVIEW_ORGAN": ("复议机关、法院", "Review organ"),
    "DISCIPLINE": ("纪检监察", "Discipline inspection"),
    "PLATFORM": ("政务服务平台", "Service platform"),
}


def show(request: Request, query: str, following: str) -> HTMLResponse:
    """Those whose name or code has the query in it; all of them where it is empty."""
    registers: Registers = request.app.state.registry.now()
    today = local_date(datetime.now(UTC))
    standing = [one for one in registers.departments.values() if not registers.ceased(one.code, today)]
    zh = language(request) == "zh"
    found = [one for one in standing if query.strip().lower() in f"{one.name} {one.code}".lower()]
    return render(
        request,
        "signin.html",
        groups=grouped(found, region_of(registers, zh)),
        examples=[] if query else examples(standing),
        role_word=lambda role: ROLES[role][0 if zh else 1],
        q=query,
        next=following,
    )


def grouped(departments: list[Department], of: Callable[[str], tuple[str, str]]) -> list[tuple[str, list[Department]]]:
    """By league and city, in the order of their codes."""
    groups: dict[tuple[str, str], list[Department]] = {}
    for one in sorted(departments, key=lambda one: one.code):
        groups.setdefault(of(one.code), []).append(one)
    return [(name, group) for (_, name), group in sorted(groups.items())]


def examples(departments: list[Department]) -> list[tuple[Role, Department]]:
    """For each duty one department, of those with no other duty where there is one."""
    found = []
    for role in get_args(Role):
        holders = sorted((one for one in departments if role in one.roles), key=lambda one: (len(one.roles), one.code))
        if holders:
            found.append((role, holders[0]))
    return found
