"""Supervision feedback 监管反馈 and what the approving side makes of it, to the end (2.2e, 2.2f).

A thread: raised, disposed of; where the supervisor is not content it replies, and the thread is open again; at last it
closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from domain.case_state import CaseState, supervising
from domain.cases import case_stream
from domain.clocks import Due
from domain.event import Event, State
from domain.personal import Text
from domain.rules import Refusal, Waiting, rejection
from domain.submissions import Code, Day, Number, Payload, Submission, decides

if TYPE_CHECKING:
    from domain.world import World

Suggestion = Literal["none", "rectify", "suspend", "revoke", "change"]
Outcome = Literal["adopted", "partly", "not"]
FeedbackStatus = Literal["open", "disposed", "closed"]


def feedback_stream(department: str, number: str) -> str:
    return f"feedback/{department}/{number}"


class RaiseFeedback(Payload):
    """A supervisor's finding about a permit, with what it suggests."""

    TYPE = "feedback.raise"
    number: Number
    case_organ: Code
    case_number: Number
    found_on: Day
    suggestion: Suggestion
    detail: Text

    @property
    def case(self) -> str:
        return case_stream(self.case_organ, self.case_number)

    def streams(self) -> tuple[str, ...]:
        return (feedback_stream(self.department, self.number), self.case)

    def subject(self) -> str:
        return self.case

    def about(self) -> str:
        return self.case


class OfFeedback(Payload):
    """Base of what is done with a feedback. `supervisor` raised it under this number."""

    supervisor: Code
    number: Number

    def streams(self) -> tuple[str, ...]:
        return (feedback_stream(self.supervisor, self.number),)

    def about(self) -> str:
        return feedback_stream(self.supervisor, self.number)


class DisposeFeedback(OfFeedback):
    """The approving side answers a feedback: adopted, partly, or not, with the reason."""

    TYPE = "feedback.dispose"
    outcome: Outcome
    reason: Text


class ReplyFeedback(OfFeedback):
    """The supervisor is not content with the disposition 异议: the feedback is open again."""

    TYPE = "feedback.reply"
    detail: Text


class CloseFeedback(OfFeedback):
    """The supervisor is content with the disposition: the feedback is settled 办结."""

    TYPE = "feedback.close"


class FeedbackRaised(Event):
    """`organ` is the approving side that must hear of it, and answer until it is `due`."""

    TOPIC = "feedback.raised"
    department: str
    number: str
    case: str
    matter: str
    organ: str
    found_on: Day
    suggestion: Suggestion
    detail: Text
    due: Due | None = None

    @property
    def effective_on(self) -> str:
        return self.found_on.isoformat()


class FeedbackDisposed(Event):
    """`department` is the supervisor that must hear of it."""

    TOPIC = "feedback.disposed"
    department: str
    case: str
    matter: str
    organ: str
    outcome: Outcome
    reason: Text


class FeedbackReplied(Event):
    """`organ` is the approving side that must hear of it, and dispose of the feedback again."""

    TOPIC = "feedback.replied"
    department: str
    case: str
    matter: str
    organ: str
    detail: Text
    due: Due | None = None


class FeedbackClosed(Event):
    """`organ` is the approving side that must hear of it."""

    TOPIC = "feedback.closed"
    department: str
    case: str
    matter: str
    organ: str


@dataclass(frozen=True, slots=True)
class FeedbackState(State):
    """`due`: until when it is to be answered, as the event `run` says."""

    raised: FeedbackRaised | None = None
    status: FeedbackStatus = "open"
    due: Due | None = None
    run: int = 0

    def evolve(self, event: Event) -> FeedbackState:
        new = replace(self, version=event.originator_version)
        match event:
            case FeedbackRaised():
                return replace(new, raised=event, due=event.due, run=new.version)
            case FeedbackDisposed():
                return replace(new, status="disposed")
            case FeedbackReplied():
                return replace(new, status="open", due=event.due, run=new.version)
            case FeedbackClosed():
                return replace(new, status="closed")
        return new


