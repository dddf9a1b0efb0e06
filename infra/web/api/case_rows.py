"""What is said of a case over HTTP: its row, its record's steps, its state, and what changed of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel

from domain.licences import LicenceStatus
from infra.web.api.notices import NoticeRow
from infra.web.api.threads import FeedbackRow

CaseStatus = Literal["accepted", "granted", "not_granted", "discontinued", "penalised", "ended"]
Ended = Literal["withdrawn", "revoked", "cancelled", "annulled"]


class SuspensionRow(BaseModel):
    """`by`: a penalty's number 暂扣, empty for stop-execution; `until`: the last day."""

    by: str
    since: date
    until: date | None
    lifted: bool


class TermRow(BaseModel):
    """Valid until when, and since when that holds."""

    since: date | None
    until: date | None


class CaseRow(BaseModel):
    """One case. `power_since`, `power_basis`: the transfer in force that gave the power; `stream`: how lists of notices
    and steps name it."""

    stream: str
    organ: str
    number: str
    matter: str
    matter_name: str
    party_kind: str
    party_name: str
    uscc: str | None
    uscc_valid: bool | None
    status: CaseStatus
    ended_by: Ended | None
    outcome: str | None
    document_number: str | None
    accepted_on: date
    decided_on: date | None
    decided_by: str | None
    officer: str | None
    officer_name: str | None
    power_since: date | None
    power_basis: str | None
    legacy: bool
    licence_number: str | None
    valid_from: date | None
    valid_to: date | None
    certificate: str | None
    electronic_id: str | None
    ended_on: date | None
    penalised_on: date | None
    suspensions: list[SuspensionRow] | None
    terms: list[TermRow] | None
    anew: bool
    seals: int
    manner: str | None
    window: str | None
    outside_window: bool
    last_change: str | None
    last_change_on: date | None
    recorded_at: datetime
    decision_recorded_at: datetime | None
    decision_position: int | None
    last_position: int


class StepRow(BaseModel):
    """One step of the two-way record. Without `from_department` it is the system's own; `summary`: the event's own
    fields."""

    position: int
    recorded_at: datetime
    occurred_at: datetime
    effective_on: date | None
    kind: str
    department: str
    from_department: str | None
    to_department: str | None
    officer: str | None
    officer_name: str | None
    notice: str | None
    serial: int | None
    channel: str | None
    summary: dict[str, Any]


class StateRow(BaseModel):
    """What the events come to. `licence`: where the permit stands on the day that is asked about, else today; `told`:
    everybody ever told of the decision."""

    status: CaseStatus
    licence: LicenceStatus | None
    matter: str
    accepted_on: date
    document_number: str | None
    decided_on: date | None
    valid_from: date | None
    valid_to: date | None
    licence_number: str | None
    seals: int
    told: list[str]


class CaseAnswer(BaseModel):
    """A case as known and as true at a time. `notices`: the last ones owed, of `notices_total`; `events`: how many
    steps its record had; `position`: every event up to here in the log is taken into account, as far as the times
    asked about let it be."""

    case: CaseRow
    state: StateRow
    notices: list[NoticeRow]
    notices_total: int
    feedback: list[FeedbackRow]
    events: int
    as_known_at: str | None
    as_true_at: date | None
    position: int


class Changed(BaseModel):
    """A field's values at the two moments."""

    field: str
    before: Any
    after: Any


class NoticeChanged(BaseModel):
    """`new`: it was not owed yet at the first moment; then every field that has a value is among the changes."""

    notice: str
    department: str
    serial: int
    new: bool
    changes: list[Changed]


class Difference(BaseModel):
    """What was recorded about a case after one moment and by another, and what that changed. `new`: there was no such
    case at the first one. `steps`: the first of `recorded`; `next` continues them as the cursor of the case's steps,
    asked as known at the second moment; `notices`: those that changed of the last
    owed among the `notices_total` of which something was recorded."""

    organ: str
    number: str
    since: str
    until: str
    new: bool
    recorded: int
    steps: list[StepRow]
    next: str | None
    complete: bool
    case: list[Changed]
    notices: list[NoticeChanged]
    notices_total: int
    position: int
