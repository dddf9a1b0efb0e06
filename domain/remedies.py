"""Remedies 救济: what a review organ 行政复议 or court 行政诉讼 does to a decision (domain notes §4.15).

The original stays visible. Stop-execution is urgent; a decision ordered anew is taken in a case of its own, which says
so when it is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.case_state import decided_case, hearers
from domain.cases import CaseRemedied, OfCase, Procedure, RemedyOutcome
from domain.event import Event
from domain.personal import Text
from domain.rules import Refusal
from domain.submissions import Day, Number, Submission, decides

if TYPE_CHECKING:
    from domain.world import World


class RecordRemedy(OfCase):
    """The review organ or court says what it ordered or found."""

    TYPE = "remedy.record"
    procedure: Procedure
    outcome: RemedyOutcome
    document_number: Number
    on: Day
    content: Text


@decides(RecordRemedy)
def record_remedy(submission: Submission[RecordRemedy], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "REVIEW_ORGAN")
    state = decided_case(submission, payload, payload.on, world)
    if state.annulled_on is not None:
        raise Refusal("remedy.annulled")
    if state.stopped == (payload.outcome == "stop_execution") and payload.outcome.endswith("_execution"):
        raise Refusal("remedy.stopped")
    return [
        state.then(
            CaseRemedied,
            submission.meta,
            matter=state.matter,
            document_number=payload.document_number,
            on=payload.on,
            audience=hearers(state, world.registers, submission.meta),
            procedure=payload.procedure,
            outcome=payload.outcome,
            content=payload.content,
        )
    ]
