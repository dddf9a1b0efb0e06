"""The notice 告知: owed to a department once per (owing event, addressee), and its life to the end.

`ledger/<addressee>` holds only "notice owed" events, so its version is the gapless serial 编号. A notice's later life
is the stream `notice/<id>`, where the id is `<addressee>/<source>/<submission id>` of the owing fact: any system that
knows the fact can name the notice before it has seen it. (2.2, domain notes §3)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import StringConstraints

from domain.channels import Channel, GivenUpWhy
from domain.clocks import ClockKind, Due
from domain.event import Event, State
from domain.personal import Model, Officer, Text
from domain.rules import Refusal, Waiting, rejection
from domain.signed_receipts import ReceiptJws, SignedReceipt, signed_receipt
from domain.submissions import Code, Moment, Payload, Submission, decides, local_date

if TYPE_CHECKING:
    from domain.world import World

About = Literal[
    "decision", "change", "extension", "withdrawal", "revocation", "cancellation", "correction",
    "reassignment", "duty_dispute", "ruling", "feedback", "disposition", "feedback_reply", "feedback_closed",
    "review", "review_result", "circular", "invitation", "guidance", "circular_withdrawn", "invitation_answer",
    "consultation", "consultation_answer", "consultation_again", "consultation_closed",
    "task", "task_result", "task_dropped", "succession", "backfill",
    "penalty", "penalty_lifted", "remedy", "stop_execution", "expiry",
    "rating", "rating_appeal", "reminder", "escalation",
]  # fmt: skip
URGENT: frozenset[About] = frozenset({"stop_execution"})
PRESSING: frozenset[About] = frozenset({"reminder", "escalation"})
"""What is told because of a clock has none of its own: nobody is reminded of a reminder."""
_PART = r"[A-Za-z0-9._:-]{1,64}"
NoticeId = Annotated[str, StringConstraints(pattern=rf"^[A-Za-z0-9_-]{{1,64}}/{_PART}/{_PART}$")]
"""`<addressee>/<source>/<submission id>`."""


def ledger_stream(addressee: str) -> str:
    return f"ledger/{addressee}"


def notice_stream(notice: str) -> str:
    return f"notice/{notice}"


@dataclass(frozen=True, slots=True)
class Owed:
    """One notice that a fact owes. `root`: what its chain of notices began with; `origin`: the one it replaces."""

    id: str
    addressee: str
    about: About
    root: About
    case: str
    matter: str
    owing_stream: str
    owing_version: int
    origin: str | None = None
    returns: int = 0
    ruled: bool = False

    def fields(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__slots__}
        found["notice"] = found.pop("id")
        return found


class NoticeOwed(Event):
    """A notice is owed; the version of this event in the ledger is its serial. Fields as in `Owed`; `case` and `matter`
    are empty where it is about none. `due`: until when it is to be received; None where no clock runs."""

    TOPIC = "notice.owed"
    notice: str
    addressee: str
    about: About
    root: About
    case: str = ""
    matter: str = ""
    owing_stream: str
    owing_version: int
    origin: str | None = None
    returns: int = 0
    ruled: bool = False
    due: Due | None = None

    @property
    def serial(self) -> int:
        return self.originator_version

    @property
    def unique_key(self) -> str:
        return self.notice


class NoticeDispatched(Event):
    """The channel took it. Evidence: for Kafka the topic's id, partition and offset; for the others a `reference`, such
    as a letter's number or what the gateway calls the message."""

    TOPIC = "notice.dispatched"
    channel: Channel
    topic_id: str | None = None
    partition: int | None = None
    offset: int | None = None
    reference: str | None = None
    in_time: bool | None = None


class NoticeDelivered(Event):
    """Machine evidence that the addressee has it: its Kafka group committed past the offset, its server answered, the
    gateway reports that the telephone has it; `reference` as in `NoticeDispatched`."""

    TOPIC = "notice.delivered"
    channel: Channel
    group: str | None = None
    committed: int | None = None
    reference: str | None = None


class NoticeGivenUp(Event):
    """The channel will not bring it any more, and why; `detail`: what the other side answered. The next channel in the
    department's order, if there is one, has its turn (2.2h)."""

    TOPIC = "notice.given_up"
    channel: Channel
    reason: GivenUpWhy
    detail: str | None = None


class NoticeReceived(Event):
    """签收 by an officer of the addressee: who handed it in, or the `signer` of a letter's slip, whose scan is hashed.
    `waited`: the working days that it was owed before; None where the calendar does not say. `day_only`: the slip names
    no more than the day, with whose beginning it counts. `receipt`: what the addressee's principal signed of it."""

    TOPIC = "notice.received"
    received_at: Moment
    waited: int | None = None
    day_only: bool = False
    letter: str | None = None
    signer: Officer | None = None
    scan_sha256: str | None = None
    scan_sm3: str | None = None
    receipt: SignedReceipt | None = None

    @property
    def received_by(self) -> Officer | None:
        return self.signer or self.meta.officer


