"""A notice as its addressee reads it: what was decided, about whom, by whom; enough to act on.

Personal data is in clear here, because the supervisor must know the permit's holder; only the addressee may read the
topic it goes to. A value whose key was destroyed is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.cases import CaseAccepted, CaseDecided, Outcome
from domain.event import Event, Recorded
from domain.matters import Matter
from domain.notices import URGENT, About, NoticeOwed
from domain.party import Party, PartyKind
from domain.personal import Person, Sealed, sealed_in, unseal
from domain.submissions import full_type

Opener = Callable[[Sealed], str | None]
_ENVELOPE = frozenset({"originator_id", "originator_version", "meta"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonPart(_Part):
    """A natural person; null where erased."""

    name: str | None
    id_type: str | None = None
    id_number: str | None = None
    phone: str | None = None


class PartyPart(_Part):
    """行政相对人, the permit's holder."""

    kind: PartyKind
    name: str
    uscc: str | None = None
    uscc_raw: str | None = None
    person: PersonPart | None = None
    representative: PersonPart | None = None


class DecisionPart(_Part):
    """The decision as it was taken; corrections come as notices of their own. `content` is null where erased."""

    outcome: Outcome
    document_number: str
    decided_on: date
    valid_from: date | None
    valid_to: date | None
    content: str | None


class CasePart(_Part):
    """办件. `party` is null where its key was destroyed, `decision` before there is one."""

    organ: str
    number: str
    matter: str
    matter_name: str
    party: PartyPart | None
    accepted_on: date
    decision: DecisionPart | None


class OfficerPart(_Part):
    """Who did it; the name is null where erased."""

    id: str
    name: str | None


class FactPart(_Part):
    """The fact that owes the notice. `type` is the event's topic, `details` its own fields, as they were submitted."""

    type: str
    department: str | None
    officer: OfficerPart | None
    occurred_at: datetime
    details: dict[str, Any]


class NoticeMessage(_Part):
    """The data of a notice's CloudEvent. `serial` is gapless per addressee; `origin` the notice this one replaces;
    `urgent` 加急: to be acted on before all others; `case` is null where the notice is about none."""

    notice: str
    serial: int
    addressee: str
    about: About
    root: About
    urgent: bool = False
    origin: str | None
    owed_at: datetime
    case: CasePart | None
    fact: FactPart

    @property
    def key(self) -> str:
        """By what the receipt is kept together with the rest: the case's number, or, without one, the notice's id."""
        return self.case.number if self.case else self.notice


def notice_message(owed: Recorded, case: CasePart | None, fact: FactPart) -> NoticeMessage:
    """What the addressee is told: `owed` holds the NoticeOwed; every addressee of a fact is told the same of it."""
    notice = owed.event
    assert isinstance(notice, NoticeOwed)
    return NoticeMessage(
        notice=notice.notice,
        serial=notice.serial,
        addressee=notice.addressee,
        about=notice.about,
        root=notice.root,
        urgent=notice.about in URGENT,
        origin=notice.origin,
        owed_at=owed.recorded_at,
        case=case,
        fact=fact,
    )


def case_part(accepted: CaseAccepted, decision: CaseDecided | None, matter: Matter, opener: Opener) -> CasePart:
    """What is told of a case: `accepted` began it."""
    return CasePart(
        organ=accepted.organ,
        number=accepted.number,
        matter=matter.code,
        matter_name=matter.name,
        party=_party(accepted.party, opener),
        accepted_on=accepted.accepted_on,
        decision=_decision(decision, opener),
    )


def fact_part(fact: Event, opener: Opener) -> FactPart:
    """What is told of the owing event."""
    officer = fact.meta.officer
    return FactPart(
        type=fact.TOPIC,
        department=fact.meta.department,
        officer=OfficerPart(id=officer.id, name=unseal(officer.name, opener)) if officer else None,
        occurred_at=fact.meta.occurred_at,
        details={
            name.removesuffix("_"): unseal(getattr(fact, name), opener)
            for name in type(fact).model_fields
            if name not in _ENVELOPE
        },
    )


def subjects(events: Iterable[Event]) -> set[str]:
    """Whose keys the messages will need, so that a batch can fetch them at once."""
    return {one.subject for event in events for one in sealed_in(event)}


def notice_type(about: About) -> str:
    """The CloudEvents type of a notice."""
    return full_type(f"notice.{about}")


def _decision(decision: CaseDecided | None, opener: Opener) -> DecisionPart | None:
    if decision is None:
        return None
    return DecisionPart(
        outcome=decision.outcome,
        document_number=decision.document_number,
        decided_on=decision.decided_on,
        valid_from=decision.valid_from,
        valid_to=decision.valid_to,
        content=unseal(decision.content, opener),
    )


def _party(party: Party, opener: Opener) -> PartyPart | None:
    name = unseal(party.name, opener)
    if name is None:
        return None
    return PartyPart(
        kind=party.kind,
        name=name,
        uscc=party.uscc,
        uscc_raw=party.uscc_raw,
        person=_person(party.person, opener),
        representative=_person(party.representative, opener),
    )


def _person(person: Person | None, opener: Opener) -> PersonPart | None:
    return None if person is None else PersonPart(**unseal(person, opener))
