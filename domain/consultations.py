"""Consultations 商询 between levels (4.3a): asked, answered, asked again, closed; each step is told to the other side.

About a case, a matter, or neither. Who consults about a case has to do with it, and so has who is asked: the notice
tells of the case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from domain.case_state import CaseState, supervising
from domain.cases import case_stream
from domain.circulars import above, related
from domain.clocks import Due, fixed
from domain.event import Event, State
from domain.fields import MatterCode
from domain.personal import Text
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.submissions import Code, Day, Number, Payload, Submission, decides

if TYPE_CHECKING:
    from domain.departments import Department
    from domain.registers import Registers
    from domain.world import World

ConsultationStatus = Literal["open", "answered", "closed"]
_SERVING = frozenset({"APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY"})


def consultation_stream(asker: str, number: str) -> str:
    return f"consultation/{asker}/{number}"


class AskConsultation(Payload):
    """A department asks one of another level, about a case, a matter or neither."""

    TYPE = "consultation.ask"
    number: Number
    to: Code
    question: Text
    matter: MatterCode | None = None
    case_organ: Code | None = None
    case_number: Number | None = None
    reply_by: Day | None = None

    @model_validator(mode="after")
    def _about_one_thing(self) -> AskConsultation:
        if (self.case_organ is None) != (self.case_number is None):
            raise BadField("case_number", "consultation.case", "办件须有受理部门和办件号")
        if self.case_organ is not None and self.matter is not None:
            raise BadField("matter", "consultation.case", "有办件则不另写事项")
        return self

    @property
    def case(self) -> str:
        """Its stream, or "" where it is about none."""
        return case_stream(self.case_organ, self.case_number) if self.case_organ and self.case_number else ""

    def streams(self) -> tuple[str, ...]:
        return (consultation_stream(self.department, self.number), *((self.case,) if self.case else ()))

    def subject(self) -> str:
        return self.case or consultation_stream(self.department, self.number)

    def about(self) -> str:
        return self.case or consultation_stream(self.department, self.number)


class OfConsultation(Payload):
    """Base of what is done with a consultation: `asker` began it under this number."""

    asker: Code
    number: Number

    def streams(self) -> tuple[str, ...]:
        return (consultation_stream(self.asker, self.number),)

    def subject(self) -> str:
        return consultation_stream(self.asker, self.number)

    def about(self) -> str:
        return consultation_stream(self.asker, self.number)


class AnswerConsultation(OfConsultation):
    """Who was asked answers."""

    TYPE = "consultation.answer"
    answer: Text


class AskAgain(OfConsultation):
    """Who asked needs to know more 追问: the consultation is open again."""

    TYPE = "consultation.ask_again"
    question: Text
    reply_by: Day | None = None


class CloseConsultation(OfConsultation):
    """Who asked has its answer: the consultation is settled 办结."""

    TYPE = "consultation.close"


class ConsultationAsked(Event):
    """`to` must hear of it, and answer until it is `due`. `case` and `matter` are empty where it is about none."""

    TOPIC = "consultation.asked"
    department: str
    number: str
    to: str
    case: str
    matter: str
    question: Text
    reply_by: Day | None
    due: Due | None = None


class ConsultationAnswered(Event):
    """`department`, who asked, must hear of it."""

    TOPIC = "consultation.answered"
    department: str
    to: str
    case: str
    matter: str
    answer: Text


class ConsultationAskedAgain(Event):
    """`to` must hear of it, and answer again."""

    TOPIC = "consultation.asked_again"
    department: str
    to: str
    case: str
    matter: str
    question: Text
    reply_by: Day | None
    due: Due | None = None


class ConsultationClosed(Event):
    """`to` must hear of it."""

    TOPIC = "consultation.closed"
    department: str
    to: str
    case: str
    matter: str


@dataclass(frozen=True, slots=True)
class ConsultationState(State):
    """`reply_by`, `due`: until when the last question wants its answer, as the event `run` says."""

    asked: ConsultationAsked | None = None
    status: ConsultationStatus = "open"
    reply_by: date | None = None
    due: Due | None = None
    run: int = 0

    def evolve(self, event: Event) -> ConsultationState:
        new = replace(self, version=event.originator_version)
        match event:
            case ConsultationAsked():
                return replace(new, asked=event, reply_by=event.reply_by, due=event.due, run=new.version)
            case ConsultationAnswered():
                return replace(new, status="answered")
            case ConsultationAskedAgain():
                return replace(new, status="open", reply_by=event.reply_by, due=event.due, run=new.version)
            case ConsultationClosed():
                return replace(new, status="closed")
        return new


@decides(AskConsultation)
def ask_consultation(submission: Submission[AskConsultation], world: World) -> list[Event]:
    payload = submission.payload
    asker = world.require_role(submission, "APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY")
    asked = world.require_department(payload.to)
    on = submission.occurred_on
    if world.registers.ceased(payload.to, on):
        raise Refusal("department.ceased")
    if not _between_levels(asker, asked):
        raise Refusal("consultation.level")
    matter = payload.matter or ""
    if payload.case:
        case = world.case_at(payload.case)
        if not case.status:
            raise Waiting(case.stream)
        matter = case.matter
        if not all(has_to_do_with(one, case, world.registers, on) for one in (payload.department, payload.to)):
            raise Refusal("consultation.not_concerned")
    if matter:
        world.require_matter(matter)
    if payload.reply_by is not None and payload.reply_by < on:
        raise rejection("reply_by", "date.order", payload.reply_by)
    state = world.consultation(payload.department, payload.number)
    if state.asked is not None:
        raise Refusal("consultation.exists")
    return [
        state.then(
            ConsultationAsked,
            submission.meta,
            department=payload.department,
            number=payload.number,
            to=payload.to,
            case=payload.case,
            matter=matter,
            question=payload.question,
            reply_by=payload.reply_by,
            due=_due(payload, world),
        )
    ]


@decides(AnswerConsultation)
def answer_consultation(submission: Submission[AnswerConsultation], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state, asked = asked_consultation(payload, world)
    sides = consulting(asked, world.registers, submission.occurred_on)
    if sides["to"] != payload.department:
        raise Refusal("mandate.role")
    if state.status == "closed":
        raise Refusal("consultation.closed")
    if state.status == "answered":
        raise Refusal("consultation.answered")
    return [state.then(ConsultationAnswered, submission.meta, **sides, answer=payload.answer)]


@decides(AskAgain)
def ask_again(submission: Submission[AskAgain], world: World) -> list[Event]:
    payload = submission.payload
    state, sides = answered_consultation(payload, world, submission.occurred_on)
    if payload.reply_by is not None and payload.reply_by < submission.occurred_on:
        raise rejection("reply_by", "date.order", payload.reply_by)
    return [
        state.then(
            ConsultationAskedAgain,
            submission.meta,
            **sides,
            question=payload.question,
            reply_by=payload.reply_by,
            due=_due(payload, world),
        )
    ]


@decides(CloseConsultation)
def close_consultation(submission: Submission[CloseConsultation], world: World) -> list[Event]:
    state, sides = answered_consultation(submission.payload, world, submission.occurred_on)
    return [state.then(ConsultationClosed, submission.meta, **sides)]


def asked_consultation(payload: OfConsultation, world: World) -> tuple[ConsultationState, ConsultationAsked]:
    """The consultation. Waits where nothing was asked yet."""
    state = world.consultation(payload.asker, payload.number)
    if state.asked is None:
        raise Waiting(consultation_stream(payload.asker, payload.number))
    return state, state.asked


def answered_consultation(payload: OfConsultation, world: World, on: date) -> tuple[ConsultationState, dict[str, str]]:
    """The consultation and its sides, for who asked. Waits where it is open: the answer may be on its way."""
    world.require_department(payload.department)
    state, asked = asked_consultation(payload, world)
    sides = consulting(asked, world.registers, on)
    if sides["department"] != payload.department:
        raise Refusal("mandate.role")
    if state.status == "closed":
        raise Refusal("consultation.closed")
    if state.status == "open":
        raise Waiting(consultation_stream(payload.asker, payload.number))
    return state, sides


def consulting(asked: ConsultationAsked, registers: Registers, on: date) -> dict[str, str]:
    """The two sides of a consultation, by the name of who has their duties on that day, and what it is about."""
    return {
        "department": registers.acting(asked.department, on, asked.matter),
        "to": registers.acting(asked.to, on, asked.matter),
        "case": asked.case,
        "matter": asked.matter,
    }


def has_to_do_with(department: str, case: CaseState, registers: Registers, on: date) -> bool:
    """Whether it approves or supervises the case, or is a higher authority over its organ."""
    organ = case.stream.split("/")[1]
    mine = {organ, registers.acting(organ, on, case.matter), registers.holder(case.matter, on)}
    return (
        department in mine
        or department in supervising(case, registers, on)
        or above(registers.departments[department], registers.departments[organ])
    )


def _due(payload: AskConsultation | AskAgain, world: World) -> Due | None:
    """From the day on which the question is recorded, as of whatever is told."""
    return fixed(world.registers.calendar, world.today, payload.reply_by) if payload.reply_by else None


def _between_levels(one: Department, other: Department) -> bool:
    """In one region or one within the other, and not of the same level."""
    if not (_SERVING & set(one.roles) and _SERVING & set(other.roles) and related(one, other)):
        return False
    higher = ["HIGHER_AUTHORITY" in each.roles for each in (one, other)]
    return one.region != other.region or higher[0] != higher[1]
