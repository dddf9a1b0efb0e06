"""Approval cases 办件: accepted, decided, and what becomes of the permit afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from domain.event import Event, State
from domain.identifiers import is_within
from domain.notices import About, Holder, NoticePassed, SupervisionMoved, SupervisorJoined
from domain.party import Party
from domain.personal import LicenceNumber, Model, Sealed, Text
from domain.rules import Waiting, rejection
from domain.submissions import Code, Day, Number, Payload, Submission

if TYPE_CHECKING:
    from domain.world import World

DecisionKind = Literal["普通", "特许", "认可", "核准", "登记", "其他"]
Outcome = Literal["granted", "not_granted", "discontinued"]
"""准予, 不予许可, 终止办理 (the applicant withdrew)."""
Manner = Literal["ordinary", "commitment", "lacking"]
"""一般, 告知承诺, 容缺."""
Correctable = Literal["document_number", "decided_on", "valid_from", "valid_to"]


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
    TOPIC = "case.accepted"
    organ: str
    number: str
    matter: str
    party: Party
    accepted_on: Day

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


class CaseCorrected(Event):
    """A field of the decision was wrong. `holders`: whose notice is superseded."""

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

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


@dataclass(frozen=True, slots=True)
class CaseState(State):
    """`told`: everyone ever told of the decision, in order; `holders`: whose notice is current, one per department."""

    matter: str = ""
    accepted_on: date = date.max
    status: Literal["", "accepted", "granted", "not_granted", "discontinued", "ended"] = ""
    decision_version: int = 0
    decision: dict[str, str | None] = field(default_factory=dict)
    licence_number: str | Sealed | None = None
    told: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()

    def evolve(self, event: Event) -> CaseState:
        return replace(self, version=event.originator_version, **self._changed(event))

    def _changed(self, event: Event) -> dict[str, Any]:
        match event:
            case CaseAccepted():
                return {"matter": event.matter, "accepted_on": event.accepted_on, "status": "accepted"}
            case CaseDecided():
                return {
                    "status": event.outcome,
                    "decision_version": event.originator_version,
                    "decision": {
                        "document_number": event.document_number,
                        "decided_on": event.decided_on.isoformat(),
                        "valid_from": event.valid_from.isoformat() if event.valid_from else None,
                        "valid_to": event.valid_to.isoformat() if event.valid_to else None,
                    },
                    "told": event.supervisors,
                    "holders": tuple(Holder(department=d, notice=f"{d}/{event.meta.fact}") for d in event.supervisors),
                }
            case LicenceIssued():
                return {"licence_number": event.licence_number}
            case CaseExtended():
                return {"decision": self.decision | {"valid_to": event.valid_to.isoformat()}}
            case CaseWithdrawn() | CaseRevoked() | CaseCancelled():
                return {"status": "ended"}
            case CaseCorrected():
                open_disputes = tuple(h for h in self.holders if h.disputed)
                superseded = tuple(
                    h.model_copy(update={"notice": f"{h.department}/{event.meta.fact}"}) for h in event.holders
                )
                return {"decision": self.decision | {event.target: event.new}, "holders": superseded + open_disputes}
            case SupervisionMoved():
                return self._moved(event)
            case NoticePassed():
                return self._passed(event)
            case SupervisorJoined():
                joining = Holder(department=event.department, notice=f"{event.department}/{event.meta.fact}")
                return {"told": (*self.told, event.department), "holders": (*self.holders, joining)}
        return {}

    def _moved(self, event: SupervisionMoved) -> dict[str, Any]:
        # A dispute's notice goes to the reform office: it is asked, not told.
        told = self.told
        if event.about != "duty_dispute" and event.to not in told:
            told = (*told, event.to)
        taking_over = Holder(
            department=event.to,
            notice=f"{event.to}/{event.meta.fact}",
            returns=event.returns,
            ruled=event.about == "ruling",
            disputed=event.about == "duty_dispute",
        )
        holders = (*(h for h in self.holders if h.notice != event.origin), taking_over)
        return {"told": told, "holders": holders}

    def _passed(self, event: NoticePassed) -> dict[str, Any]:
        """The successor holds what its predecessor held; of one case it holds one notice."""
        if all(holder.notice != event.origin for holder in self.holders):
            return {}
        successor = Holder(
            department=event.to,
            notice=f"{event.to}/{event.meta.fact}",
            returns=event.returns,
            ruled=event.ruled,
            disputed=event.disputed,
        )
        kept = (h for h in self.holders if h.notice != event.origin and h.department != event.to)
        told = self.told if event.disputed or event.to in self.told else (*self.told, event.to)
        return {"told": told, "holders": (*kept, successor)}


def case_for_power(submission: Submission[Any], payload: OfCase, on: date, world: World) -> CaseState:
    """The case, once it is there and the department holds the power over its matter on that date."""
    world.require_department(payload.department)
    state = world.case(payload.organ, payload.number)
    if not state.status:
        raise Waiting(state.stream)
    entry = world.registers.departments[payload.department]
    organ = world.registers.departments.get(payload.organ)
    higher = "HIGHER_AUTHORITY" in entry.roles and organ is not None and is_within(organ.region, entry.region)
    if not (payload.HIGHER_MAY and higher):
        world.require_power(payload.department, state.matter, on)
    require_not_after(submission, "on", on)
    return state


def require_not_after(submission: Submission[Any], name: str, on: date) -> None:
    if on > submission.occurred_on:
        raise rejection(name, "date.future", on)


def fields(payload: Model, *names: str) -> dict[str, Any]:
    return {name: getattr(payload, name) for name in names}
