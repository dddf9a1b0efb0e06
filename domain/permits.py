"""What becomes of a permit after its decision: licence, change, extension, end, correction."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from domain.case_state import CaseState, case_for_power, fields, hearers
from domain.cases import (
    AudienceEvent,
    CaseCancelled,
    CaseChanged,
    CaseCorrected,
    CaseExtended,
    CaseRevoked,
    CaseWithdrawn,
    Correctable,
    LicenceIssued,
    OfCase,
)
from domain.event import Event
from domain.fields import ElectronicId
from domain.identifiers import IdentifierError, parse_matter_code
from domain.personal import LicenceNumber, Text
from domain.rerouting import reroute
from domain.rules import FieldError, Refusal, Rejection, Waiting, rejection
from domain.submissions import NUMBER_PATTERN, Day, Number, Submission, Title, decides

if TYPE_CHECKING:
    from domain.world import World


class IssueLicence(OfCase):
    """颁证. `electronic_id` 电子证照标识 by GB/T 36904, where there is an electronic licence."""

    TYPE = "case.issue_licence"
    licence_number: LicenceNumber
    certificate: Title
    issued_on: Day
    electronic_id: ElectronicId | None = None


class ChangeCase(OfCase):
    """变更."""

    TYPE = "case.change"
    document_number: Number
    on: Day
    content: Text


class ExtendCase(OfCase):
    """延续."""

    TYPE = "case.extend"
    document_number: Number
    on: Day
    valid_to: Day


class EndCase(OfCase):
    """Base of the three ways a permit ends by decision."""

    document_number: Number
    on: Day
    reason: Text


class WithdrawCase(EndCase):
    """撤回: lawful once, circumstances changed."""

    TYPE = "case.withdraw"


class RevokeCase(EndCase):
    """撤销: should not have been granted; a higher authority may do it too."""

    TYPE = "case.revoke"
    HIGHER_MAY = True


class CancelCase(EndCase):
    """注销."""

    TYPE = "case.cancel"


class CorrectCase(OfCase):
    """更正 of one field of the decision, or of the matter it is about."""

    TYPE = "case.correct"
    target: Correctable
    old: Title
    new: Title
    on: Day
    reason: Text
    authorised_by: Text


@decides(IssueLicence)
def issue_licence(submission: Submission[IssueLicence], world: World) -> list[Event]:
    payload = submission.payload
    state = _granted(submission, payload, payload.issued_on, world)
    if state.licence_number is not None or state.stopped:
        raise Refusal("case.state")
    return [
        state.then(
            LicenceIssued,
            submission.meta,
            **fields(payload, "licence_number", "certificate", "issued_on", "electronic_id"),
        )
    ]


@decides(ChangeCase)
def change_case(submission: Submission[ChangeCase], world: World) -> list[Event]:
    payload = submission.payload
    state = _granted(submission, payload, payload.on, world)
    return [_audience(CaseChanged, state, submission, world, content=payload.content)]


@decides(ExtendCase)
def extend_case(submission: Submission[ExtendCase], world: World) -> list[Event]:
    payload = submission.payload
    state = _granted(submission, payload, payload.on, world)
    until = state.decision["valid_to"]
    if until is not None and payload.valid_to.isoformat() <= until:
        raise rejection("valid_to", "date.order", payload.valid_to)
    return [_audience(CaseExtended, state, submission, world, valid_to=payload.valid_to)]


ENDS: dict[type[EndCase], type[AudienceEvent]] = {
    WithdrawCase: CaseWithdrawn,
    RevokeCase: CaseRevoked,
    CancelCase: CaseCancelled,
}


@decides(WithdrawCase, RevokeCase, CancelCase)
def end_case(submission: Submission[EndCase], world: World) -> list[Event]:
    payload = submission.payload
    revoked = ("penalised",) if isinstance(payload, CancelCase) else ()  # 注销 follows 吊销
    state = _granted(submission, payload, payload.on, world, *revoked)
    return [_audience(ENDS[type(payload)], state, submission, world, reason=payload.reason)]


@decides(CorrectCase)
def correct_case(submission: Submission[CorrectCase], world: World) -> list[Event]:
    payload = submission.payload
    state = case_for_power(submission, payload, payload.on, world)
    if state.status == "accepted":
        raise Waiting(state.stream)
    _require_after_decision(payload.on, state)
    stands = state.matter if payload.target == "matter" else state.decision[payload.target] or ""
    if stands != payload.old:
        raise rejection("old", "correction.old", f"{len(payload.old)} 个字符")
    _require_fitting(payload, state, submission, world)
    rerouted = reroute(state, world.registers, payload.target, payload.new, submission.occurred_on)
    return [
        state.then(
            CaseCorrected,
            submission.meta,
            target_version=state.decision_version,
            **rerouted._asdict(),
            **fields(payload, "target", "old", "new", "on", "reason", "authorised_by"),
        )
    ]


def _require_fitting(payload: CorrectCase, state: CaseState, submission: Submission[Any], world: World) -> None:
    """The corrected decision must be one that could have been taken, by who took it."""
    today = submission.occurred_on
    if payload.target == "matter":
        try:
            matter = parse_matter_code(payload.new).value
        except IdentifierError as error:
            raise Rejection(FieldError("new", error.rule, error.message, f"{len(payload.new)} 个字符")) from None
        if matter != payload.new:
            raise rejection("new", "number.shape", f"{len(payload.new)} 个字符")
        world.require_power(state.decided_by, matter, date.fromisoformat(state.decision["decided_on"] or ""))
        return
    if payload.target == "document_number":
        if not re.fullmatch(NUMBER_PATTERN, payload.new):
            raise rejection("new", "number.shape", f"{len(payload.new)} 个字符")
        return
    try:
        new = date.fromisoformat(payload.new)
    except ValueError:
        raise rejection("new", "date.shape", f"{len(payload.new)} 个字符") from None
    if payload.target == "decided_on" and new > today:
        raise rejection("new", "date.future", new)
    after = state.decision | {payload.target: new.isoformat()}
    dates = [state.accepted_on.isoformat(), after["decided_on"] or ""]
    validity = [after["valid_from"] or "", after["valid_to"] or "9999"]
    if dates != sorted(dates) or validity != sorted(validity):
        raise rejection("new", "date.order", new)
    if payload.target == "decided_on":
        world.require_power(state.decided_by, state.matter, new)


def _granted(submission: Submission[Any], payload: OfCase, on: date, world: World, *others: str) -> CaseState:
    """The case with a permit in force, or of another status that will do; waits for the decision, refuses after the
    end."""
    state = case_for_power(submission, payload, on, world)
    if state.status == "accepted":
        raise Waiting(state.stream)
    if state.status not in ("granted", *others):
        raise Refusal("case.state")
    _require_after_decision(on, state)
    return state


def _require_after_decision(on: date, state: CaseState) -> None:
    if on.isoformat() < (state.decision["decided_on"] or ""):
        raise rejection("on", "date.order", on)


def _audience(
    kind: type[AudienceEvent], state: CaseState, submission: Submission[Any], world: World, **fields: Any
) -> Event:
    payload = submission.payload
    return state.then(
        kind,
        submission.meta,
        matter=state.matter,
        document_number=payload.document_number,
        on=payload.on,
        audience=hearers(state, world.registers, submission.meta, kind),
        **fields,
    )
