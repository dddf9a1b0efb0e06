"""Accepting 受理 and deciding 决定 a case: with what power, in what manner, and who must hear of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from domain.case_state import CaseState, case_for_power, fields, require_not_after
from domain.cases import AnewBegun, CaseAccepted, CaseDecided, DecisionKind, Manner, OfCase, Outcome, case_stream
from domain.event import Event, Meta
from domain.fields import MatterCode
from domain.guides import promised
from domain.party import Party
from domain.personal import Model, Text
from domain.placements import outside_window
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.submissions import Code, Day, Number, Submission, decides, local_date
from domain.tasks import require_tasks

if TYPE_CHECKING:
    from domain.world import World


class CaseName(Model):
    """A case, by who accepted it and its number there."""

    organ: Code
    number: Number

    @property
    def stream(self) -> str:
        return case_stream(self.organ, self.number)


class AcceptCase(OfCase):
    """受理. `anew_of`: the case that a review organ or court ordered to be decided anew."""

    TYPE = "case.accept"
    matter: MatterCode
    party: Party
    accepted_on: Day
    anew_of: CaseName | None = None

    def streams(self) -> tuple[str, ...]:
        return (self.stream, *((self.anew_of.stream,) if self.anew_of else ()))


class DecideCase(OfCase):
    """准予, 不予许可 or 终止办理; a granted permit needs `valid_from`. Stock from before the system is `legacy`: it
    owes nothing. `window`: where in the hall it was taken."""

    TYPE = "case.decide"
    outcome: Outcome
    document_number: Number
    decided_on: Day
    valid_from: date | None = None
    valid_to: Day | None = None
    kind: DecisionKind = "普通"
    content: Text
    basis: Literal["normal", "legacy"] = "normal"
    manner: Manner = "ordinary"
    window: Code | None = None

    @model_validator(mode="after")
    def _validity(self) -> DecideCase:
        if self.outcome == "granted" and self.valid_from is None:
            raise BadField("valid_from", "decision.validity", "准予许可须有有效期起")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise BadField("valid_to", "date.order", "有效期止早于有效期起")
        if self.outcome != "granted" and self.manner != "ordinary":
            raise BadField("manner", "decision.manner", "只有准予许可可以采用承诺或容缺方式")
        return self


@decides(AcceptCase)
def accept_case(submission: Submission[AcceptCase], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    world.require_power(payload.department, payload.matter, payload.accepted_on)
    require_not_after(submission, "accepted_on", payload.accepted_on)
    if payload.organ != payload.department:
        raise rejection("organ", "mandate.principal", payload.organ)
    state = world.case(payload.organ, payload.number)
    if state.status:
        raise Refusal("case.exists")
    accepted = state.then(
        CaseAccepted,
        submission.meta,
        organ=payload.organ,
        number=payload.number,
        matter=payload.matter,
        party=payload.party,
        accepted_on=payload.accepted_on,
        anew_of=payload.anew_of and payload.anew_of.stream,
        due=promised(world.registers, payload.matter, payload.accepted_on),
    )
    if payload.anew_of is None:
        return [accepted]
    old = world.case_at(payload.anew_of.stream)
    if old.annulled_on is None:
        raise Waiting(old.stream)  # the order comes by another topic, and may be on its way
    if not old.anew or old.matter != payload.matter or payload.accepted_on < old.annulled_on:
        raise Refusal("remedy.anew")
    return [accepted, old.then(AnewBegun, submission.meta, anew=state.stream)]


@decides(DecideCase)
def decide_case(submission: Submission[DecideCase], world: World) -> list[Event]:
    payload = submission.payload
    state = case_for_power(submission, payload, payload.decided_on, world)
    if state.status != "accepted":
        raise Refusal("case.state")
    if payload.decided_on < state.accepted_on:
        raise rejection("decided_on", "date.order", payload.decided_on)
    if payload.basis != "legacy":
        granted = payload.outcome == "granted"
        require_tasks(world, payload.organ, payload.number, state.matter, granted, payload.manner, payload.decided_on)
    decision = fields(
        payload, "outcome", "document_number", "decided_on", "valid_from", "valid_to", "kind", "content", "basis",
        "manner", "window",
    )  # fmt: skip
    return [decided(state, submission.meta, world, **decision)]


def decided(state: CaseState, meta: Meta, world: World, **decision: Any) -> CaseDecided:
    """The decision, with the power's source on its day and the supervisors who must hear of it."""
    matter, on = state.matter, decision["decided_on"]
    founded = world.registers.founded_on
    if decision["basis"] == "legacy" and founded is not None and on >= founded:
        raise Refusal("legacy.recent")  # else any approver could withhold every notice
    transfer = world.registers.transfer(matter, on)
    pushed = world.require_matter(matter).tells(decision["outcome"], decision.get("manner", "ordinary"))
    version = world.registers.version("guide", matter, on)
    guide = version if version is not None and version.entry is not None else None
    asked = "window" in decision and decision["basis"] == "normal"  # records of decisions taken elsewhere know of none
    told_on = local_date(meta.occurred_at)
    told = world.registers.supervisors(matter, on, told_on) if pushed and decision["basis"] == "normal" else ()
    return state.then(
        CaseDecided,
        meta,
        matter=matter,
        power_since=transfer and transfer.valid_from,
        power_basis=transfer and transfer.basis,
        supervisors=tuple(s.department for s in told),
        guide_since=guide and guide.since,
        guide_version=guide and guide.number,
        outside_window=asked and outside_window(world.registers, matter, decision["window"], on),
        **decision,
    )
