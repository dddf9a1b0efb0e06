"""What a case's events come to, and what whoever acts in a case must find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from domain.cases import (
    AnewBegun,
    CaseAccepted,
    CaseCancelled,
    CaseCorrected,
    CaseDecided,
    CaseExpired,
    CaseExtended,
    CasePenalised,
    CaseRemedied,
    CaseRevoked,
    CaseWithdrawn,
    LicenceIssued,
    OfCase,
    PenaltyLifted,
)
from domain.clocks import Due
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

    `routed`: somebody was to hear of it as the matter was routed; nobody was of stock, and of what was decided before
    the transfer. `terms`: since when the permit is valid until when, one for the decision and each extension, and
    `term_version` the event of the last; `ending_version`: the event that gave its last day, corrections included, and
    `expired_term` that of which it was told that it is over. `penalised_on`: since when it was revoked by penalty 吊销;
    `annulled_on`: by review or court; `anew`: it is to be decided anew, by order.
    """

    matter: str = ""
    accepted_on: date = date.max
    due: Due | None = None
    status: Literal["", "accepted", "granted", "not_granted", "discontinued", "penalised", "ended"] = ""
    decision_version: int = 0
    decision: dict[str, str | None] = field(default_factory=dict)
    decided_by: str = ""
    licence_number: str | Sealed | None = None
    told: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    routed: bool = False
    legacy: bool = False
    terms: tuple[tuple[date, date | None], ...] = ()
    term_version: int = 0
    ending_version: int = 0
    expired_term: int = 0
    manner: str = "ordinary"
    outcome: str = ""
    ended: tuple[Ending, date] | None = None
    penalised_on: date | None = None
    annulled_on: date | None = None
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
                return {
                    "matter": event.matter,
                    "accepted_on": event.accepted_on,
                    "due": event.due,
                    "status": "accepted",
                }
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
                    "routed": bool(event.supervisors),
                    "legacy": event.basis == "legacy",
                    "terms": ((event.decided_on, event.valid_to),),
                    "term_version": event.originator_version,
                    "ending_version": event.originator_version,
                    "manner": event.manner,
                    "outcome": event.outcome,
                    "told": event.supervisors,
                    "holders": tuple(Holder(department=d, notice=f"{d}/{event.meta.fact}") for d in event.supervisors),
                }
            case LicenceIssued():
                return {"licence_number": event.licence_number}
            case CaseExtended():
                return {
                    "decision": self.decision | {"valid_to": event.valid_to.isoformat()},
                    "terms": (*self.terms, (event.on, event.valid_to)),
                    "term_version": event.originator_version,
                    "ending_version": event.originator_version,
                }
            case CaseWithdrawn() | CaseRevoked() | CaseCancelled():
                return {"status": "ended", "ended": (ENDINGS[type(event)], event.on)}
            case CaseExpired():
                return {"expired_term": event.term}
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
            "told": tuple(dict.fromkeys((*self.told, *(h.department for h in event.holders), *event.joining))),
            "routed": self.routed or bool(event.joining),
        }
        if event.target == "matter":
            return changed | {"matter": event.new}
        changed["decision"] = self.decision | {event.target: event.new}
        if event.target == "valid_to":
            changed["ending_version"] = event.originator_version
            changed["terms"] = (*self.terms[:-1], (self.terms[-1][0], date.fromisoformat(event.new)))
        elif event.target == "decided_on":
            changed["terms"] = ((date.fromisoformat(event.new), self.terms[0][1]), *self.terms[1:])
        return changed

    def _penalised(self, event: CasePenalised) -> dict[str, Any]:
        penalties = self.penalties | {event.penalty}
        if event.measure == "permit_revocation":
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
                over: dict[str, Any] = {"anew": event.outcome == "anew", "annulled_on": event.on}
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
        others = tuple(h for h in self.holders if h.notice != event.origin)
        if event.joins is not None:
            return {"holders": others}
        successor = Holder(
            department=event.to,
            notice=f"{event.to}/{event.meta.fact}",
            returns=event.returns,
            ruled=event.ruled,
            disputed=event.disputed,
        )
        told = self.told if event.disputed or event.to in self.told else (*self.told, event.to)
        return {"told": told, "holders": (*others, successor)}


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


def supervising(state: CaseState, registers: Registers, on: date) -> tuple[str, ...]:
    """Who supervises a permit, by the name of who has their duties on that date: whoever holds its notices; where
    nobody was told as the matter was routed, whoever is in charge of the matter too. A dispute is nobody's."""
    held = tuple(one.department for one in state.holders if not one.disputed)
    if not state.routed:
        held = (*registers.in_charge(state.matter, on), *held)
    return registers.acting_for(held, on, state.matter)


def hearers(state: CaseState, registers: Registers, meta: Meta) -> tuple[str, ...]:
    """Who must hear of what becomes of a case, by the name of who has their duties now: everyone who was told of the
    decision; whoever is in charge of the matter, where nobody was told as it was routed; and the approving side. Nobody
    is told of its own doing."""
    on = local_date(meta.occurred_at)
    told = state.told
    if not state.routed and registers.matters[state.matter].entry.tells(state.outcome, state.manner):
        told = (*told, *registers.in_charge(state.matter, on))
    told = registers.acting_for((*told, registers.holder(state.matter, on)), on, state.matter)
    return tuple(dict.fromkeys(one for one in told if one != meta.department))


def require_not_after(submission: Submission[Any], name: str, on: date) -> None:
    if on > submission.occurred_on:
        raise rejection(name, "date.future", on)


def fields(payload: Model, *names: str) -> dict[str, Any]:
    return {name: getattr(payload, name) for name in names}
