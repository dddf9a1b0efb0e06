"""Subscriptions 订阅 of supervisors: to which matters, since when, and told of which permits from before (2.2i).

Every notice is owed without them. A subscription puts on record what a supervisor follows and from which serial on, and
lets a new one be told of the permits in force that were decided before its time: one event of intent, then the permits
a bounded chunk at a time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.event import Event, Meta, State
from domain.fields import EACH_ONCE, MatterCode
from domain.matters import matter_stream
from domain.notices import SupervisorJoined, ledger_stream
from domain.rules import Refusal, Waiting, rejection
from domain.submissions import Day, Number, Payload, Submission, decides

if TYPE_CHECKING:
    from domain.world import World


def subscription_stream(department: str, number: str) -> str:
    return f"subscription/{department}/{number}"


class StartSubscription(Payload):
    """A supervisor subscribes to matters; with `backfill_from` it wants the permits in force that were decided from
    then on and of which it was not told."""

    TYPE = "subscription.start"
    number: Number
    matters: Annotated[tuple[MatterCode, ...], Field(min_length=1, max_length=500), EACH_ONCE]
    backfill_from: Day | None = None

    def streams(self) -> tuple[str, ...]:
        return (subscription_stream(self.department, self.number), ledger_stream(self.department))

    def about(self) -> str:
        return subscription_stream(self.department, self.number)


class SubscriptionStarted(Event):
    """`serial`: the last of the department's ledger before it."""

    TOPIC = "subscription.started"
    department: str
    number: str
    matters: tuple[str, ...]
    backfill_from: date | None
    serial: int


class SubscriptionBackfilled(Event):
    """Permits from before were told of as far as this one, in the order of matter, day and case; without a case the
    matter is the next to be looked at. `complete`: all."""

    TOPIC = "subscription.backfilled"
    matter: str
    decided_on: date | None
    case: str | None
    told: int
    complete: bool


@dataclass(frozen=True, slots=True)
class SubscriptionState(State):
    """`told`: how many permits from before it was told of."""

    started: SubscriptionStarted | None = None
    last: SubscriptionBackfilled | None = None
    told: int = 0

    @property
    def complete(self) -> bool:
        """Whether there is nothing from before that it is still to be told of."""
        wanted = self.started is not None and self.started.backfill_from is not None
        return not wanted or (self.last is not None and self.last.complete)

    def evolve(self, event: Event) -> SubscriptionState:
        new = replace(self, version=event.originator_version)
        match event:
            case SubscriptionStarted():
                return replace(new, started=event)
            case SubscriptionBackfilled():
                return replace(new, last=event, told=self.told + event.told)
        return new


@decides(StartSubscription)
def start_subscription(submission: Submission[StartSubscription], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "SUPERVISION")
    for matter in payload.matters:
        world.require_matter(matter)
        if not world.registers.matters[matter].holders:
            raise Waiting(matter_stream(matter))  # the transfer comes by another topic, and may be on its way
        supervisors = world.registers.supervisors(matter, submission.occurred_on)
        if payload.department not in {one.department for one in supervisors}:
            raise Refusal("supervision.not_addressee")
    if payload.backfill_from is not None and payload.backfill_from > submission.occurred_on:
        raise rejection("backfill_from", "date.future", payload.backfill_from)
    state = world.subscription(payload.department, payload.number)
    if state.started is not None:
        raise Refusal("subscription.exists")
    return [
        state.then(
            SubscriptionStarted,
            submission.meta,
            department=payload.department,
            number=payload.number,
            matters=payload.matters,
            backfill_from=payload.backfill_from,
            serial=world.state(ledger_stream(payload.department)).version,
        )
    ]


def joining_id(subscription: str, case: str) -> str:
    """Under which a subscriber is told of a permit from before: the same whoever carries it out."""
    return f"backfill.{hashlib.sha256(f'{subscription} {case}'.encode()).hexdigest()[:32]}"


def joined(world: World, subscription: str, case: str, meta: Meta, today: date) -> list[Event]:
    """The subscriber, or who has its duties now, is told of the permit; nothing where it was, where the permit is not
    in force, or is not its to supervise any more."""
    state = world.state(subscription)
    assert isinstance(state, SubscriptionState)
    assert state.started is not None
    permit, registers = world.case_at(case), world.registers
    department = registers.acting(state.started.department, today, permit.matter)
    over = (permit.decision.get("valid_to") or "9999") < today.isoformat()
    if permit.status != "granted" or over or permit.matter not in state.started.matters:
        return []
    if department not in registers.in_charge(permit.matter, today):
        return []
    if department in registers.acting_for(permit.told, today, permit.matter):
        return []
    return [permit.then(SupervisorJoined, meta, matter=permit.matter, department=department, subscription=subscription)]
