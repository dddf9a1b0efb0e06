"""Dead letters 死信, conflicts and what is parked: where each lay and what is wrong with it, never what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import Fault, Problem, responses
from adapters.postgres.log import Log
from infra.answers import CONFLICT, DEAD, PARKED
from infra.explaining import awaited, explained
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.pages.page import language
from infra.web.reading import Reading, reading
from projections import outcomes
from projections.page import Slice

router = APIRouter(tags=["deadletters"])


class Arrived(BaseModel):
    """A submission. `place`: topic id, partition and offset in Kafka."""

    place: str
    topic: str
    principal: str
    source: str
    id: str
    type: str
    department: str | None
    arrived_at: datetime


class Wrong(BaseModel):
    """A wrong field; `found` says of what kind it was, never what it was."""

    field: str
    rule: str
    message: str
    found: str


class DeadLetter(Arrived):
    """`reason`: all that is wrong, in words; `retried_at`: when it was handed in anew."""

    number: int
    dead_at: datetime
    reason: str
    errors: list[Wrong]
    retry_of: str | None
    retried_at: datetime | None


class Conflict(Arrived):
    """Its source and id were taken by other content: that of `holder`, a place."""

    holder: str | None


class Parked(Arrived):
    """It waits for a stream, `awaited` in words; `ready`: its turn has come."""

    waits_for: str
    awaited: str
    parked_at: datetime
    expires_at: datetime
    ready: bool


DEADLETTERS = Listing("deadletters", outcomes.DEAD_KEY, DEAD, DeadLetter)
CONFLICTS = Listing("conflicts", outcomes.CONFLICT_KEY, CONFLICT, Conflict)
PARKED_ITEMS = Listing("parked", outcomes.PARKED_KEY, PARKED, Parked)


def outcome_reading(
    reading: Annotated[Reading, Depends(reading("deadletters"), scope="function")],
) -> Reading:
    """They lie in intake's own tables, which no reader has a right to: what is read there is chosen by department."""
    with reading.log() as conn:
        reading.positions = {"log": Log(conn).head()}
        reading.edition = outcomes.edition(conn)
    return reading


OutcomeReading = Annotated[Reading, Depends(outcome_reading)]
Department = Annotated[str | None, Query(description="哪个部门的提交")]
Principal = Annotated[str | None, Query(description="哪个接入方的")]
Type = Annotated[str | None, Query(description="提交类型，如 case.decide")]


@router.get("/deadletters", response_model=Listed[DeadLetter], responses={**FILES, **responses(401, 403, 422)})
def deadletters(
    reading: OutcomeReading,
    asked: AskedFor,
    response: Response,
    department: Department = None,
    principal: Principal = None,
    type: Type = None,
    retried: Annotated[bool | None, Query(description="是否已重试")] = None,
) -> Any:
    """死信：不能成为事实的提交，哪个字段违反哪条规则；内容不显示。最近的在前。"""
    zh = language(reading.request) == "zh"
    chosen = _chosen(department, principal, type)

    def find(_: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        with reading.log() as conn:
            found = outcomes.dead_slice(
                conn, after, limit, own=reading.department, known_at=asked.known_at, retried=retried, **chosen
            )
        joined = "；" if zh else "; "
        return Slice(
            [row | {"reason": joined.join(explained(one, zh) for one in row["errors"])} for row in found.rows],
            found.more,
        )

    return answer(DEADLETTERS, reading, asked, response, find, {**chosen, "retried": retried})


@router.get("/deadletters/conflicts", response_model=Listed[Conflict], responses={**FILES, **responses(401, 403, 422)})
def conflicts(
    reading: OutcomeReading,
    asked: AskedFor,
    response: Response,
    department: Department = None,
    principal: Principal = None,
    type: Type = None,
) -> Any:
    """冲突：同一来源与标识而内容不同的提交，与哪一件相冲突；内容不显示。"""
    chosen = _chosen(department, principal, type)

    def find(_: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        with reading.log() as conn:
            return outcomes.conflicts_slice(
                conn, after, limit, own=reading.department, known_at=asked.known_at, **chosen
            )

    return answer(CONFLICTS, reading, asked, response, find, chosen)


@router.get("/parked", response_model=Listed[Parked], responses={**FILES, **responses(401, 403, 422)})
def parked(
    reading: OutcomeReading,
    asked: AskedFor,
    response: Response,
    department: Department = None,
    principal: Principal = None,
    type: Type = None,
) -> Any:
    """等待中的提交：等什么、自何时、至何时；先到期的在前。只有现在的：等到了的不再在此。"""
    if asked.known_at is not None:
        raise no_past()
    zh = language(reading.request) == "zh"
    chosen = _chosen(department, principal, type)

    def find(_: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        with reading.log() as conn:
            found = outcomes.parked_slice(conn, after, limit, own=reading.department, **chosen)
        return Slice([row | {"awaited": awaited(row["waits_for"], zh)} for row in found.rows], found.more)

    return answer(PARKED_ITEMS, reading, asked, response, find, chosen)


def no_past() -> Problem:
    """Of what is kept only as it is now."""
    fault = Fault(field="query.as_known_at", rule="past.none", message="is not kept of this")
    return Problem(422, "此项只有现在的，不保留过去", "of this there is only the present", faults=[fault])


def _chosen(department: str | None, principal: str | None, type_: str | None) -> dict[str, Any]:
    given = {"department": department, "principal": principal, "type": type_}
    return {name: value for name, value in given.items() if value is not None}
