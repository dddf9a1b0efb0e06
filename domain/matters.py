"""Matters 事项: who holds the power over them and who supervises them, by date, and how 双公示 rows find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from domain.documents import require_in_force
from domain.event import Event
from domain.fields import MatterCode, Uscc
from domain.personal import Model
from domain.rules import BadField, Refusal
from domain.submissions import Code, Day, Payload, Submission, Title, decides

if TYPE_CHECKING:
    from domain.world import World


def matter_stream(code: str) -> str:
    return f"matter/{code}"


def mapping_stream(organ_uscc: str) -> str:
    return f"mapping/{organ_uscc}"


class Supervisor(Model):
    """A department that must hear of the matter's approvals, leading 牵头 or assisting 协同."""

    department: Code
    part: Literal["lead", "assist"] = "lead"


OpinionNeed = Literal["ministry", "outside"]
"""Why a written opinion may be issued: 国家部委终审, 区外认可."""


class Matter(Model):
    """A matter's entry. The flags say which decisions beyond ordinary grants are pushed (domain notes §4.13), and for
    what needs a written opinion may be issued (2.7d)."""

    code: MatterCode
    name: Title
    competent: Code
    legal_basis: Title
    push_not_granted: bool = False
    push_discontinued: bool = False
    push_commitment: bool = True
    push_lacking: bool = True
    classified: bool = False
    opinions: tuple[OpinionNeed, ...] = ()

    def tells(self, outcome: str, manner: str) -> bool:
        """Whether the supervisors hear of such a decision."""
        return bool(getattr(self, f"push_{outcome if outcome != 'granted' else manner}", True))


def _each_once(supervisors: tuple[Supervisor, ...]) -> tuple[Supervisor, ...]:
    """A decision owes one notice per addressee, so a department cannot stand in the list twice."""
    if len({one.department for one in supervisors}) < len(supervisors):
        raise BadField("", "supervisors.twice", "同一部门列了两次")
    return supervisors


Supervisors = Annotated[tuple[Supervisor, ...], Field(min_length=1, max_length=20), AfterValidator(_each_once)]


class RegisterMatter(Payload):
    """The reform office writes a matter into the register, with the competent department 主管部门."""

    TYPE = "matter.register"
    entry: Matter

    def streams(self) -> tuple[str, ...]:
        return (matter_stream(self.entry.code),)


class MatterRegistered(Event):
    TOPIC = "matter.registered"
    entry: Matter


class OfMatter(Payload):
    """Base of what happens to a matter from a date on."""

    matter: MatterCode
    valid_from: Day
    basis: Title

    def streams(self) -> tuple[str, ...]:
        return (matter_stream(self.matter),)


class TransferMatter(OfMatter):
    """The power moves to the approval department; a transfer names its supervisors, so that none is left without.
    `batch`: with which others it is transferred."""

    TYPE = "matter.transfer"
    to: Code
    supervisors: Supervisors
    batch: Code | None = None


class MatterTransferred(Event):
    TOPIC = "matter.transferred"
    matter: str
    valid_from: Day
    basis: str
    to: str
    supervisors: tuple[Supervisor, ...]
    batch: str | None = None

    @property
    def effective_on(self) -> str:
        return self.valid_from.isoformat()


class ReturnMatter(OfMatter):
    """The power goes back 收回 to the competent department."""

    TYPE = "matter.return"


class MatterReturned(Event):
    TOPIC = "matter.returned"
    matter: str
    valid_from: Day
    basis: str

    @property
    def effective_on(self) -> str:
        return self.valid_from.isoformat()


class RouteMatter(OfMatter):
    """Other supervisors from a date on."""

    TYPE = "matter.route"
    supervisors: Supervisors


class MatterRouted(Event):
    TOPIC = "matter.routed"
    matter: str
    valid_from: Day
    basis: str
    supervisors: tuple[Supervisor, ...]

    @property
    def effective_on(self) -> str:
        return self.valid_from.isoformat()


