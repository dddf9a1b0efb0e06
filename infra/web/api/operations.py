"""How the store runs: liveness and position, deliveries, what intake made of what came. Of no case anything."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from adapters.http.problems import responses
from infra import operations as running
from infra.answers import log_readings
from infra.web.api.deadletters import no_past
from infra.web.listing import Asked, note
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of
from projections import outcomes

router = APIRouter(tags=["operations"])
ReadingOperations = Annotated[Reading, Depends(reading("operations"), scope="function")]


class Follower(BaseModel):
    """Liveness and position are two figures: one at rest is alive, one that stopped by an `error` is not.
    `behind_seconds`: the age of the first event not taken in, 0 where all are."""

    name: str
    role: str
    alive: bool
    alive_at: datetime | None
    host: str | None
    position: int | None
    behind_seconds: float | None
    error: str | None


class LogReading(BaseModel):
    """How far another store's log was read."""

    reader: str
    store: str
    position: int
    read_at: datetime | None
    alive_at: datetime | None
    error: str | None


class Witness(BaseModel):
    """Who cosigns the log's checkpoints: the largest size that it did, when that came; `error`: why it does not now,
    such as that it finds the log forked."""

    name: str
    size: int | None
    at: datetime | None
    error: str | None


class Queue(BaseModel):
    """What waits to be sent to a department by a channel, and its failures in a row; department "": the channel as a
    whole. `gone`: its address answered that it is no more."""

    department: str
    channel: Literal["kafka", "https", "sms", "letter"]
    waiting: int
    oldest_due_at: datetime | None
    most_attempts: int
    failures: int
    failed_at: datetime | None
    error: str | None
    gone: bool


class IntakePosition(BaseModel):
    topic: str
    partition: int
    next_offset: int
    epoch: int


class Outcomes(BaseModel):
    """What became of what came in: `came` is the sum of the others."""

    came: int
    accepted: int
    refused: int
    duplicate: int
    conflict: int
    parked: int
    dead: int


class Operations(BaseModel):
    position: int
    recorded_at: datetime | None
    followers: list[Follower]
    log_readings: list[LogReading]
    witnesses: list[Witness]
    intake: list[IntakePosition]
    outcomes: Outcomes
    queues: list[Queue]


@router.get("/operations", responses=responses(401, 403, 422))
def operations(
    reading: ReadingOperations,
    response: Response,
    since: Annotated[MomentText | None, Query(description="只数何时起到达的提交")] = None,
    as_known_at: Annotated[MomentText | None, Query(description="不可用：只有现在的")] = None,
) -> Operations:
    """运行：各角色与跟随者是否在运行、读到何处、落后多少、为何停止；待推送；提交的去向。"""
    if as_known_at is not None:
        raise no_past()
    response.headers["Cache-Control"] = "no-store"
    with reading.log() as conn:
        position, recorded_at = running.last_recorded(conn)
        counts = outcomes.counts(conn, since_of(since))
        found: dict[str, Any] = {
            "followers": running.followers(conn),
            "log_readings": log_readings(conn),
            "intake": running.intake_positions(conn),
            "witnesses": running.witnesses(conn),
            "queues": running.queues(conn),
        }
    note(reading, "operations", {"since": since}, sum(map(len, found.values())), _ASKED)
    return Operations(
        position=position,
        recorded_at=recorded_at,
        outcomes=Outcomes(came=counts.pop("in"), **counts),
        **found,
    )


_ASKED = Asked(None, 1, None, False, None, "json")
