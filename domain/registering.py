"""Entering into the dated lists, and striking from them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from domain.calendars import CalendarYear
from domain.clocks import TimeLimit
from domain.documents import PolicyDocument, require_document, require_in_force
from domain.duties import Duty, require_duty
from domain.entries import entry_stream
from domain.event import Event
from domain.guides import Guide
from domain.letters import Letterhead, require_letterhead
from domain.lists import PowerItem, SupervisionItem, require_power_item, require_supervision_item
from domain.placements import Placement, require_placement
from domain.public_keys import PublicKey
from domain.reform import Bundle, Deferral, Proposal, require_bundle, require_deferral, require_untransferred
from domain.relations import Innovation, Relation, require_serving
from domain.reviews import SystemAccess, require_access
from domain.risks import RiskThreshold
from domain.rules import Refusal, Waiting, rejection
from domain.seal_registry import Seal, require_seal
from domain.signing import Signing, require_signing
from domain.store_lists import StoreList, require_stores
from domain.submissions import Day, Payload, Submission, Title, decides
from domain.tasks import WorkCapability

if TYPE_CHECKING:
    from domain.world import World

AnyEntry = Annotated[
    PowerItem
    | SupervisionItem
    | Proposal
    | Deferral
    | Bundle
    | Guide
    | WorkCapability
    | Placement
    | RiskThreshold
    | Innovation
    | Relation
    | Duty
    | PolicyDocument
    | Seal
    | Letterhead
    | SystemAccess
    | TimeLimit
    | CalendarYear
    | PublicKey
    | Signing
    | StoreList,
    Field(discriminator="kind"),
]
Kind = Literal[
    "power_item",
    "supervision_item",
    "proposal",
    "deferral",
    "bundle",
    "guide",
    "work_capability",
    "placement",
    "risk_threshold",
    "innovation",
    "relation",
    "duty",
    "document",
    "seal",
    "letterhead",
    "system_access",
    "time_limit",
    "calendar",
    "public_key",
    "signing",
    "stores",
]
"""The lists."""
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64})?$")]


class EnterRegister(Payload):
    """The reform office enters something into a list, from a date on, or writes it anew; of the access that higher
    authorities grant, they do; of public keys, the operator, by `key.register`."""

    TYPE = "register.enter"
    entry: AnyEntry
    valid_from: Day
    basis: Title

    def streams(self) -> tuple[str, ...]:
        return (entry_stream(self.entry.kind, self.entry.key()),)


class EntryRegistered(Event):
    TOPIC = "register.entered"
    entry: AnyEntry
    valid_from: Day
    basis: str

    @property
    def effective_on(self) -> str:
        return self.valid_from.isoformat()


class StrikeEntry(Payload):
    """From a date on a list no longer has what stands under a key."""

    TYPE = "register.strike"
    kind: Kind
    key: Key
    valid_from: Day
    basis: Title

    def streams(self) -> tuple[str, ...]:
        return (entry_stream(self.kind, self.key),)


class EntryStruck(Event):
    TOPIC = "register.struck"
    kind: Kind
    key: str
    valid_from: Day
    basis: str

    @property
    def effective_on(self) -> str:
        return self.valid_from.isoformat()


@decides(EnterRegister)
def enter_register(submission: Submission[EnterRegister], world: World) -> list[Event]:
    world.require_own_registers()
    payload = submission.payload
    _require_writer(submission, payload.entry.kind, world)
    require_in_force(world, payload.basis, payload.valid_from, payload.entry)
    _require(payload.entry, world, payload.valid_from, payload.department)
    return [
        world.state(entry_stream(payload.entry.kind, payload.entry.key())).then(
            EntryRegistered,
            submission.meta,
            entry=payload.entry,
            valid_from=payload.valid_from,
            basis=payload.basis,
        )
    ]


@decides(StrikeEntry)
def strike_entry(submission: Submission[StrikeEntry], world: World) -> list[Event]:
    world.require_own_registers()
    payload = submission.payload
    _require_writer(submission, payload.kind, world)
    version = world.registers.version(payload.kind, payload.key, payload.valid_from)
    if version is None and not world.registers.entries.get(payload.kind, {}).get(payload.key):
        raise Waiting(entry_stream(payload.kind, payload.key))
    if version is None or version.entry is None:
        raise Refusal("entry.none")
    if payload.kind == "calendar" and payload.valid_from > world.today:
        raise rejection("valid_from", "date.future", payload.valid_from)  # it would be struck at once
    if isinstance(version.entry, SystemAccess):
        require_access(version.entry, world, payload.department, payload.valid_from)
    return [
        world.state(entry_stream(payload.kind, payload.key)).then(
            EntryStruck,
            submission.meta,
            kind=payload.kind,
            key=payload.key,
            valid_from=payload.valid_from,
            basis=payload.basis,
        )
    ]


def _require_writer(submission: Submission[EnterRegister] | Submission[StrikeEntry], kind: Kind, world: World) -> None:
    if kind == "public_key":
        raise Refusal("mandate.role")
    if kind == "system_access":
        world.require_role(submission, "HIGHER_AUTHORITY")
    else:
        world.require_role(submission, "REFORM_OFFICE")


def _require(entry: AnyEntry, world: World, on: date, by: str) -> None:
    """What the registers must say on that date for the entry to be made by that department."""
    match entry:
        case PowerItem():
            require_power_item(entry, world, on)
        case SupervisionItem():
            require_supervision_item(entry, world, on)
        case Proposal():
            require_untransferred(entry.matter, world, on)
        case Deferral():
            require_deferral(entry, world, on)
        case Bundle():
            require_bundle(entry, world)
        case Guide() | WorkCapability():
            world.require_matter(entry.matter)
        case Placement():
            require_placement(entry, world, on)
        case Innovation():
            require_serving(world, entry.department, on=on)
        case Relation():
            require_serving(world, entry.from_department, entry.to_department, on=on)
        case Duty():
            require_duty(entry, world, on)
        case PolicyDocument():
            require_document(entry, world, on)
        case Seal():
            require_seal(entry, world)
        case Letterhead():
            require_letterhead(entry, world)
        case RiskThreshold():
            pass  # of nothing that is on record
        case StoreList():
            require_stores(entry, world.registers)
        case SystemAccess():
            require_access(entry, world, by, on)
        case Signing():
            require_signing(entry, world)
        case TimeLimit():
            if entry.matter is not None:
                world.require_matter(entry.matter)