class NoticeTaken(Event):
    """纳入监管: the supervisor takes the permit's holder into supervision."""

    TOPIC = "notice.taken"


class NoticeReturned(Event):
    """退回: the supervisor says whose it is instead."""

    TOPIC = "notice.returned"
    proposed: str
    reason: Text
    in_time: bool | None = None


class NoticeDeemed(Event):
    """视为接收: nobody received it, and a local rule says that after so long it counts as if somebody had."""

    TOPIC = "notice.deemed"
    limit: str
    document: str


class NoticeMoved(Event):
    """Closed, because another notice replaces it."""

    TOPIC = "notice.moved"
    to: str
    reason: About


class Holder(Model):
    """Whose notice of a case's decision is current. A `disputed` one lies with the reform office for a ruling."""

    department: str
    notice: str
    returns: int = 0
    ruled: bool = False
    disputed: bool = False


class SupervisionMoved(Event):
    """On the case's stream: its supervision goes from one department to another, by a return or a ruling."""

    TOPIC = "case.supervision_moved"
    matter: str
    origin: str
    from_: str
    to: str
    about: Literal["reassignment", "duty_dispute", "ruling"]
    root: About
    returns: int
    reason: Text | None = None


class NoticePassed(Event):
    """On the case's stream, or its own where it is about none: an open notice goes to whom its addressee's duties went
    (domain notes §4.2); `joins`: the successor was told already, by this notice, which takes the other's place."""

    TOPIC = "case.notice_passed"
    matter: str
    origin: str
    from_: str
    to: str
    root: About
    returns: int
    ruled: bool
    disputed: bool
    joins: str | None = None


class SupervisorJoined(Event):
    """On the case's stream: a new supervisor subscribed, and is told of a permit from before its time (2.2i)."""

    TOPIC = "case.supervisor_joined"
    matter: str
    department: str
    subscription: str


def receive_clock(about: About) -> ClockKind | None:
    """By which clock a notice about that is to be received."""
    if about in PRESSING:
        return None
    return "receive_urgent" if about in URGENT else "receive"


@dataclass(frozen=True, slots=True)
class LedgerState(State):
    """A ledger's version is its last serial."""


@dataclass(frozen=True, slots=True)
class NoticeState(State):
    """`version` counts the notice's own stream; what was owed comes from the ledger."""

    owed: NoticeOwed | None = None
    dispatched: frozenset[str] = frozenset()
    delivered: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()
    received_on: date | None = None
    deemed: bool = False
    taken: bool = False
    moved: bool = False

    @property
    def received(self) -> bool:
        return self.received_on is not None

    def evolve(self, event: Event) -> NoticeState:
        if isinstance(event, NoticeOwed):
            return replace(self, owed=event)
        return replace(self, version=event.originator_version, **self._changed(event))

    def _changed(self, event: Event) -> dict[str, Any]:
        match event:
            case NoticeDispatched():
                return {"dispatched": self.dispatched | {event.channel}}
            case NoticeDelivered():
                return {"delivered": self.delivered | {event.channel}}
            case NoticeGivenUp():
                return {"given_up": self.given_up | {event.channel}}
            case NoticeReceived():
                return {"received_on": local_date(event.received_at)}
            case NoticeDeemed():
                return {"deemed": True}
            case NoticeTaken():
                return {"taken": True}
            case NoticeMoved():
                return {"moved": True}
        return {}


def giving_up_id(notice: str, channel: Channel, version: int) -> str:
    """Of the fact that becomes this version of the notice's stream."""
    return f"given_up.{channel}.{version}.{notice}".replace("/", ".")


class OfNotice(Payload):
    """Base of what is done with a notice."""

    notice: NoticeId

    def streams(self) -> tuple[str, ...]:
        return (notice_stream(self.notice),)

    def about(self) -> str:
        return notice_stream(self.notice)


class ReceiveNotice(OfNotice):
    """签收. `received_at` is when the officer received it, which may be before it was handed in; `receipt`: the same,
    signed, as a compact JWS over a `ReceiptStatement`."""

    TYPE = "notice.receive"
    received_at: Moment
    receipt: ReceiptJws | None = None

    def statements(self) -> dict[str, str]:
        return {} if self.receipt is None else {"receipt": self.receipt}


class TakeNotice(OfNotice):
    """纳入监管."""

    TYPE = "notice.take"


class ReturnNotice(OfNotice):
    """退回, naming the department that it should go to."""

    TYPE = "notice.return"
    proposed: Code
    reason: Text


class RuleOnDuty(OfNotice):
    """The reform office rules whose duty it is: `notice` is the dispute's notice, addressed to the office."""

    TYPE = "duty.rule"
    assign_to: Code
    reason: Text


