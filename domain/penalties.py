"""Penalties 处罚 that bear on a permit, by the enforcing side: 吊销 ends it, 暂扣 suspends it.

They are the supervisor's to impose; the approving side hears of them, and its 注销 follows a permit revoked by penalty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import model_validator

from domain.case_state import decided_case, hearers
from domain.cases import CasePenalised, Measure, OfCase, PenaltyLifted
from domain.event import Event
from domain.personal import Text
from domain.rules import BadField, Refusal, Waiting
from domain.submissions import Code, Day, Number, Submission, decides
from domain.supervision import require_supervision

if TYPE_CHECKING:
    from domain.world import World


class OfPenalty(OfCase):
    """Base of what a supervisor does by a penalty; `penalty` is its number with that department."""

    penalty: Number
    document_number: Number
    on: Day
    reason: Text


class ImposePenalty(OfPenalty):
    """A suspension without `until` lasts until it is lifted; that day is the last one."""

    TYPE = "penalty.impose"
    measure: Measure
    until: Day | None = None

    @model_validator(mode="after")
    def _until(self) -> ImposePenalty:
        if self.until is not None and self.measure != "permit_suspension":
            raise BadField("until", "penalty.until", "吊销没有期限")
        if self.until is not None and self.until < self.on:
            raise BadField("until", "date.order", "暂扣期满早于开始")
        return self


class LiftPenalty(OfPenalty):
    """解除暂扣, before its day or where it has none. `imposed_by`: whose duties the department has now, if another
    imposed it."""

    TYPE = "penalty.lift"
    imposed_by: Code | None = None


@decides(ImposePenalty)
def impose_penalty(submission: Submission[ImposePenalty], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state = decided_case(submission, payload, payload.on, world)
    require_supervision(submission, state, payload.on, world)
    if state.status != "granted":
        raise Refusal("case.state")
    penalty = f"{payload.department}/{payload.penalty}"
    if penalty in state.penalties:
        raise Refusal("penalty.exists")
    return [
        state.then(
            CasePenalised,
            submission.meta,
            matter=state.matter,
            document_number=payload.document_number,
            on=payload.on,
            audience=hearers(state, world.registers, submission.meta),
            penalty=penalty,
            measure=payload.measure,
            until=payload.until,
            reason=payload.reason,
        )
    ]


@decides(LiftPenalty)
def lift_penalty(submission: Submission[LiftPenalty], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state = decided_case(submission, payload, payload.on, world)
    imposed_by = payload.imposed_by or payload.department
    if world.registers.acting(imposed_by, submission.occurred_on, state.matter) != payload.department:
        raise Refusal("supervision.not_addressee")
    penalty = f"{imposed_by}/{payload.penalty}"
    if penalty not in state.penalties:
        raise Waiting(state.stream)
    open_ = next((one for one in state.suspensions if one.by == penalty and one.lifted_on is None), None)
    if open_ is None or (open_.until is not None and open_.until < payload.on):
        raise Refusal("penalty.over")
    return [
        state.then(
            PenaltyLifted,
            submission.meta,
            matter=state.matter,
            document_number=payload.document_number,
            on=payload.on,
            audience=hearers(state, world.registers, submission.meta),
            penalty=penalty,
            reason=payload.reason,
        )
    ]
