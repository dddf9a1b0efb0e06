"""Seal actions 用印: the approval seal suffices (2.7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from domain.cases import OfCase
from domain.entries import entry_stream
from domain.event import Event, State
from domain.rules import Refusal, Waiting, rejection
from domain.seal_registry import CertificateSerial, Seal, keeps_seals, seal_on
from domain.submissions import Code, Moment, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.world import World

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 or SM3 of the sealed document, hexadecimal."""


class ApplySeal(OfCase):
    """A seal was put on a document of the case."""

    TYPE = "seal.apply"
    seal: Code
    certificate_serial: CertificateSerial
    document_sm3: Digest
    document_sha256: Digest | None = None
    applied_at: Moment

    def streams(self) -> tuple[str, ...]:
        return (self.stream, f"seal/{self.organ}/{self.number}")


class DemandSeal(OfCase):
    """Somebody demands one more seal: always refused, always recorded (2.7c)."""

    TYPE = "seal.demand"
    demanded_of: Code
    seal: Title


class SealApplied(Event):
    """`registered`: the seal was in the register on that day, and applied as the register allows."""

    TOPIC = "seal.applied"
    case: str
    matter: str
    seal: str
    certificate_serial: str
    document_sm3: str
    document_sha256: str | None = None
    applied_at: Moment
    registered: bool = False


@dataclass(frozen=True, slots=True)
class SealState(State):
    """A case's seal actions need only be counted."""


@decides(ApplySeal)
def apply_seal(submission: Submission[ApplySeal], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    case = world.case(payload.organ, payload.number)
    if not case.status:
        raise Waiting(case.stream)
    if payload.applied_at > submission.occurred_at:
        raise rejection("applied_at", "date.future", payload.applied_at.isoformat())
    on = local_date(payload.applied_at)
    if on < case.accepted_on:
        raise rejection("applied_at", "date.order", payload.applied_at.isoformat())
    seal = seal_on(world.registers, payload.seal, on)
    _require_power(payload.department, seal, case.matter, on, world)
    if seal is not None:
        _require_certificate(payload.certificate_serial, seal, on)
    else:
        _require_unregistered(payload, on, world)
    return [
        world.seal(payload.organ, payload.number).then(
            SealApplied,
            submission.meta,
            case=case.stream,
            matter=case.matter,
            seal=payload.seal,
            certificate_serial=payload.certificate_serial,
            document_sm3=payload.document_sm3,
            document_sha256=payload.document_sha256,
            applied_at=payload.applied_at,
            registered=seal is not None,
        )
    ]


def _require_power(department: str, seal: Seal | None, matter: str, on: date, world: World) -> None:
    """An owner of the seal holds the power over the matter on that date, whoever applies the seal for it; never does
    the former competent department: validity rests on no second seal."""
    holder = world.registers.holder(matter, on)
    registers = world.registers
    supervises = department in {one.department for one in registers.supervisors(matter, on)}
    if department != holder and (supervises or registers.is_competent(department, matter, on)):
        raise Refusal("seal.second")
    owners = registers.acting_for(seal.owners, on, matter) if seal is not None else (department,)
    delegates = registers.acting_for(seal.delegated_to, on, matter) if seal is not None else ()
    if department not in (*owners, *delegates):
        raise Refusal("seal.not_yours")
    if holder not in owners:
        second = world.registers.transfer(matter, on) is not None
        raise Refusal("seal.second" if second else "seal.not_organ")


def _require_certificate(serial: str, seal: Seal, on: date) -> None:
    if serial.lower() != seal.certificate_serial.lower():
        raise Refusal("seal.certificate")
    if seal.certificate_on(on) != "valid":
        raise Refusal("seal.expired")


def _require_unregistered(payload: ApplySeal, on: date, world: World) -> None:
    """A department that keeps its seals in the register applies no other, nor anybody one that was struck from it."""
    struck = world.registers.version("seal", payload.seal, on) is not None
    if not struck and not keeps_seals(world.registers, payload.department, on):
        return
    if payload.seal not in world.registers.entries.get("seal", ()):
        raise Waiting(entry_stream("seal", payload.seal))  # registers come by another topic: it may be on its way
    raise Refusal("seal.unregistered")


@decides(DemandSeal)
def demand_seal(submission: Submission[DemandSeal], world: World) -> list[Event]:
    world.require_department(submission.payload.department)
    raise Refusal("seal.demand")
