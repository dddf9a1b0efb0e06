"""Shenguan's own facts, written by principal `shenguan` through the same writer, with deterministic ids."""

from __future__ import annotations

from datetime import date, datetime

from domain.attempts import attempt_refused
from domain.calendars import STREAM as CALENDAR
from domain.calendars import CalendarAdopted, Published
from domain.channels import CARRIERS, Channel, GivenUpWhy
from domain.departments import (
    Department,
    DepartmentRegistered,
    PrincipalRegistered,
    department_stream,
    principal_stream,
)
from domain.erasure import ErasureOrdered, Order, erasing_id, erasure_stream
from domain.event import Event, Meta
from domain.expiry import expired, expiring_id
from domain.following import STREAM, CannotFollow, RegistersFollowed
from domain.ladders import climbed, recomputed, recomputing_id, rising_id
from domain.notices import (
    NoticeDelivered,
    NoticeDispatched,
    NoticeGivenUp,
    NoticeState,
    dispatched_in_time,
    giving_up_id,
    notice_stream,
)
from domain.reads import TYPE, Question, ReadRecorded, inspecting, read_id, read_stream, refused_id
from domain.rules import RULES
from domain.submissions import local_date
from domain.subscriptions import SubscriptionBackfilled, SubscriptionState, joined, joining_id
from domain.succession import SuccessionAdvanced, SuccessionState, passed, passing_id
from domain.world import World

SYSTEM = "shenguan"


class EpochOpened(Event):
    """Intake reads a topic from its start: it was created anew, or an operator rewound it. Old id empty at first."""

    TOPIC = "intake.epoch_opened"
    topic: str
    old_topic_id: str
    topic_id: str
    epoch: int
    reason: str


def system_meta(id_: str, now: datetime) -> Meta:
    return Meta(source=SYSTEM, id=id_, principal=SYSTEM, auth="system", occurred_at=now)


def found(
    world: World,
    office: Department,
    principals: dict[str, tuple[str, ...]],
    operator: str,
    now: datetime,
    vouching: str | None = None,
) -> list[Event]:
    """A store begins with its reform office, the office's principal and the operator, and who vouches for people that
    sign in, if anybody; empty where it has begun."""
    if office.code in world.registers.departments or world.registers.master is not None:
        return []
    events: list[Event] = [
        world.state(department_stream(office.code)).then(
            DepartmentRegistered, system_meta(f"found.{office.code}", now), entry=office
        )
    ]
    nobody: dict[str, tuple[str, ...]] = {one: () for one in (operator, vouching) if one is not None}
    for principal, acts_for in {**principals, **nobody}.items():
        events.append(
            world.state(principal_stream(principal)).then(
                PrincipalRegistered,
                system_meta(f"found.{principal}", now),
                principal=principal,
                acts_for=acts_for,
                operator=principal == operator,
                vouches=principal == vouching,
            )
        )
    return events


def calendar_adopted(world: World, calendar: Published, now: datetime) -> list[Event]:
    """The calendar that came with the program holds from now on. Nothing where it does, in a store that has not begun,
    or where registers are another store's."""
    registers = world.registers
    if registers.empty or registers.master is not None or registers.edition == calendar.edition:
        return []
    meta = system_meta(adopting_id(calendar.edition), now)
    return [world.state(CALENDAR).then(CalendarAdopted, meta, **calendar._asdict())]


def adopting_id(edition: str) -> str:
    """Under which an edition is adopted."""
    return f"calendar.{edition}".replace(" ", ".")


def registers_followed(world: World, store: str, now: datetime) -> list[Event]:
    """A store that follows another's registers begins with saying so; nothing where it has been said.

    Raises CannotFollow where there are registers already: its own, or those of another master.
    """
    master = world.registers.master
    if master == store:
        return []
    if master is not None:
        raise CannotFollow(f"the registers here are {master}'s, and cannot become {store}'s")
    if not world.registers.empty:
        raise CannotFollow("this store has registers of its own, and cannot follow others")
    return [world.state(STREAM).then(RegistersFollowed, system_meta(f"follow.{store}", now), store=store)]


def dispatched(
    world: World, notice: str, channel: Channel, topic_id: str, partition: int, offset: int, now: datetime
) -> list[Event]:
    """The channel took the notice. Nothing where that is recorded already."""
    state = _notice(world, notice)
    if channel in state.dispatched:
        return []
    meta = system_meta(f"dispatched.{channel}.{notice}".replace("/", "."), now)
    return [
        state.then(
            NoticeDispatched,
            meta,
            channel=channel,
            topic_id=topic_id,
            partition=partition,
            offset=offset,
            in_time=dispatched_in_time(state, world),
        )
    ]


def delivered(world: World, notice: str, channel: Channel, group: str, committed: int, now: datetime) -> list[Event]:
    """The addressee's group committed past the notice. Nothing where that is recorded already."""
    state = _notice(world, notice)
    if channel in state.delivered:
        return []
    meta = system_meta(f"delivered.{channel}.{notice}".replace("/", "."), now)
    return [state.then(NoticeDelivered, meta, channel=channel, group=group, committed=committed)]


def pushed(world: World, notice: str, channel: Channel, reference: str, now: datetime) -> list[Event]:
    """A channel other than Kafka took the notice. Nothing where that is recorded already."""
    state = _notice(world, notice)
    if channel in state.dispatched:
        return []
    meta = system_meta(f"dispatched.{channel}.{notice}".replace("/", "."), now)
    in_time = dispatched_in_time(state, world) if channel in CARRIERS else None
    return [state.then(NoticeDispatched, meta, channel=channel, reference=reference, in_time=in_time)]


