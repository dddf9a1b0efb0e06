"""双公示 permit records: published by the organ that decided, carrying no matter code, case number or officer.

An administered mapping (organ and certificate type → organ department and matter) routes a record, and waits for one
where there is none yet; organ and document number are its key. (domain notes §4.16)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, model_validator

from domain.cases import CaseAccepted, DecisionKind, LicenceIssued
from domain.decisions import decided
from domain.event import Event
from domain.fields import Uscc
from domain.identifiers import without_identity
from domain.matters import mapping_stream
from domain.party import Party
from domain.personal import LicenceNumber, Model, Number, Printed, Text
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.submissions import Day, Payload, Submission, Title, decides

if TYPE_CHECKING:
    from domain.world import World


def document_key(number: str) -> str:
    """A document's number as part of a stream's name: without white space, a full-width slash for a slash."""
    return re.sub(r"\s+", "", number).replace("/", "／")


class PartyCodes(Model):
    """What else a record says of its party. Personal: a sole trader's code may be its owner's identity number."""

    registration: Number | None = None
    organisation: Number | None = None
    tax_number: Number | None = None
    institution: Number | None = None
    association: Number | None = None
    unread_uscc: Number | None = None
    representative_document_type: Number | None = None
    representative_document: Number | None = None


class ReportPermit(Payload):
    """One row of the 双公示 permit record. The mapping finds the organ that decided, for which the sender must be let
    act; `department` is for whom it speaks, the organ itself or a platform."""

    TYPE = "permit.report"
    organ_uscc: Uscc
    organ_name: Title
    certificate: Title | None = None
    kind: DecisionKind
    kind_detail: Text | None = None
    document_title: Text
    document_number: Annotated[Printed, AfterValidator(without_identity)]
    licence_number: LicenceNumber | None = None
    party: Party
    party_codes: PartyCodes | None = None
    content: Text
    decided_on: Day
    valid_from: Day
    valid_to: Day
    source_name: Title
    source_uscc: Uscc
    note: Text | None = None
    basis: Literal["normal", "legacy"] = "normal"

    @model_validator(mode="after")
    def _validity(self) -> ReportPermit:
        if self.valid_to < self.valid_from:
            raise BadField("valid_to", "date.order", "有效期止早于有效期起")
        return self

    @property
    def key(self) -> str:
        return document_key(self.document_number)

    @property
    def certificate_type(self) -> str:
        """By what the mapping knows it: the certificate's name; the kind only where no certificate is named, because
        a wrong guess would tell the wrong supervisors."""
        return self.certificate or self.kind

    def streams(self) -> tuple[str, ...]:
        return (mapping_stream(self.organ_uscc),)

    def subject(self) -> str:
        return f"permit/{self.organ_uscc}/{self.key}"

    def about(self) -> str:
        return f"permit/{self.organ_uscc}/{self.key}"


class CaseReported(Event):
    """What a 双公示 record says beyond acceptance, decision and licence, and whose system it came from (2.6a)."""

    TOPIC = "case.reported"
    organ_uscc: str
    organ_name: str
    certificate: str | None
    kind_detail: Text | None
    document_title: Text
    party_codes: PartyCodes | None
    source_name: str
    source_uscc: str
    note: Text | None


@decides(ReportPermit)
def report_permit(submission: Submission[ReportPermit], world: World) -> list[Event]:
    """Acceptance, decision and licence in one: the record knows no date of acceptance, so the decision's stands."""
    payload = submission.payload
    world.require_department(payload.department)
    mapped = world.registers.mapping(payload.organ_uscc, payload.certificate_type)
    if mapped is None:
        raise Waiting(mapping_stream(payload.organ_uscc))
    organ, matter = mapped
    if organ not in world.mandates(submission):
        raise Refusal("mandate.principal")
    world.require_power(organ, matter, payload.decided_on)
    if payload.decided_on > submission.occurred_on:
        raise rejection("decided_on", "date.future", payload.decided_on)
    state = world.case(organ, payload.key)
    if state.status:
        raise Refusal("case.exists")
    # The fact is the organ's, whoever handed it in: `principal` says who that was.
    meta = submission.meta.model_copy(update={"department": organ})
    accepted = state.then(
        CaseAccepted,
        meta,
        organ=organ,
        number=payload.key,
        matter=matter,
        party=payload.party,
        accepted_on=payload.decided_on,
    )
    state = state.evolve(accepted)
    decision = decided(
        state,
        meta,
        world,
        outcome="granted",
        document_number=payload.document_number,
        decided_on=payload.decided_on,
        valid_from=payload.valid_from,
        valid_to=payload.valid_to,
        kind=payload.kind,
        content=payload.content,
        basis=payload.basis,
    )
    state = state.evolve(decision)
    events: list[Event] = [accepted, decision]
    if payload.licence_number is not None:
        licence = state.then(
            LicenceIssued,
            meta,
            licence_number=payload.licence_number,
            certificate=payload.certificate_type,
            issued_on=payload.decided_on,
        )
        state = state.evolve(licence)
        events.append(licence)
    reported = state.then(
        CaseReported,
        meta,
        organ_uscc=payload.organ_uscc,
        organ_name=payload.organ_name,
        certificate=payload.certificate,
        kind_detail=payload.kind_detail,
        document_title=payload.document_title,
        party_codes=payload.party_codes,
        source_name=payload.source_name,
        source_uscc=payload.source_uscc,
        note=payload.note,
    )
    return [*events, reported]
