"""The log read once more, apart from the domain's own folding: registers by date, and who holds and was told of a case.

Plain lists and the latest of them by date: slow, and too simple to be wrong in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.cases import CaseAccepted, CaseCorrected, CaseDecided
from domain.departments import Department, DepartmentRegistered, PrincipalRegistered
from domain.event import Event
from domain.letters import LetterIssued
from domain.matters import Matter, MatterRegistered, MatterReturned, MatterRouted, MatterTransferred
from domain.notices import NoticeMoved, NoticeOwed
from domain.registering import EntryRegistered, EntryStruck
from domain.seal_registry import Seal
from domain.submissions import local_date
from domain.succession import DepartmentSucceeded
from domain.tasks import TaskOpened


@dataclass(slots=True)
class CaseBook:
    """`told`: every addressee of its decision, however it came to them; `open`: notices of it that stand, and whose;
    `routed`: somebody was to be told as the matter was routed."""

    organ: str
    matter: str
    accepted_on: date
    decision: CaseDecided | None = None
    decided_on: date = date.max
    told: set[str] = field(default_factory=set)
    open: dict[str, str] = field(default_factory=dict)
    routed: bool = False


@dataclass(slots=True)
class Books:
    departments: dict[str, Department] = field(default_factory=dict)
    principals: dict[str, PrincipalRegistered] = field(default_factory=dict)
    matters: dict[str, Matter] = field(default_factory=dict)
    powers: list[Any] = field(default_factory=list)
    routes: list[Any] = field(default_factory=list)
    successions: list[DepartmentSucceeded] = field(default_factory=list)
    seals: list[EntryRegistered | EntryStruck] = field(default_factory=list)
    cases: dict[str, CaseBook] = field(default_factory=dict)
    notices: dict[str, NoticeOwed] = field(default_factory=dict)
    disputes: set[str] = field(default_factory=set)
    firsts: dict[str, Event] = field(default_factory=dict)
    """The event with which each stream began."""
    tasks: dict[tuple[str, str], TaskOpened] = field(default_factory=dict)
    letters: dict[str, LetterIssued] = field(default_factory=dict)
    serials: defaultdict[str, list[NoticeOwed]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: Event) -> None:
        self.firsts.setdefault(event.originator_id, event)
        match event:
            case DepartmentRegistered():
                self.departments[event.entry.code] = event.entry
            case PrincipalRegistered():
                self.principals[event.principal] = event
            case MatterRegistered():
                self.matters[event.entry.code] = event.entry
            case MatterTransferred():
                self.powers.append(event)
                self.routes.append(event)
            case MatterReturned():
                self.powers.append(event)
            case MatterRouted():
                self.routes.append(event)
            case DepartmentSucceeded():
                self.successions.append(event)
            case EntryRegistered(entry=Seal()) | EntryStruck(kind="seal"):
                self.seals.append(event)
            case CaseAccepted():
                self.cases[event.originator_id] = CaseBook(event.organ, event.matter, event.accepted_on)
            case CaseDecided():
                case = self.cases[event.originator_id]
                case.decision, case.decided_on, case.routed = event, event.decided_on, bool(event.supervisors)
            case CaseCorrected():
                case = self.cases[event.originator_id]
                case.matter = event.matter
                case.routed = case.routed or bool(event.joining)
                if event.target == "decided_on":
                    case.decided_on = date.fromisoformat(event.new)
            case LetterIssued():
                self.letters[event.number] = event
            case TaskOpened():
                self.tasks[event.case, event.task] = event
            case NoticeOwed():
                self._owed(event)
            case NoticeMoved():
                notice = event.originator_id.removeprefix("notice/")
                if self.notices[notice].case:
                    self.cases[self.notices[notice].case].open.pop(notice, None)

    def _owed(self, event: NoticeOwed) -> None:
        self.notices[event.notice] = event
        self.serials[event.addressee].append(event)
        if event.about == "duty_dispute" or (event.about == "succession" and event.origin in self.disputes):
            self.disputes.add(event.notice)
        if event.root == "decision":
            case = self.cases[event.case]
            case.open[event.notice] = event.addressee
            if event.notice not in self.disputes:
                case.told.add(event.addressee)

    # Who, on a date.

    def transfer(self, matter: str, on: date) -> MatterTransferred | None:
        found = _latest(self.powers, matter, on)
        return found if isinstance(found, MatterTransferred) else None

    def holder(self, matter: str, on: date) -> str:
        transfer = self.transfer(matter, on)
        return self.acting(transfer.to if transfer else self.matters[matter].competent, on, matter)

    def competent(self, matter: str, on: date) -> str:
        return self.acting(self.matters[matter].competent, on, matter)

    def supervisors(self, matter: str, on: date, told_on: date) -> set[str]:
        """Whoever has, on the day of telling, the duties of those who supervise on that date."""
        route = _latest(self.routes, matter, on)
        if self.transfer(matter, on) is None or route is None:
            return set()
        return {self.acting(one.department, told_on, matter) for one in route.supervisors}

    def in_charge(self, matter: str, on: date) -> set[str]:
        """Who supervises the matter; where it was not transferred, who holds the power."""
        if self.transfer(matter, on) is None:
            return {self.holder(matter, on)}
        return self.supervisors(matter, on, on)

    def supervising(self, case: CaseBook, on: date) -> set[str]:
        """Who holds the case's notices; where nobody was told as it was routed, whoever is in charge too."""
        held = {whose for notice, whose in case.open.items() if notice not in self.disputes}
        if not case.routed:
            held |= self.in_charge(case.matter, on)
        return {self.acting(one, on, case.matter) for one in held}

    def acting(self, department: str, on: date, matter: str) -> str:
        mine = [one for one in self.successions if one.old == department and one.valid_from <= on]
        found = [one for one in mine if matter in one.matters] or [one for one in mine if not one.matters]
        return self.acting(_last(found).to, on, matter) if found else department

    def ceased(self, department: str, on: date) -> bool:
        return any(one.old == department and not one.matters and one.valid_from <= on for one in self.successions)

    def seal(self, code: str, on: date) -> Seal | None:
        found = [
            one
            for one in self.seals
            if (one.entry.key() if isinstance(one, EntryRegistered) else one.key) == code and one.valid_from <= on
        ]
        last = _last(found) if found else None
        return last.entry if isinstance(last, EntryRegistered) and isinstance(last.entry, Seal) else None

    def pushed(self, event: CaseDecided) -> bool:
        """Whether supervisors hear of such a decision (domain notes §4.13)."""
        flags = self.matters[event.matter]
        pushed = {
            "granted": {
                "ordinary": True, "commitment": flags.push_commitment, "lacking": flags.push_lacking
            }[event.manner],
            "not_granted": flags.push_not_granted,
            "discontinued": flags.push_discontinued,
        }  # fmt: skip
        return pushed[event.outcome] and event.basis == "normal"


def day_of(event: Event) -> date:
    """On which it occurred."""
    return local_date(event.meta.occurred_at)


def _latest(events: Sequence[Any], matter: str, on: date) -> Any:
    found = [one for one in events if one.matter == matter and one.valid_from <= on]
    return _last(found) if found else None


def _last(events: Sequence[Any]) -> Any:
    """By date; of several from the same date the one recorded last."""
    return max(enumerate(events), key=lambda one: (one[1].valid_from, one[0]))[1]