def arrived(world: World, notice: str, channel: Channel, reference: str, now: datetime) -> list[Event]:
    """The other side says that it has the notice. Nothing where that is recorded already."""
    state = _notice(world, notice)
    if channel in state.delivered:
        return []
    meta = system_meta(f"delivered.{channel}.{notice}".replace("/", "."), now)
    return [state.then(NoticeDelivered, meta, channel=channel, reference=reference)]


def given_up(
    world: World, notice: str, channel: Channel, reason: GivenUpWhy, detail: str | None, now: datetime
) -> list[Event]:
    """The channel will not bring the notice any more, which it was to do; it may have its turn once more by another
    order."""
    state = _notice(world, notice)
    id_ = giving_up_id(notice, channel, state.version + 1)
    return [state.then(NoticeGivenUp, system_meta(id_, now), channel=channel, reason=reason, detail=detail)]


def epoch_opened(world: World, topic: str, old: str, new: str, epoch: int, reason: str, now: datetime) -> list[Event]:
    stream = world.state(f"intake/{topic}")
    meta = system_meta(f"epoch.{topic}.{epoch}", now)
    return [stream.then(EpochOpened, meta, topic=topic, old_topic_id=old, topic_id=new, epoch=epoch, reason=reason)]


def notice_passed(world: World, notice: str, now: datetime) -> list[Event]:
    """An open notice of a department that was succeeded goes to its successor; nothing where it need not."""
    return passed(world, notice, system_meta(passing_id(notice), now), now)


def succession_advanced(world: World, old: str, stream: str, through: int, now: datetime) -> list[Event]:
    """The ledger's notices have passed on as far as this serial. Nothing where that is recorded already."""
    state = world.state(stream)
    assert isinstance(state, SuccessionState)
    if state.through >= through:
        return []
    meta = system_meta(f"{stream}/{through}".replace("/", "."), now)
    return [state.then(SuccessionAdvanced, meta, old=old, through=through)]


def subscriber_joined(world: World, subscription: str, case: str, now: datetime) -> list[Event]:
    """A subscriber is told of a permit from before. Nothing where it was."""
    return joined(world, subscription, case, system_meta(joining_id(subscription, case), now), local_date(now))


def subscription_backfilled(
    world: World,
    stream: str,
    version: int,
    at: tuple[str, date | None, str | None],
    told: int,
    complete: bool,
    now: datetime,
) -> list[Event]:
    """How far a subscription's permits from before were told of, going on from what its stream said at that version.
    Nothing where somebody else has gone on from there."""
    state = world.state(stream)
    assert isinstance(state, SubscriptionState)
    if state.version != version:
        return []
    matter, decided_on, case = at
    meta = system_meta(f"{stream}/{state.version + 1}".replace("/", "."), now)
    return [
        state.then(
            SubscriptionBackfilled,
            meta,
            matter=matter,
            decided_on=decided_on,
            case=case,
            told=told,
            complete=complete,
        )
    ]


def read_recorded(world: World, question: Question, now: datetime, caller: str | None = None) -> list[Event]:
    """An inspector's read, or that somebody wanted to read as one who may not, or persons in clear for no reason.

    `caller`: whom a principal that vouches has authenticated.
    """
    vouched = question.department if caller is not None else None
    department = inspecting(world.registers, question.principal, local_date(now), vouched)
    about = {"department": question.department, "officer": question.officer, "caller": caller}
    if department is None or department != question.department or (question.revealed and question.reason is None):
        rule = "read.not_inspector" if department is None else "read.reason"
        meta = system_meta(refused_id(question.principal, now), now).model_copy(update=about)
        return [attempt_refused(meta, RULES[rule], TYPE, principal_stream(question.principal))]
    state = world.state(read_stream(department))
    meta = system_meta(read_id(state.stream, state.version + 1), now).model_copy(update=about)
    said = question.model_dump(exclude={"officer", "parameters", "reason"})
    return [state.then(ReadRecorded, meta, **said, parameters=question.parameters, reason=question.reason)]


def erasure_ordered(world: World, order: Order, now: datetime) -> list[Event]:
    """Somebody's data are to be erased. Nothing where that is recorded already."""
    state = world.state(erasure_stream(order.subject))
    if state.version:
        return []
    about = {"department": order.department, "officer": order.officer}
    meta = system_meta(erasing_id(order.subject), now).model_copy(update=about)
    return [state.then(ErasureOrdered, meta, subject=order.subject, reason=order.reason)]


def rung_climbed(world: World, subject: str, now: datetime) -> list[Event]:
    """The next rung of a clock's ladder that is due, or the notice deemed received. Nothing where there is none.

    Raises CalendarUnknown.
    """
    found = climbed(world, subject, system_meta("", now))
    return [one.model_copy(update={"meta": system_meta(rising_id(one), now)}) for one in found]


def due_recomputed(world: World, subject: str, now: datetime) -> list[Event]:
    """A clock's day by the limits and the calendar of now. Nothing where it stays."""
    return recomputed(world, subject, system_meta(recomputing_id(subject, world.clock(subject).version + 1), now))


def permit_expired(world: World, case: str, now: datetime) -> list[Event]:
    """A permit's last day has gone by. Nothing where it has not, or that was told."""
    return expired(world, case, system_meta(expiring_id(case, world.case_at(case).ending_version), now))


def _notice(world: World, notice: str) -> NoticeState:
    state = world.state(notice_stream(notice))
    assert isinstance(state, NoticeState)
    return state
