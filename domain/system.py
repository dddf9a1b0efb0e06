"""Shenguan's own facts, written by principal `shenguan` through the same writer, with deterministic ids."""

from __future__ import annotations

from datetime import datetime

from domain.departments import (
    Department,
    DepartmentRegistered,
    PrincipalRegistered,
    department_stream,
    principal_stream,
)
from domain.event import Event, Meta
from domain.following import STREAM, CannotFollow, RegistersFollowed
from domain.notices import Channel, NoticeDelivered, NoticeDispatched, NoticeState, notice_stream
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
    world: World, office: Department, principals: dict[str, tuple[str, ...]], operator: str, now: datetime
) -> list[Event]:
    """A store begins with its reform office, the office's principal and the operator; empty where it has begun."""
    if office.code in world.registers.departments or world.registers.master is not None:
        return []
    events: list[Event] = [
        world.state(department_stream(office.code)).then(
            DepartmentRegistered, system_meta(f"found.{office.code}", now), entry=office
        )
    ]
    for principal, acts_for in {**principals, operator: ()}.items():
        events.append(
            world.state(principal_stream(principal)).then(
                PrincipalRegistered,
                system_meta(f"found.{principal}", now),
                principal=principal,
                acts_for=acts_for,
                operator=principal == operator,
            )
        )
    return events


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
    return [state.then(NoticeDispatched, meta, channel=channel, topic_id=topic_id, partition=partition, offset=offset)]


def delivered(world: World, notice: str, channel: Channel, group: str, committed: int, now: datetime) -> list[Event]:
    """The addressee's group committed past the notice. Nothing where that is recorded already."""
    state = _notice(world, notice)
    if channel in state.delivered:
        return []
    meta = system_meta(f"delivered.{channel}.{notice}".replace("/", "."), now)
    return [state.then(NoticeDelivered, meta, channel=channel, group=group, committed=committed)]


def epoch_opened(world: World, topic: str, old: str, new: str, epoch: int, reason: str, now: datetime) -> list[Event]:
    stream = world.state(f"intake/{topic}")
    meta = system_meta(f"epoch.{topic}.{epoch}", now)
    return [stream.then(EpochOpened, meta, topic=topic, old_topic_id=old, topic_id=new, epoch=epoch, reason=reason)]


def _notice(world: World, notice: str) -> NoticeState:
    state = world.state(notice_stream(notice))
    assert isinstance(state, NoticeState)
    return state
