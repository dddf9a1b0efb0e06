"""Superior review 上级审查: submitted straight up by the approving department, and answered straight down (4.2).

Nobody forwards it: 转报 through the competent department of the same level is refused and recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from domain.case_state import case_for_power
from domain.cases import OfCase
from domain.entries import Entry
from domain.event import Event, State
from domain.identifiers import is_within
from domain.personal import Text
from domain.rules import Refusal, Waiting
from domain.submissions import Code, Number, Payload, Submission, Title, decides

if TYPE_CHECKING:
    from domain.world import World

ReviewResult = Literal["agreed", "not_agreed"]


def review_stream(submitter: str, number: str) -> str:
    return f"review/{submitter}/{number}"


class SubmitReview(OfCase):
    """The holder of the power submits a case to a higher authority for review."""

    TYPE = "review.submit"
    review_number: Number
    to: Code
    content: Text

    def streams(self) -> tuple[str, ...]:
        return (self.stream, review_stream(self.department, self.review_number))


class ReturnReview(Payload):
    """The higher authority says what the review came to."""

    TYPE = "review.return"
    submitter: Code
    review_number: Number
    result: ReviewResult
    opinion: Text

    def streams(self) -> tuple[str, ...]:
        return (review_stream(self.submitter, self.review_number),)

    def subject(self) -> str:
        return review_stream(self.submitter, self.review_number)

    def about(self) -> str:
        return review_stream(self.submitter, self.review_number)


class ForwardReview(OfCase):
    """Somebody would pass a case on by way of another department 转报: always refused, always recorded (4.2b)."""

    TYPE = "review.forward"
    through: Code


class ReviewSubmitted(Event):
    """`to` is the higher authority that must hear of it."""

    TOPIC = "review.submitted"
    department: str
    review_number: str
    case: str
    matter: str
    to: str
    content: Text


class ReviewReturned(Event):
    """`department` is the submitter that must hear of it."""

    TOPIC = "review.returned"
    department: str
    case: str
    matter: str
    result: ReviewResult
    opinion: Text


@dataclass(frozen=True, slots=True)
class ReviewState(State):
    submitted: ReviewSubmitted | None = None
    returned: bool = False

    def evolve(self, event: Event) -> ReviewState:
        new = replace(self, version=event.originator_version)
        match event:
            case ReviewSubmitted():
                return replace(new, submitted=event)
            case ReviewReturned():
                return replace(new, returned=True)
        return new


class SystemAccess(Entry):
    """Access 权限 to a higher authority's system, granted to a department (4.2c)."""

    kind: Literal["system_access"] = "system_access"
    system: Code
    name: Title
    granted_by: Code
    granted_to: Code

    def key(self) -> str:
        return f"{self.granted_to}.{self.system}"  # codes have no dot


@decides(SubmitReview)
def submit_review(submission: Submission[SubmitReview], world: World) -> list[Event]:
    payload = submission.payload
    case = case_for_power(submission, payload, submission.occurred_on, world)
    above = world.require_department(payload.to, "HIGHER_AUTHORITY")
    if payload.to == world.registers.competent(case.matter, submission.occurred_on):
        raise Refusal("review.forwarded")
    own = world.registers.departments[payload.department].region
    if above.region == own or not is_within(own, above.region):
        raise Refusal("review.not_above")
    if case.status != "accepted":
        raise Refusal("case.state")
    state = world.review(payload.department, payload.review_number)
    if state.submitted is not None:
        raise Refusal("review.exists")
    return [
        state.then(
            ReviewSubmitted,
            submission.meta,
            department=payload.department,
            review_number=payload.review_number,
            case=case.stream,
            matter=case.matter,
            to=payload.to,
            content=payload.content,
        )
    ]


@decides(ReturnReview)
def return_review(submission: Submission[ReturnReview], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "HIGHER_AUTHORITY")
    state = world.review(payload.submitter, payload.review_number)
    if state.submitted is None:
        raise Waiting(review_stream(payload.submitter, payload.review_number))
    submitted, on = state.submitted, submission.occurred_on
    if world.registers.acting(submitted.to, on, submitted.matter) != payload.department:
        raise Refusal("mandate.role")
    if state.returned:
        raise Refusal("review.returned")
    return [
        state.then(
            ReviewReturned,
            submission.meta,
            department=world.registers.acting(submitted.department, on, submitted.matter),
            case=submitted.case,
            matter=submitted.matter,
            result=payload.result,
            opinion=payload.opinion,
        )
    ]


@decides(ForwardReview)
def forward_review(submission: Submission[ForwardReview], world: World) -> list[Event]:
    world.require_department(submission.payload.department)
    raise Refusal("review.forwarded")


def require_access(entry: SystemAccess, world: World, by: str, on: date) -> None:
    """Only who runs the system grants access to it, and nobody takes over what another has granted."""
    world.require_department(entry.granted_to)
    version = world.registers.version(entry.kind, entry.key(), on)
    standing = version.entry if version is not None else None
    if entry.granted_by != by or (isinstance(standing, SystemAccess) and standing.granted_by != by):
        raise Refusal("mandate.role")
