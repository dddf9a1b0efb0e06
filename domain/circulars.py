"""Circulars 通知 and invitations: to whom 主送 and 抄送, by whom received, who comes (2.4, 4.1, 4.3b).

Each side tells the other of changed policy and invites it; a higher authority tells and guides those below. The notice
of it is owed and signed for like any other, though it is about no case.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from domain.event import Event, State
from domain.fields import EACH_ONCE, MatterCode
from domain.identifiers import is_within
from domain.personal import Officer, Text
from domain.rules import BadField, Refusal, Waiting
from domain.submissions import Code, Day, Moment, Number, Payload, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.departments import Department
    from domain.registers import Registers
    from domain.world import World

CircularKind = Literal["policy", "meeting", "training", "guidance"]
"""政策变化, 会议, 培训, 对下指导."""
INVITATIONS: tuple[CircularKind, ...] = ("meeting", "training")
_SIGNING = frozenset({"APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY", "REFORM_OFFICE", "REVIEW_ORGAN"})
"""Whoever has one of these can sign for what it is sent."""


def _each_once(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) < len(codes):
        raise BadField("", "circular.twice", "同一部门列了两次")
    return codes


Addressees = Annotated[tuple[Code, ...], Field(max_length=500), AfterValidator(_each_once)]


def circular_stream(sender: str, number: str) -> str:
    return f"circular/{sender}/{number}"


class SendCircular(Payload):
    """A circular under its number 文号. `main` 主送, `copies` 抄送; `concerns`: the matters that it is about, where it
    names any; `changed_on`: since when a changed policy holds."""

    TYPE = "circular.send"
    kind: CircularKind
    number: Number
    title: Title
    body: Text
    main: Annotated[Addressees, Field(min_length=1)]
    copies: Addressees = ()
    concerns: Annotated[tuple[MatterCode, ...], Field(max_length=500), EACH_ONCE] = ()
    changed_on: Day | None = None
    meets_at: Moment | None = None
    venue: Title | None = None
    reply_by: Day | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> SendCircular:
        invites = self.kind in INVITATIONS
        if (self.kind == "policy") != (self.changed_on is not None):
            raise BadField("changed_on", "circular.changed_on", "政策变化须有生效日期，其他通知不得有")
        if invites != (self.meets_at is not None):
            raise BadField("meets_at", "circular.meets_at", "会议、培训须有时间，其他通知不得有")
        if not invites and (self.venue or self.reply_by):
            raise BadField("reply_by", "circular.reply_by", "只有会议、培训有地点和回复期限")
        if self.reply_by and self.meets_at and self.reply_by > local_date(self.meets_at):
            raise BadField("reply_by", "date.order", "回复期限晚于会议、培训")
        return self

    @model_validator(mode="after")
    def _each_addressed_once(self) -> SendCircular:
        if self.department in (*self.main, *self.copies):
            raise BadField("main", "circular.itself", "不得主送或抄送本部门")
        if set(self.main) & set(self.copies):
            raise BadField("copies", "circular.twice", "同一部门既主送又抄送")
        return self

    def streams(self) -> tuple[str, ...]:
        return (circular_stream(self.department, self.number),)

    def subject(self) -> str:
        return circular_stream(self.department, self.number)

    def about(self) -> str:
        return circular_stream(self.department, self.number)


class OfCircular(Payload):
    """Base of what is done with a circular: `sender` sent it under this number."""

    sender: Code
    number: Number

    def streams(self) -> tuple[str, ...]:
        return (circular_stream(self.sender, self.number),)

    def subject(self) -> str:
        return circular_stream(self.sender, self.number)

    def about(self) -> str:
        return circular_stream(self.sender, self.number)


class AnswerInvitation(OfCircular):
    """An addressee says whether it comes to a meeting or training, and who; its last answer counts."""

    TYPE = "circular.answer"
    attending: bool
    attendees: Annotated[tuple[Officer, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _who_comes(self) -> AnswerInvitation:
        if self.attending != bool(self.attendees):
            raise BadField("attendees", "circular.attendees", "参加须写明参加人员，不参加则不写")
        return self


class WithdrawCircular(OfCircular):
    """The sender takes a circular back 撤回; `replaced_by`: another of its own, already sent, takes its place."""

    TYPE = "circular.withdraw"
    reason: Text
    replaced_by: Number | None = None

    @model_validator(mode="after")
    def _by_another(self) -> WithdrawCircular:
        if (self.department, self.replaced_by) == (self.sender, self.number):
            raise BadField("replaced_by", "circular.itself", "不得由其自身替代")
        return self

    def streams(self) -> tuple[str, ...]:
        other = () if self.replaced_by is None else (circular_stream(self.department, self.replaced_by),)
        return (*super().streams(), *other)


class CircularSent(Event):
    """Everybody in `main` and `copies` must hear of it."""

    TOPIC = "circular.sent"
    department: str
    number: str
    kind: CircularKind
    title: str
    body: Text
    main: tuple[str, ...]
    copies: tuple[str, ...]
    concerns: tuple[str, ...]
    changed_on: Day | None
    meets_at: Moment | None
    venue: str | None
    reply_by: Day | None

    @property
    def addressees(self) -> tuple[str, ...]:
        return (*self.main, *self.copies)

    @property
    def sent_on(self) -> date:
        """As its sender says, in Beijing time."""
        return local_date(self.meta.occurred_at)

    @property
    def effective_on(self) -> str | None:
        return self.changed_on.isoformat() if self.changed_on else None


class InvitationAnswered(Event):
    """`to`, the sender or its successor, must hear of it."""

    TOPIC = "circular.answered"
    department: str
    to: str
    attending: bool
    attendees: tuple[Officer, ...]


class CircularWithdrawn(Event):
    """`audience`: whoever was sent it, or has their duties now."""

    TOPIC = "circular.withdrawn"
    audience: tuple[str, ...]
    reason: Text
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class CircularState(State):
    """`answers`: the last of each department."""

    sent: CircularSent | None = None
    withdrawn: CircularWithdrawn | None = None
    answers: dict[str, InvitationAnswered] = field(default_factory=dict)

    def evolve(self, event: Event) -> CircularState:
        new = replace(self, version=event.originator_version)
        match event:
            case CircularSent():
                return replace(new, sent=event)
            case InvitationAnswered():
                return replace(new, answers=self.answers | {event.department: event})
            case CircularWithdrawn():
                return replace(new, withdrawn=event)
        return new


def reached(sent: CircularSent, registers: Registers, on: date, but: str) -> tuple[str, ...]:
    """Who has the duties of those it was sent to on that day, leaving one out."""
    return tuple(one for one in registers.acting_for(sent.addressees, on, "") if one != but)


def above(higher: Department, lower: Department) -> bool:
    """Whether the one is a higher authority over the other's level."""
    return (
        "HIGHER_AUTHORITY" in higher.roles and lower.region != higher.region and is_within(lower.region, higher.region)
    )


