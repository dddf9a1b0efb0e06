"""Handover 交接 of transferred matters: what is handed over, who answers for what from now on, signed by both (2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from domain.event import Event, State
from domain.fields import EACH_ONCE, MatterCode
from domain.matters import matter_stream
from domain.personal import Model
from domain.rules import Refusal, Waiting
from domain.submissions import Code, Day, Number, Payload, Submission, Title, decides

if TYPE_CHECKING:
    from domain.registers import Registers, Transfer
    from domain.world import World

ItemKind = Literal["policy", "licence", "archive"]
"""政策文件, 证照文书, 档案资料."""
Side = Literal["giver", "taker"]
"""移交方 the former competent department, 接收方 the approval department."""
Progress = Literal["none", "drawn", "complete"]
"""How far a transferred matter's handover has come; complete when both have signed."""


def handover_stream(giver: str, number: str) -> str:
    return f"handover/{giver}/{number}"


class HandoverItem(Model):
    """A line of the package."""

    kind: ItemKind
    title: Title
    copies: Annotated[int, Field(ge=1, le=1_000_000)]


class DutyNote(Model):
    """职责划分备忘: what each side answers for from the transfer on (2.1b)."""

    approval: Annotated[tuple[Title, ...], Field(min_length=1, max_length=50)]
    supervision: Annotated[tuple[Title, ...], Field(min_length=1, max_length=50)]


class DrawHandover(Payload):
    """The competent department draws the package up, for matters that were transferred from it."""

    TYPE = "handover.draw"
    number: Number
    taker: Code
    matters: Annotated[tuple[MatterCode, ...], Field(min_length=1, max_length=200), EACH_ONCE]
    items: Annotated[tuple[HandoverItem, ...], Field(min_length=1, max_length=1000)]
    note: DutyNote

    def streams(self) -> tuple[str, ...]:
        return (handover_stream(self.department, self.number),)

    def about(self) -> str:
        return handover_stream(self.department, self.number)


class SignHandover(Payload):
    """One side signs; the handover is complete when both have."""

    TYPE = "handover.sign"
    giver: Code
    number: Number

    def streams(self) -> tuple[str, ...]:
        return (handover_stream(self.giver, self.number),)

    def about(self) -> str:
        return handover_stream(self.giver, self.number)


class HandoverDrawn(Event):
    """`since`: of each matter, from when on the transfer held that it was handed over under."""

    TOPIC = "handover.drawn"
    giver: str
    taker: str
    number: str
    matters: tuple[str, ...]
    since: tuple[Day, ...]
    items: tuple[HandoverItem, ...]
    note: DutyNote


class HandoverSigned(Event):
    TOPIC = "handover.signed"
    side: Side


@dataclass(frozen=True, slots=True)
class HandoverState(State):
    """The package as it was drawn, and who has signed it."""

    drawn: HandoverDrawn | None = None
    signed: frozenset[Side] = frozenset()

    @property
    def progress(self) -> Progress:
        return "none" if self.drawn is None else "complete" if len(self.signed) == 2 else "drawn"

    def hands_over(self, matter: str, transfer: Transfer) -> bool:
        """Whether it is of this very transfer: after a return there must be another."""
        drawn = self.drawn
        return (
            drawn is not None
            and drawn.taker == transfer.to
            and (matter, transfer.valid_from) in zip(drawn.matters, drawn.since, strict=True)
        )

    def evolve(self, event: Event) -> HandoverState:
        match event:
            case HandoverDrawn():
                return replace(self, version=event.originator_version, drawn=event)
            case HandoverSigned():
                return replace(self, version=event.originator_version, signed=self.signed | {event.side})
        return replace(self, version=event.originator_version)


@decides(DrawHandover)
def draw_handover(submission: Submission[DrawHandover], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    world.require_department(payload.taker, "APPROVAL")
    since = []
    for matter in payload.matters:
        world.require_matter(matter)
        if not world.registers.matters[matter].holders:
            raise Waiting(matter_stream(matter))  # the transfer comes by another topic, and may be on its way
        transfer = world.registers.transfer(matter, submission.occurred_on)
        on = submission.occurred_on
        given = world.registers.is_competent(payload.department, matter, on)
        if not given or transfer is None or world.registers.holder(matter, on) != payload.taker:
            raise Refusal("handover.not_transferred")
        since.append(transfer.valid_from)
    state = world.handover(payload.department, payload.number)
    if state.drawn is not None:
        raise Refusal("handover.exists")
    return [
        state.then(
            HandoverDrawn,
            submission.meta,
            giver=payload.department,
            taker=payload.taker,
            number=payload.number,
            matters=payload.matters,
            since=tuple(since),
            items=payload.items,
            note=payload.note,
        )
    ]


@decides(SignHandover)
def sign_handover(submission: Submission[SignHandover], world: World) -> list[Event]:
    payload = submission.payload
    state = world.handover(payload.giver, payload.number)
    if state.drawn is None:
        raise Waiting(handover_stream(payload.giver, payload.number))
    acting, on, matter = world.registers.acting, submission.occurred_on, state.drawn.matters[0]
    sides: dict[str, Side] = {
        acting(state.drawn.giver, on, matter): "giver",
        acting(state.drawn.taker, on, matter): "taker",
    }
    side = sides.get(payload.department)
    if side is None:
        raise Refusal("handover.not_party")
    if side in state.signed:
        raise Refusal("handover.signed")
    return [state.then(HandoverSigned, submission.meta, side=side)]


class MatterHandover(NamedTuple):
    """How far the handover of a transferred matter has come; `handover` is its best package, if there is any."""

    matter: str
    giver: str
    taker: str
    progress: Progress
    handover: HandoverState | None


def matter_handovers(registers: Registers, handovers: Iterable[HandoverState], on: date) -> list[MatterHandover]:
    """Of every matter that is transferred on that date: what is not complete shows (2.1c)."""
    packages = [one for one in handovers if one.drawn is not None]
    found = []
    for code, history in sorted(registers.matters.items()):
        transfer = registers.transfer(code, on)
        if transfer is None or history.entry.classified:
            continue
        mine = [one for one in packages if one.hands_over(code, transfer)]
        best = max(mine, key=lambda one: len(one.signed), default=None)
        progress = best.progress if best is not None else "none"
        found.append(MatterHandover(code, history.entry.competent, transfer.to, progress, best))
    return found
