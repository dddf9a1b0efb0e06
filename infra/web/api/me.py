"""Who the caller is, as the doors know him."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from adapters.http.problems import responses
from domain.access import READS, Area, Reader, Scope
from infra.web.identity import CallerOf

router = APIRouter(tags=["me"])


class Me(BaseModel):
    """`reads`: of which kinds of records he may read his department's own, or all."""

    subject: str
    officer: str
    name: str
    department: str
    departments: list[str]
    roles: list[Reader]
    reads: dict[Area, Scope]


@router.get("/me", responses=responses(401, 403))
def me(caller: CallerOf) -> Me:
    """我是谁：本次访问所代表的部门、职责与可查阅的范围。"""
    return Me(
        subject=caller.subject,
        officer=caller.officer,
        name=caller.name,
        department=caller.department,
        departments=list(caller.departments),
        roles=sorted(caller.roles),
        reads={area: scope for area in READS if (scope := caller.scope(area)) is not None},
    )
