"""Seal actions 用印: the approval seal suffices (2.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from domain.cases import OfCase
from domain.event import Event, State
from domain.rules import Refusal, Waiting, rejection
from domain.submissions import Code, Moment, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.world import World

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 or SM3 of the sealed document, hexadecimal."""


class ApplySeal(OfCase):
    """A seal was put on a document of the case."""

    TYPE = "seal.apply"
    seal: Code
    certificate_serial: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{4,64}$")]
    document_sm3: Digest
    applied_at: Moment

    def streams(self) -> tuple[str, ...]:
        return (self.stream, f"seal/{self.organ}/{self.number}")


class DemandSeal(OfCase):
    """Somebody demands one more seal: always refused, always recorded (2.7c)."""

    TYPE = "seal.demand"
    demanded_of: Code
    seal: Title


class SealApplied(Event):
    TOPIC = "seal.applied"
    case: str
    matter: str
    seal: str
    certificate_serial: str
    document_sm3: str
    applied_at: Moment


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
    if world.registers.holder(case.matter, on) != payload.department:
        second = world.registers.transfer(case.matter, on) is not None
        raise Refusal("seal.second" if second else "seal.not_organ")
    return [
        world.seal(payload.organ, payload.number).then(
            SealApplied,
            submission.meta,
            case=case.stream,
            matter=case.matter,
            seal=payload.seal,
            certificate_serial=payload.certificate_serial,
            document_sm3=payload.document_sm3,
            applied_at=payload.applied_at,
        )
    ]


@decides(DemandSeal)
def demand_seal(submission: Submission[DemandSeal], world: World) -> list[Event]:
    world.require_department(submission.payload.department)
    raise Refusal("seal.demand")