class MapPublicRecord(Payload):
    """双公示 rows of this organ and certificate type belong to this matter (domain notes §4.16)."""

    TYPE = "mapping.register"
    organ_uscc: Uscc
    certificate_type: Title
    organ: Code
    matter: MatterCode

    def streams(self) -> tuple[str, ...]:
        return (mapping_stream(self.organ_uscc), matter_stream(self.matter))


class PublicRecordMapped(Event):
    TOPIC = "mapping.registered"
    organ_uscc: str
    certificate_type: str
    organ: str
    matter: str


@decides(RegisterMatter)
def register_matter(submission: Submission[RegisterMatter], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    entry = submission.payload.entry
    competent = world.require_department(entry.competent)
    known = world.registers.matters.get(entry.code)
    if known is None and {"APPROVAL", "SUPERVISION"}.isdisjoint(competent.roles):
        raise Refusal("mandate.role")
    if known is not None and known.entry.competent != entry.competent:
        raise Refusal("matter.state")  # the power of days past would change hands
    if known is None or known.entry.legal_basis != entry.legal_basis:
        require_in_force(world, entry.legal_basis, submission.occurred_on)
    return [world.state(matter_stream(entry.code)).then(MatterRegistered, submission.meta, entry=entry)]


@decides(TransferMatter)
def transfer_matter(submission: Submission[TransferMatter], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    payload = submission.payload
    world.require_matter(payload.matter)
    world.require_department(payload.to, "APPROVAL")
    require_in_force(world, payload.basis, payload.valid_from)
    for supervisor in payload.supervisors:
        world.require_department(supervisor.department, "SUPERVISION")
        if supervisor.department == payload.to:
            raise Refusal("supervision.by_approver")
    if world.registers.holder(payload.matter, payload.valid_from) == payload.to:
        raise Refusal("matter.state")
    return [
        world.state(matter_stream(payload.matter)).then(
            MatterTransferred,
            submission.meta,
            matter=payload.matter,
            valid_from=payload.valid_from,
            basis=payload.basis,
            to=payload.to,
            supervisors=payload.supervisors,
            batch=payload.batch,
        )
    ]


@decides(ReturnMatter)
def return_matter(submission: Submission[ReturnMatter], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    payload = submission.payload
    world.require_matter(payload.matter)
    if world.registers.transfer(payload.matter, payload.valid_from) is None:
        raise Refusal("matter.state")
    return [
        world.state(matter_stream(payload.matter)).then(
            MatterReturned, submission.meta, matter=payload.matter, valid_from=payload.valid_from, basis=payload.basis
        )
    ]


@decides(RouteMatter)
def route_matter(submission: Submission[RouteMatter], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    payload = submission.payload
    world.require_matter(payload.matter)
    for supervisor in payload.supervisors:
        world.require_supervisor(supervisor.department, payload.matter, payload.valid_from)
    require_in_force(world, payload.basis, payload.valid_from)
    return [
        world.state(matter_stream(payload.matter)).then(
            MatterRouted,
            submission.meta,
            matter=payload.matter,
            valid_from=payload.valid_from,
            basis=payload.basis,
            supervisors=payload.supervisors,
        )
    ]


@decides(MapPublicRecord)
def map_public_record(submission: Submission[MapPublicRecord], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    payload = submission.payload
    world.require_matter(payload.matter)
    world.require_department(payload.organ)
    if world.registers.mapping(payload.organ_uscc, payload.certificate_type) == (payload.organ, payload.matter):
        raise Refusal("matter.state")
    return [
        world.state(mapping_stream(payload.organ_uscc)).then(
            PublicRecordMapped,
            submission.meta,
            organ_uscc=payload.organ_uscc,
            certificate_type=payload.certificate_type,
            organ=payload.organ,
            matter=payload.matter,
        )
    ]