def dispatched_in_time(state: NoticeState, world: World) -> bool | None:
    """Whether a notice that is sent now is sent in time; None where no clock runs, or nobody can say."""
    owed = state.owed
    if owed is None or owed.due is None:
        return None
    region = world.registers.departments[owed.addressee].region
    return world.registers.due("dispatch", owed.due.since, region=region, matter=owed.matter).in_time(world.today)


def open_notice(notice: str, department: str, world: World) -> tuple[NoticeState, NoticeOwed]:
    """The notice, if it stands and is this department's. Waits where it is not owed yet."""
    state = world.notice(notice)
    if state.owed is None:
        raise Waiting(notice_stream(notice))
    if state.owed.addressee != department:
        raise Refusal("notice.not_addressee")
    if state.moved:
        raise Refusal("notice.moved")
    return state, state.owed


def waited_for(owed: NoticeOwed, received_at: datetime, world: World) -> int | None:
    """The working days from the owing to a receipt."""
    return None if owed.due is None else world.registers.waited(owed.due.since, local_date(received_at))


@decides(ReceiveNotice)
def receive_notice(submission: Submission[ReceiveNotice], world: World) -> list[Event]:
    payload = submission.payload
    state, owed = open_notice(payload.notice, payload.department, world)
    if state.received:
        raise Refusal("notice.already")
    if payload.received_at > submission.occurred_at:
        raise rejection("received_at", "date.future", payload.received_at.isoformat())
    leaf = None if payload.receipt is None else world.leaf(owed.originator_id, owed.serial)
    receipt = signed_receipt(
        payload.receipt, payload.department, payload.notice, owed.serial, leaf, payload.received_at, world
    )
    waited = waited_for(owed, payload.received_at, world)
    return [
        state.then(NoticeReceived, submission.meta, received_at=payload.received_at, waited=waited, receipt=receipt)
    ]


@decides(TakeNotice)
def take_notice(submission: Submission[TakeNotice], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "SUPERVISION")
    state, owed = open_notice(payload.notice, payload.department, world)
    if owed.root == "decision":
        world.require_supervisor(payload.department, owed.matter, submission.occurred_on)
    if not state.received:
        raise Waiting(notice_stream(payload.notice))
    if state.taken:
        raise Refusal("notice.already")
    return [state.then(NoticeTaken, submission.meta)]


@decides(ReturnNotice)
def return_notice(submission: Submission[ReturnNotice], world: World) -> list[Event]:
    """The first return goes to the proposed department, the second to the reform office for a ruling."""
    payload = submission.payload
    department = world.require_role(submission, "SUPERVISION")
    state, owed = open_notice(payload.notice, payload.department, world)
    if owed.ruled:
        raise Refusal("notice.ruled")
    if state.taken or owed.root != "decision":
        raise Refusal("notice.not_returnable")
    if payload.proposed == payload.department:
        raise rejection("proposed", "department.unknown_role", payload.proposed)
    case = world.case_at(owed.case)
    world.require_supervisor(payload.proposed, case.matter, submission.occurred_on)
    if any(holder.department == payload.proposed for holder in case.holders):
        raise Refusal("notice.already_held")
    dispute = owed.returns >= 1
    to = world.registers.reform_office(department.region, submission.occurred_on) if dispute else payload.proposed
    assert to is not None  # a store is founded with a reform office
    in_time = None
    if state.received_on is not None:
        due = world.registers.due("return", state.received_on, region=department.region, matter=owed.matter)
        in_time = due.in_time(submission.occurred_on)
    returned = state.then(
        NoticeReturned, submission.meta, proposed=payload.proposed, reason=payload.reason, in_time=in_time
    )
    moved = case.then(
        SupervisionMoved,
        submission.meta,
        matter=case.matter,
        origin=payload.notice,
        from_=payload.department,
        to=to,
        about="duty_dispute" if dispute else "reassignment",
        root=owed.root,
        returns=owed.returns + 1,
        reason=payload.reason,
    )
    return [returned, moved]


@decides(RuleOnDuty)
def rule_on_duty(submission: Submission[RuleOnDuty], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "REFORM_OFFICE")
    _, owed = open_notice(payload.notice, payload.department, world)
    if owed.about != "duty_dispute":
        raise Refusal("notice.no_dispute")
    case = world.case_at(owed.case)
    world.require_supervisor(payload.assign_to, case.matter, submission.occurred_on)
    if any(holder.department == payload.assign_to for holder in case.holders):
        raise Refusal("notice.already_held")
    return [
        case.then(
            SupervisionMoved,
            submission.meta,
            matter=case.matter,
            origin=payload.notice,
            from_=payload.department,
            to=payload.assign_to,
            about="ruling",
            root=owed.root,
            returns=owed.returns,
            reason=payload.reason,
        )
    ]
