"""The reform's plan for matters: proposed, deferred, bundled; and where a matter stands on a date (1.2)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from domain.entries import Entry
from domain.fields import EACH_ONCE, MatterCode
from domain.rules import Refusal, rejection
from domain.submissions import Code, Day, Title

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World

Standing = Literal["untransferred", "proposed", "deferred", "transferred", "returned"]
"""Where a matter stands: 未划转, 拟划转, 暂缓, 已划转, 已收回."""


class Proposal(Entry):
    """拟划转: a matter proposed for transfer, in a batch."""

    kind: Literal["proposal"] = "proposal"
    matter: MatterCode
    batch: Code

    def key(self) -> str:
        return self.matter


class Deferral(Entry):
    """暂缓: why a matter is not transferred for now, and when that is looked at again."""

    kind: Literal["deferral"] = "deferral"
    matter: MatterCode
    reason: Title
    review_on: Day

    def key(self) -> str:
        return self.matter


class Bundle(Entry):
    """办成一件事: several matters that an applicant goes through as one thing."""

    kind: Literal["bundle"] = "bundle"
    code: Code
    name: Title
    lead: Code
    matters: Annotated[tuple[MatterCode, ...], Field(min_length=2, max_length=50), EACH_ONCE]

    def key(self) -> str:
        return self.code


def require_untransferred(matter: str, world: World, on: date) -> None:
    world.require_matter(matter)
    if world.registers.transfer(matter, on) is not None:
        raise Refusal("matter.state")


def require_deferral(entry: Deferral, world: World, on: date) -> None:
    """What is transferred cannot be deferred, and what is deferred is looked at again."""
    require_untransferred(entry.matter, world, on)
    if entry.review_on <= on:
        raise rejection("entry.review_on", "date.order", entry.review_on)


def require_bundle(entry: Bundle, world: World) -> None:
    world.require_department(entry.lead)
    for matter in entry.matters:
        world.require_matter(matter)


def standing(registers: Registers, matter: str, on: date) -> Standing:
    """Where the matter stood on that date: the latest of what was decided on it. A plan is overtaken by a transfer."""
    if registers.transfer(matter, on) is not None:
        return "transferred"
    moved = registers.moved_on(matter, on)
    plans: list[tuple[date, int, Standing]] = []
    for kind, word in (("proposal", "proposed"), ("deferral", "deferred")):
        version = registers.version(kind, matter, on)
        if version is not None and version.entry is not None and (moved is None or version.since >= moved):
            plans.append((version.since, version.sequence, word))  # type: ignore[arg-type]
    if plans:
        return max(plans)[2]
    return "returned" if moved is not None else "untransferred"


class Deferred(NamedTuple):
    """A deferred matter, and whether its review is due (1.2d)."""

    matter: str
    reason: str
    review_on: date
    due: bool


def deferred(registers: Registers, on: date) -> list[Deferred]:
    """The matters that are deferred on that date, those to be looked at first coming first."""
    found = [
        Deferred(one.matter, one.reason, one.review_on, one.review_on <= on)
        for one in registers.entries_on("deferral", on).values()
        if isinstance(one, Deferral) and standing(registers, one.matter, on) == "deferred"
    ]
    return sorted(found, key=lambda one: (one.review_on, one.matter))
