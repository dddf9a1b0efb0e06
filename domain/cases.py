"""Approval cases 办件: accepted, decided, and what becomes of the permit afterwards."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from domain.clocks import Due
from domain.event import Event
from domain.notices import About, Holder
from domain.party import Party
from domain.personal import LicenceNumber, Text
from domain.submissions import Code, Day, Number, Payload

DecisionKind = Literal["普通", "特许", "认可", "核准", "登记", "其他"]
Outcome = Literal["granted", "not_granted", "discontinued"]
"""准予, 不予许可, 终止办理 (the applicant withdrew)."""
Manner = Literal["ordinary", "commitment", "lacking"]
"""一般, 告知承诺, 容缺."""
Correctable = Literal["document_number", "decided_on", "valid_from", "valid_to", "matter"]
Measure = Literal["permit_revocation", "permit_suspension"]
"""吊销, 暂扣."""
Procedure = Literal["reconsideration", "litigation"]
"""行政复议, 行政诉讼."""
RemedyOutcome = Literal["stop_execution", "resume_execution", "upheld", "changed", "unlawful", "annulled", "anew"]
"""停止执行, 恢复执行, 维持, 变更, 确认违法, 撤销, 撤销并责令重作."""


def case_stream(organ: str, number: str) -> str:
    return f"case/{organ}/{number}"


class OfCase(Payload):
    """Base of what the approving side does in a case. `organ` is the department that accepted it."""

    HIGHER_MAY: ClassVar[bool] = False
    """Whether a higher authority may do it in place of the holder of the power."""
    organ: Code
    number: Number

    @property
    def stream(self) -> str:
        return case_stream(self.organ, self.number)

    def streams(self) -> tuple[str, ...]:
        return (self.stream,)

    def subject(self) -> str:
        return self.stream

    def about(self) -> str:
        return self.stream


class CaseAccepted(Event):
    """`due`: until when it is to be decided, as the matter's guide promised on that day."""

    TOPIC = "case.accepted"
    organ: str
    number: str
    matter: str
    party: Party
    accepted_on: Day
    anew_of: str | None = None
    due: Due | None = None

    @property
    def effective_on(self) -> str:
        return self.accepted_on.isoformat()


class CaseDecided(Event):
    """The decision, with the transfer in force that gave the power, the supervisors matched by date (1.1a), and since
    when the guide that it was taken under had been in force, and which in its entry's stream it is (3.1a);
    `outside_window`: it was taken elsewhere than in the windows authorised on its day (3.2c)."""

    TOPIC = "case.decided"
    matter: str
    outcome: Outcome
    document_number: str
    decided_on: Day
    valid_from: date | None
    valid_to: date | None
    kind: str
    content: Text
    basis: Literal["normal", "legacy"]
    power_since: date | None
    power_basis: str | None
    supervisors: tuple[str, ...]
    guide_since: date | None = None
    guide_version: int | None = None
    manner: Manner = "ordinary"
    window: str | None = None
    outside_window: bool = False

    @property
    def effective_on(self) -> str:
        return self.decided_on.isoformat()


class LicenceIssued(Event):
    TOPIC = "case.licence_issued"
    licence_number: LicenceNumber
    certificate: str
    issued_on: Day
    electronic_id: str | None = None

    @property
    def effective_on(self) -> str:
        return self.issued_on.isoformat()


class AudienceEvent(Event):
    """Base of what everyone who was told of the decision must hear, received or not (domain notes §4.4)."""

    ABOUT: ClassVar[About]
    matter: str
    document_number: str
    on: Day
    audience: tuple[str, ...]

    @property
    def about(self) -> About:
        return self.ABOUT

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


class CaseChanged(AudienceEvent):
    TOPIC = "case.changed"
    ABOUT = "change"
    content: Text


class CaseExtended(AudienceEvent):
    TOPIC = "case.extended"
    ABOUT = "extension"
    valid_to: Day


class CaseExpired(AudienceEvent):
    """The permit's last day, `on`, has gone by; `term`: the version of the event that had said so."""

    TOPIC = "case.expired"
    ABOUT = "expiry"
    term: int


class CaseWithdrawn(AudienceEvent):
    TOPIC = "case.withdrawn"
    ABOUT = "withdrawal"
    reason: Text


class CaseRevoked(AudienceEvent):
    TOPIC = "case.revoked"
    ABOUT = "revocation"
    reason: Text


class CaseCancelled(AudienceEvent):
    TOPIC = "case.cancelled"
    ABOUT = "cancellation"
    reason: Text


class CasePenalised(AudienceEvent):
    """By the enforcing side; `penalty` is `<department>/<number>`, `until` a suspension's last day."""

    TOPIC = "case.penalised"
    ABOUT = "penalty"
    penalty: str
    measure: Measure
    until: date | None
    reason: Text


class PenaltyLifted(AudienceEvent):
    TOPIC = "case.penalty_lifted"
    ABOUT = "penalty_lifted"
    penalty: str
    reason: Text


class CaseRemedied(AudienceEvent):
    """What a review organ 复议机关 or court found of the decision; stop-execution is urgent."""

    TOPIC = "case.remedied"
    ABOUT = "remedy"
    procedure: Procedure
    outcome: RemedyOutcome
    content: Text

    @property
    def about(self) -> About:
        return "stop_execution" if self.outcome == "stop_execution" else self.ABOUT


class AnewBegun(Event):
    """On the stream of a case that was ordered to be decided anew: the case in which it is."""

    TOPIC = "case.anew_begun"
    anew: str


class CaseCorrected(Event):
    """A field of the decision was wrong, as the event `target_version` of the stream had set it. `holders`: whose
    notice is superseded, by the name of who has their duties now; by another day or matter `joining` must hear of the
    decision too, it is no longer for those `leaving`, and the power came of another transfer. `matter` is the right
    one."""

    TOPIC = "case.corrected"
    matter: str
    target: Correctable
    target_version: int
    old: str
    new: str
    on: Day
    reason: Text
    authorised_by: Text
    holders: tuple[Holder, ...]
    joining: tuple[str, ...] = ()
    leaving: tuple[Holder, ...] = ()
    power_since: date | None = None
    power_basis: str | None = None

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()
