"""What a case's events come to, and what whoever acts in a case must find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from domain.cases import (
    AnewBegun,
    AudienceEvent,
    CaseAccepted,
    CaseCancelled,
    CaseCorrected,
    CaseDecided,
    CaseExtended,
    CasePenalised,
    CaseRemedied,
    CaseRevoked,
    CaseWithdrawn,
    LicenceIssued,
    OfCase,
    PenaltyLifted,
)
from domain.event import Event, Meta, State
from domain.identifiers import is_within
from domain.notices import Holder, NoticePassed, SupervisionMoved, SupervisorJoined
from domain.personal import Model, Sealed
from domain.rules import Waiting, rejection
from domain.submissions import Submission, local_date

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World


Ending = Literal["withdrawn", "revoked", "cancelled", "annulled"]
"""撤回, 撤销, 注销; 复议或诉讼撤销."""
ENDINGS: dict[type[Event], Ending] = {CaseWithdrawn: "withdrawn", CaseRevoked: "revoked", CaseCancelled: "cancelled"}


@dataclass(frozen=True, slots=True)
class Suspension:
    """A permit is not to be used: `by` a penalty 暂扣, or "" by stop-execution; `until` its last day, if it has one."""

    by: str
    since: date
    until: date | None = None
    lifted_on: date | None = None

    def covers(self, on: date) -> bool:
        """Whether that day is one of it; the day on which it is lifted is not."""
        over = (self.until is not None and on > self.until) or (self.lifted_on is not None and on >= self.lifted_on)
        return self.since <= on and not over


@dataclass(frozen=True, slots=True)
class CaseState(State):
    """`told`: everyone ever told of the decision, in order; `holders`: whose notice is current, one per department.

    `penalised_on`: since when it was revoked by penalty 吊销; `anew`: it is to be decided anew, by order.
    """

    matter: str = ""
    accepted_on: date = date.max
    status: Literal["", "accepted", "granted", "not_granted", "discontinued", "penalised", "ended"] = ""
    decision_version: int = 0
    decision: dict[str, str | None] = field(default_factory=dict)
    decided_by: str = ""
    licence_number: str | Sealed | None = None
    told: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    legacy: bool = False
    manner: str = "ordinary"
    outcome: str = ""
    ended: tuple[Ending, date] | None = None
    penalised_on: date | None = None
    penalties: frozenset[str] = frozenset()
    suspensions: tuple[Suspension, ...] = ()
    anew: bool = False

    @property
    def stopped(self) -> bool:
        """Whether its execution is stopped by a review organ or court."""
        return any(one.by == "" and one.lifted_on is None for one in self.suspensions)

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
                    "decided_by": event.meta.department or "",
                    "legacy": event.basis == "legacy",
                    "manner": event.manner,
                    "outcome": event.outcome,
                    "told": event.supervisors,
                    "holders": tuple(Holder(department=d, notice=f"{d}/{event.meta.fact}") for d in event.supervisors),
                }
            case LicenceIssued():
                return {"licence_number": event.licence_number}
            case CaseExtended():
                return {"decision": self.decision | {"valid_to": event.valid_to.isoformat()}}
            case CaseWithdrawn() | CaseRevoked() | CaseCancelled():
                return {"status": "ended", "ended": (ENDINGS[type(event)], event.on)}
            case CasePenalised():
                return self._penalised(event)
            case PenaltyLifted():
                return {"suspensions": self._lifted(event.penalty, event.on)}
            case CaseRemedied():
                return self._remedied(event)
            case AnewBegun():
                return {"anew": False}
            case CaseCorrected():
                return self._corrected(event)
            case SupervisionMoved():
                return self._moved(event)
            case NoticePassed():
                return self._passed(event)
            case SupervisorJoined():
                joining = Holder(department=event.department, notice=f"{event.department}/{event.meta.fact}")
                return {"told": (*self.told, event.department), "holders": (*self.holders, joining)}
        return {}

    def _corrected(self, event: CaseCorrected) -> dict[str, Any]:
        fact = event.meta.fact
        joined = tuple(Holder(department=d, notice=f"{d}/{fact}") for d in event.joining)
        superseded = tuple(h.model_copy(update={"notice": f"{h.department}/{fact}"}) for h in event.holders)
        open_disputes = tuple(h for h in self.holders if h.disputed)
        changed: dict[str, Any] = {
            "holders": superseded + joined + open_disputes,
            "told": self.told + tuple(d for d in event.joining if d not in self.told),
        }
        if event.target == "matter":
            return changed | {"matter": event.new}
        return changed | {"decision": self.decision | {event.target: event.new}}

    def _penalised(self, event: CasePenalised) -> dict[str, Any]:
        penalties = self.penalties | {event.penalty}
        if event.measure == "revocation":
            return {"penalties": penalties, "status": "penalised", "penalised_on": event.on}
        suspension = Suspension(event.penalty, event.on, event.until)
        return {"penalties": penalties, "suspensions": (*self.suspensions, suspension)}

    def _lifted(self, by: str, on: date) -> tuple[Suspension, ...]:
        return tuple(
            replace(one, lifted_on=on) if one.by == by and one.lifted_on is None else one for one in self.suspensions
        )

    def _remedied(self, event: CaseRemedied) -> dict[str, Any]:
        """Whatever is found in the end also ends the stop of execution."""
        match event.outcome:
            case "stop_execution":
                return {"suspensions": (*self.suspensions, Suspension("", event.on))}
            case "annulled" | "anew":
                over: dict[str, Any] = {"anew": event.outcome == "anew"}
                if self.status != "ended":
                    over |= {"status": "ended", "ended": ("annulled", event.on)}
                return over | {"suspensions": self._lifted("", event.on)}
        return {"suspensions": self._lifted("", event.on)}

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


def decided_case(submission: Submission[Any], payload: OfCase, on: date, world: World) -> CaseState:
    """The case once it is decided, for others than the approving side. That day is none before the decision."""
    state = world.case(payload.organ, payload.number)
    if state.status in ("", "accepted"):
        raise Waiting(state.stream)
    if on.isoformat() < (state.decision["decided_on"] or ""):
        raise rejection("on", "date.order", on)
    require_not_after(submission, "on", on)
    return state


def hearers(state: CaseState, registers: Registers, meta: Meta, kind: type[AudienceEvent]) -> tuple[str, ...]:
    """Who must hear of what becomes of a case: everyone who was told of the decision, by the name of who has their
    duties now; of what others do the approving side too. Nobody is told of its own doing."""
    on = local_date(meta.occurred_at)
    if not kind.FROM_OUTSIDE:
        return registers.acting_for(state.told, on, state.matter)
    told = registers.acting_for((*state.told, registers.holder(state.matter, on)), on, state.matter)
    return tuple(dict.fromkeys(one for one in told if one != meta.department))


def require_not_after(submission: Submission[Any], name: str, on: date) -> None:
    if on > submission.occurred_on:
        raise rejection(name, "date.future", on)


def fields(payload: Model, *names: str) -> dict[str, Any]:
    return {name: getattr(payload, name) for name in names}