def related(one: Department, other: Department) -> bool:
    """Whether one of them lies in the other's region."""
    return is_within(one.region, other.region) or is_within(other.region, one.region)


@decides(SendCircular)
def send_circular(submission: Submission[SendCircular], world: World) -> list[Event]:
    payload = submission.payload
    sender = world.require_role(submission, "APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY")
    for code in (*payload.main, *payload.copies):
        addressee = world.require_department(code)
        if world.registers.ceased(code, submission.occurred_on):
            raise Refusal("department.ceased")
        if payload.kind == "guidance" and not above(sender, addressee):
            raise Refusal("circular.not_below")
        if not _may_address(sender, addressee, main=code in payload.main):
            raise Refusal("circular.addressee")
    for matter in payload.concerns:
        world.require_matter(matter)
    state = world.circular(payload.department, payload.number)
    if state.sent is not None:
        raise Refusal("circular.exists")
    return [
        state.then(
            CircularSent,
            submission.meta,
            department=payload.department,
            number=payload.number,
            kind=payload.kind,
            title=payload.title,
            body=payload.body,
            main=payload.main,
            copies=payload.copies,
            concerns=payload.concerns,
            changed_on=payload.changed_on,
            meets_at=payload.meets_at,
            venue=payload.venue,
            reply_by=payload.reply_by,
        )
    ]