def require_supervision(submission: Submission[Any], case: CaseState, on: date, world: World) -> None:
    """The department supervises the case: it holds a notice of it, or is in charge of a matter of which nobody was told
    then, or the matter was its own on that date, and not transferred.

    Whoever a transfer gave the power never does (1.1c).
    """
    registers, department = world.registers, submission.payload.department
    roles = registers.departments[department].roles
    holder = registers.holder(case.matter, on)
    if registers.transfer(case.matter, on) is None:
        if registers.acting(holder, submission.occurred_on, case.matter) != department:
            raise Refusal("supervision.not_addressee")
        if {"APPROVAL", "SUPERVISION"}.isdisjoint(roles):
            raise Refusal("mandate.role")
        return
    if registers.acting(holder, submission.occurred_on, case.matter) == department:
        raise Refusal("supervision.by_approver")
    if department not in supervising(case, registers, submission.occurred_on):
        raise Refusal("supervision.not_addressee")
    if "SUPERVISION" not in roles:
        raise Refusal("mandate.role")


@decides(RaiseFeedback)
def raise_feedback(submission: Submission[RaiseFeedback], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    case = world.case(payload.case_organ, payload.case_number)
    if case.status in ("", "accepted"):
        raise Waiting(case.stream)
    if payload.found_on.isoformat() < (case.decision["decided_on"] or ""):
        raise rejection("found_on", "date.order", payload.found_on)
    require_supervision(submission, case, payload.found_on, world)
    if payload.found_on > submission.occurred_on:
        raise rejection("found_on", "date.future", payload.found_on)
    holder = world.registers.holder(case.matter, payload.found_on)
    organ = world.registers.acting(holder, submission.occurred_on, case.matter)
    state = world.feedback(payload.department, payload.number)
    if state.raised is not None:
        raise Refusal("feedback.exists")
    return [
        state.then(
            FeedbackRaised,
            submission.meta,
            department=payload.department,
            number=payload.number,
            case=case.stream,
            matter=case.matter,
            organ=organ,
            found_on=payload.found_on,
            suggestion=payload.suggestion,
            detail=payload.detail,
            due=_reply_by(world, organ, case.matter),
        )
    ]


@decides(DisposeFeedback)
def dispose_feedback(submission: Submission[DisposeFeedback], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state, raised = raised_feedback(payload, world)
    sides = _sides(raised, world, submission.occurred_on)
    if sides["organ"] != payload.department:
        raise Refusal("mandate.role")
    if state.status == "closed":
        raise Refusal("feedback.closed")
    if state.status == "disposed":
        raise Refusal("feedback.disposed")
    return [state.then(FeedbackDisposed, submission.meta, **sides, outcome=payload.outcome, reason=payload.reason)]


@decides(ReplyFeedback)
def reply_feedback(submission: Submission[ReplyFeedback], world: World) -> list[Event]:
    payload = submission.payload
    state, sides = disposed_feedback(payload, world, submission.occurred_on)
    due = _reply_by(world, sides["organ"], sides["matter"])
    return [state.then(FeedbackReplied, submission.meta, **sides, detail=payload.detail, due=due)]


@decides(CloseFeedback)
def close_feedback(submission: Submission[CloseFeedback], world: World) -> list[Event]:
    state, sides = disposed_feedback(submission.payload, world, submission.occurred_on)
    return [state.then(FeedbackClosed, submission.meta, **sides)]


def raised_feedback(payload: OfFeedback, world: World) -> tuple[FeedbackState, FeedbackRaised]:
    """The feedback. Waits where it was not raised yet."""
    state = world.feedback(payload.supervisor, payload.number)
    if state.raised is None:
        raise Waiting(state.stream)
    return state, state.raised


def disposed_feedback(payload: OfFeedback, world: World, on: date) -> tuple[FeedbackState, dict[str, str]]:
    """The feedback and its sides, for who raised it. Waits where it is open: its disposition may be on its way."""
    world.require_department(payload.department)
    state, raised = raised_feedback(payload, world)
    sides = _sides(raised, world, on)
    if sides["department"] != payload.department:
        raise Refusal("mandate.role")
    if state.status == "closed":
        raise Refusal("feedback.closed")
    if state.status == "open":
        raise Waiting(state.stream)
    return state, sides


def _reply_by(world: World, organ: str, matter: str) -> Due:
    return world.registers.due("reply", world.today, region=world.registers.departments[organ].region, matter=matter)


def _sides(raised: FeedbackRaised, world: World, on: date) -> dict[str, str]:
    """The two sides of a feedback, by the name of who has their duties now, and what it is about."""
    acting = world.registers.acting
    return {
        "department": acting(raised.department, on, raised.matter),
        "case": raised.case,
        "matter": raised.matter,
        "organ": acting(raised.organ, on, raised.matter),
    }
