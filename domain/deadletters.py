"""Dead letters: an operator may have one decided again, verbatim, in its sender's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from domain.departments import OperatorPayload
from domain.event import Event
from domain.submissions import Submission, decides

if TYPE_CHECKING:
    from domain.world import World


class RetryDeadLetter(OperatorPayload):
    """`place` as the list of dead letters shows it: topic id, partition and offset."""

    TYPE = "deadletter.retry"
    place: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}/[0-9]{1,9}/[0-9]{1,18}$")]


class DeadLetterRetried(Event):
    """The letter's own outcome stands in its disposition."""

    TOPIC = "deadletter.retried"
    place: str


@decides(RetryDeadLetter)
def retry_dead_letter(submission: Submission[RetryDeadLetter], world: World) -> list[Event]:
    place = submission.payload.place
    return [world.state(f"deadletter/{place}").then(DeadLetterRetried, submission.meta, place=place)]
