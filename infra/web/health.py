"""Whether the doors live, and whether they should be asked; the figures for monitoring."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from infra.settings import Settings
from infra.web.metrics import Metrics
from infra.web.vitals import Follower, Pulse, Vitals

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers; nothing more is said."""

    status: Literal["alive"] = "alive"


class RoleHealth(BaseModel):
    """`alive`: all of its parts have shown life within 15 s; null where none has ever been seen here."""

    role: str
    alive: bool | None


class FollowerHealth(BaseModel):
    """`behind_s`: the age of the first event not yet taken in, 0 where there is none. `seen_s`: since it last showed
    life. `stopped`: by an error, which `shenguan status` tells."""

    name: str
    role: str
    alive: bool
    stopped: bool
    seen_s: float | None
    position: int | None
    behind_s: float | None


class Readiness(BaseModel):
    """`reasons`, where not ready: `database`; `missing:` or `behind:` and a read model's name."""

    ready: bool
    reasons: list[str]
    database: bool
    position: int
    roles: list[RoleHealth]
    followers: list[FollowerHealth]


@router.get("/healthz")
async def alive() -> Alive:
    """存活：进程在应答。"""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "not ready"}})
def ready(request: Request, response: Response) -> Readiness:
    """就绪：数据库可用，读模型不落后于日志超过一分钟；各角色是否在运行。"""
    pulse: Pulse = request.app.state.pulse
    found = pulse.now()
    reasons = found.reasons
    if reasons:
        response.status_code = 503
    response.headers["Cache-Control"] = "no-store"
    return Readiness(
        ready=not reasons,
        reasons=reasons,
        database=found.database,
        position=found.head,
        roles=_roles(found, request.app.state.store.settings),
        followers=[_follower(one) for one in found.followers],
    )


@router.get("/metrics", include_in_schema=False)
def figures(request: Request) -> Response:
    """For Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _roles(found: Vitals, settings: Settings) -> list[RoleHealth]:
    from infra.roles.catalogue import needed  # it knows the role `api`, which knows us

    by_role: dict[str, list[bool]] = {}
    for one in found.followers:
        by_role.setdefault(one.role, []).append(one.alive)
    return [
        RoleHealth(role=name, alive=all(by_role[name]) if name in by_role else None)
        for name in needed(settings)
        if found.database and name != "api"
    ]


def _follower(one: Follower) -> FollowerHealth:
    return FollowerHealth(
        name=one.name,
        role=one.role,
        alive=one.alive,
        stopped=one.stopped,
        seen_s=round(one.seen_s, 1) if one.seen_s is not None else None,
        position=one.position,
        behind_s=round(one.behind_s, 1) if one.position is not None else None,
    )
