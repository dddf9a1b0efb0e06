"""Written opinions 书面意见, where a ministry decides in the end or another region must recognise the permit.

An opinion is on record beside the case and never changes what the permit is worth (2.7d).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from domain.cases import OfCase
from domain.event import Event, State
from domain.matters import OpinionNeed
from domain.personal import Text
from domain.rules import Refusal, Waiting, rejection
from domain.submissions import Day, Number, Submission, decides

if TYPE_CHECKING:
    from domain.world import World


def opinion_stream(organ: str, number: str) -> str:
    return f"opinion/{organ}/{number}"


class IssueOpinion(OfCase):
    """The competent department issues a written opinion in a case whose matter is flagged for it."""

    TYPE = "opinion.issue"
    opinion_number: Number
    need: OpinionNeed
    issued_on: Day
    content: Text

    def streams(self) -> tuple[str, ...]:
        return (self.stream, opinion_stream(self.organ, self.number))


class OpinionIssued(Event):
    TOPIC = "opinion.issued"
    case: str
    matter: str
    opinion_number: str
    need: OpinionNeed
    issued_on: Day
    content: Text

    @property
    def effective_on(self) -> str:
        return self.issued_on.isoformat()


@dataclass(frozen=True, slots=True)
class OpinionState(State):
    """The numbers under which opinions were issued in a case."""

    numbers: frozenset[str] = frozenset()

    def evolve(self, event: Event) -> OpinionState:
        numbers = self.numbers | {event.opinion_number} if isinstance(event, OpinionIssued) else self.numbers
        return replace(self, version=event.originator_version, numbers=numbers)


@decides(IssueOpinion)
def issue_opinion(submission: Submission[IssueOpinion], world: World) -> list[Event]:
    payload = submission.payload
    department = world.require_department(payload.department)
    case = world.case(payload.organ, payload.number)
    if not case.status:
        raise Waiting(case.stream)
    entry = world.require_matter(case.matter)
    if payload.department != world.registers.competent(case.matter, payload.issued_on):
        raise Refusal("opinion.not_competent")
    if "SUPERVISION" not in department.roles:
        raise Refusal("mandate.role")
    if payload.need not in entry.opinions:
        raise Refusal("opinion.not_flagged")
    if payload.issued_on > submission.occurred_on:
        raise rejection("issued_on", "date.future", payload.issued_on)
    if payload.issued_on < case.accepted_on:
        raise rejection("issued_on", "date.order", payload.issued_on)
    state = world.opinions(payload.organ, payload.number)
    if payload.opinion_number in state.numbers:
        raise Refusal("opinion.exists")
    return [
        state.then(
            OpinionIssued,
            submission.meta,
            case=case.stream,
            matter=case.matter,
            opinion_number=payload.opinion_number,
            need=payload.need,
            issued_on=payload.issued_on,
            content=payload.content,
        )
    ]