@decides(AnswerInvitation)
def answer_invitation(submission: Submission[AnswerInvitation], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state, sent = sent_circular(payload, world)
    acting = world.registers.acting
    if payload.department not in reached(sent, world.registers, submission.occurred_on, but=""):
        raise Refusal("circular.not_addressed")
    if sent.kind not in INVITATIONS:
        raise Refusal("circular.no_invitation")
    if state.withdrawn:
        raise Refusal("circular.withdrawn")
    return [
        state.then(
            InvitationAnswered,
            submission.meta,
            department=payload.department,
            to=acting(sent.department, submission.occurred_on, ""),
            attending=payload.attending,
            attendees=payload.attendees,
        )
    ]


@decides(WithdrawCircular)
def withdraw_circular(submission: Submission[WithdrawCircular], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state, sent = sent_circular(payload, world)
    on = submission.occurred_on
    if world.registers.acting(sent.department, on, "") != payload.department:
        raise Refusal("mandate.role")
    if state.withdrawn:
        raise Refusal("circular.withdrawn")
    if payload.replaced_by is not None and world.circular(payload.department, payload.replaced_by).sent is None:
        raise Waiting(circular_stream(payload.department, payload.replaced_by))
    return [
        state.then(
            CircularWithdrawn,
            submission.meta,
            audience=reached(sent, world.registers, on, but=payload.department),
            reason=payload.reason,
            replaced_by=payload.replaced_by,
        )
    ]


def sent_circular(payload: OfCircular, world: World) -> tuple[CircularState, CircularSent]:
    """The circular. Waits where it was not sent yet."""
    state = world.circular(payload.sender, payload.number)
    if state.sent is None:
        raise Waiting(circular_stream(payload.sender, payload.number))
    return state, state.sent


def _may_address(sender: Department, addressee: Department, *, main: bool) -> bool:
    """A higher authority whoever is in its region; a side the other side, and for information whoever it has to do
    with. Nobody whom no department's duties let sign for it."""
    if _SIGNING.isdisjoint(addressee.roles):
        return False
    if "HIGHER_AUTHORITY" in sender.roles and is_within(addressee.region, sender.region):
        return True
    sides = (("APPROVAL", "SUPERVISION"), ("SUPERVISION", "APPROVAL"))
    other_side = any(own in sender.roles and other in addressee.roles for own, other in sides)
    return related(sender, addressee) and (other_side or not main)


class Missed(NamedTuple):
    """An approval department that a circular from above leaves out, though it tells the competent department of matters
    over which that one no longer decides (4.1)."""

    approver: str
    competent: str
    matters: tuple[str, ...]


def missed(sent: CircularSent, registers: Registers) -> list[Missed]:
    """By the registers on the day of sending: of the matters it concerns, or, where it names none, of all."""
    on, told = sent.sent_on, set(sent.addressees)
    if "HIGHER_AUTHORITY" not in registers.departments[sent.department].roles:
        return []
    found: dict[tuple[str, str], list[str]] = {}
    for matter in sent.concerns or _open_matters(registers):
        if registers.transfer(matter, on) is None:
            continue
        competent, approver = registers.competent(matter, on), registers.holder(matter, on)
        if competent in told and approver not in told | {sent.department}:
            found.setdefault((approver, competent), []).append(matter)
    return [Missed(*sides, tuple(matters)) for sides, matters in sorted(found.items())]


def concerned(sent: CircularSent, registers: Registers) -> tuple[str, ...]:
    """The matters that a circular is about: those it names, or else all of its sender's and its addressees'."""
    if sent.concerns:
        return sent.concerns
    sides = {sent.department, *sent.addressees}
    return tuple(one for one in _open_matters(registers) if registers.competent(one, sent.sent_on) in sides)


def _open_matters(registers: Registers) -> list[str]:
    return [code for code, history in sorted(registers.matters.items()) if not history.entry.classified]
