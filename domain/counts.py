"""What a source says it has sent, day by day, so that what came can be held against it (2.6b)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from domain.event import Event
from domain.rules import Refusal, rejection
from domain.submissions import SOURCE, Day, Payload, Submission, decides, is_own_source

if TYPE_CHECKING:
    from domain.world import World


def count_stream(source: str, day: date) -> str:
    return f"count/{source}/{day.isoformat()}"


class DeclareCount(Payload):
    """So many submissions of a source have a time on that day (Beijing). Said again, the last counts."""

    TYPE = "count.declare"
    counted_source: Annotated[str, StringConstraints(pattern=SOURCE.pattern)]
    day: Day
    count: Annotated[int, Field(ge=0, le=100_000_000)]

    def streams(self) -> tuple[str, ...]:
        return (count_stream(self.counted_source, self.day),)


class CountDeclared(Event):
    TOPIC = "count.declared"
    counted_source: str
    day: Day
    count: int

    @property
    def effective_on(self) -> str:
        return self.day.isoformat()


@decides(DeclareCount)
def declare_count(submission: Submission[DeclareCount], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    if not is_own_source(payload.counted_source, submission.principal):
        raise Refusal("count.not_yours")
    if payload.day > submission.occurred_on:
        raise rejection("day", "date.future", payload.day)
    return [
        world.state(count_stream(payload.counted_source, payload.day)).then(
            CountDeclared,
            submission.meta,
            counted_source=payload.counted_source,
            day=payload.day,
            count=payload.count,
        )
    ]
