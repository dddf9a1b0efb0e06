"""Given a region, when somebody submits, then this is decided: the same by whichever door it goes in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, TypeVar

from adapters.crypto.jws import JwsSigner
from adapters.formats.workdays import published
from adapters.kafka.cloudevents import encode
from domain import system
from domain.catalogue import PAYLOADS
from domain.departments import Department
from domain.event import Event, Recorded
from domain.handling import Outcome
from domain.notices import NoticeOwed, NoticeState, notice_stream
from domain.submissions import cloud_event
from domain.world import World
from tests.unit.memory_intake import MemoryIntake, Record

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MATTER = "11150100000000001F3000112001000"
OWN_MATTER = "11150100000000001F3000112002000"
ROLES = {
    "spj": "APPROVAL", "zjj": "SUPERVISION", "s1": "SUPERVISION", "s2": "SUPERVISION", "s3": "SUPERVISION",
    "qu": "HIGHER_AUTHORITY", "jw": "DISCIPLINE", "pt": "PLATFORM",
}  # fmt: skip
OPERATOR = "operator"
VOUCHING = "api"
PRINCIPALS = (*ROLES, "sgb")
"""Each acts for the department of its name."""
_SENDER = frozenset(("by", "caller", "jws_by"))
"""What is said of a submission that is no part of its content; see `Region.record_of`."""
ORGANISATION = {"kind": "法人及非法人组织", "name": "内蒙古草原有限公司"}


class Door(Protocol):
    """Where submissions go in: the intake in memory, or a real one behind Kafka."""

    now: datetime
    """When what comes next is recorded."""
    store: str
    """Whose topics they are."""

    @property
    def world(self) -> World:
        """As the recorded events tell it."""
        ...

    @property
    def events(self) -> Sequence[Event]:
        """All that is recorded, in the order of the log."""
        ...

    @property
    def recorded(self) -> Sequence[Recorded]:
        """The same, at its place and time."""
        ...

    def record(self, fact: Callable[[World], Iterable[Event]]) -> None:
        """A fact that no submission made."""
        ...

    def hand_in(self, record: Record) -> Outcome:
        """One record alone; what became of it, with the events it made but without those of whom it released."""
        ...


D = TypeVar("D", bound=Door)


def founded(door: D) -> D:
    """One matter transferred from zjj to spj in 2024, supervised by s1 (lead) and s2; another never transferred."""
    office = Department(
        code="sgb", name="审改办", roles=("REFORM_OFFICE",), region="150100", valid_from=date(2020, 1, 1)
    )
    everyone = {name: (name,) for name in PRINCIPALS}
    door.record(lambda world: system.found(world, office, everyone, OPERATOR, NOW, VOUCHING))
    door.record(lambda world: system.calendar_adopted(world, published(), NOW))
    region = Region(door, "r")
    for code, role in ROLES.items():
        above = "150000" if role == "HIGHER_AUTHORITY" else "150100"
        entry = {"code": code, "name": code, "roles": [role], "region": above, "valid_from": "2020-01-01"}
        region.accepted("department.register", "sgb", entry=entry)
    for code in (MATTER, OWN_MATTER):
        entry = {"code": code, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法第七条"}
        region.accepted("matter.register", "sgb", entry=entry)
    supervisors = [{"department": "s1"}, {"department": "s2", "part": "assist"}]
    region.accepted(
        "matter.transfer", "sgb", matter=MATTER, valid_from="2024-01-01", basis="划转通知", to="spj",
        supervisors=supervisors,
    )  # fmt: skip
    return door


class Region:
    """What its departments hand in, by a door, and what comes of it."""

    def __init__(self, door: Door | None = None, ids: str = "") -> None:
        """By default founded, in memory. The submissions' ids count up from 1 after `ids`."""
        self.door: Door = door or founded(MemoryIntake())
        self.when = NOW
        self._ids = (f"{ids}{number}" for number in itertools.count(1))

    @property
    def world(self) -> World:
        """As recorded by now: to be looked at, and asked for again after the next submission."""
        return self.door.world

    @property
    def events(self) -> Sequence[Event]:
        return self.door.events

    @property
    def recorded(self) -> Sequence[Recorded]:
        return self.door.recorded

    def record(self, fact: Callable[[World], Iterable[Event]]) -> list[Event]:
        """A fact of the system's own, decided against the world; what was recorded for it."""
        before = len(self.events)
        self.door.record(fact)
        return list(self.events[before:])

    def later(self, days: int) -> None:
        """Time passes, where things are recorded: what is handed in still says that it is from NOW."""
        self.door.now += timedelta(days=days)

    def days_after(self, days: int) -> None:
        """Time passes for everybody."""
        self.later(days)
        self.when += timedelta(days=days)

    def submit(self, type_: str, department: str, **given: Any) -> Outcome:
        """One submission at NOW, of this content and by whom `record_of` says.

        Raises ValidationError, as checking before sending would, where no payload of the type can have this content;
        the door has been seen to make a dead letter of it (`dead` says which).
        """
        outcome = self._hand_in(type_, department, given)
        if outcome.disposition == "dead":
            data = {key: value for key, value in given.items() if key not in _SENDER}
            PAYLOADS[type_].model_validate({"department": department, **data}, context={"incoming": True})
        return outcome

    def accepted(self, type_: str, department: str, **data: Any) -> list[Event]:
        outcome = self.submit(type_, department, **data)
        assert outcome.disposition == "accepted", outcome
        return list(outcome.events)

    def refused(self, rule: str, type_: str, department: str, **data: Any) -> None:
        """Refused by this rule, and the attempt is the only thing recorded."""
        outcome = self.submit(type_, department, **data)
        assert (outcome.disposition, outcome.rule) == ("refused", rule), outcome
        assert [event.TOPIC for event in outcome.events] == ["attempt.refused"]

    def waits(self, stream: str, type_: str, department: str, **data: Any) -> None:
        outcome = self.submit(type_, department, **data)
        assert (outcome.disposition, outcome.stream, outcome.events) == ("parked", stream, ()), outcome

    def dead(self, field: str, rule: str, type_: str, department: str, **given: Any) -> None:
        """A dead letter for this one fault, be it of form or against what is on record."""
        outcome = self._hand_in(type_, department, given)
        found = [(e.field, e.rule) for e in outcome.errors]
        assert (outcome.disposition, found, outcome.events) == ("dead", [(field, rule)], ()), outcome

    def _hand_in(self, type_: str, department: str, given: dict[str, Any]) -> Outcome:
        return self.door.hand_in(self.record_of(type_, department, **given))

    def record_of(
        self,
        type_: str,
        department: str,
        *,
        by: str | None = None,
        caller: str | None = None,
        jws_by: JwsSigner | None = None,
        **data: Any,
    ) -> Record:
        """As it is sent, by the principal of the department's name or `by` another, who may vouch for a caller, and may
        sign."""
        principal = by or department
        attributes = cloud_event(PAYLOADS[type_], principal, next(self._ids), self.when)
        if caller is not None:
            attributes["caller"] = caller
        text = json.dumps({"department": department, **data}, ensure_ascii=False).encode()
        if jws_by is not None:
            attributes["signature"] = jws_by.detached(attributes, self.door.store, text)
        headers, value = encode(attributes, text)
        key = str(data.get("number", principal)).encode()
        return Record(principal, key, tuple(headers), value)

    # Short forms of the usual steps.

    def case(self, number: str = "1", **more: Any) -> dict[str, Any]:
        return {"organ": "spj", "number": number, **more}

    def accept(self, number: str = "1", matter: str = MATTER, organ: str = "spj") -> None:
        self.accepted(
            "case.accept",
            organ,
            organ=organ,
            number=number,
            matter=matter,
            party=ORGANISATION,
            accepted_on="2026-02-01",
        )

    def decision(self, number: str = "1", **more: Any) -> dict[str, Any]:
        usual = {"outcome": "granted", "document_number": "呼1号", "decided_on": "2026-02-10", "content": "准予"}
        validity = {"valid_from": "2026-02-10", "valid_to": "2031-02-09"}
        return self.case(number, **(usual | validity | more))

    def granted(self, number: str = "1") -> list[str]:
        """The notices that the decision owes."""
        self.accept(number)
        return owed(self.accepted("case.decide", "spj", **self.decision(number)))

    def state(self, notice: str) -> NoticeState:
        return self.world.notice(notice)

    def serial(self, notice: str) -> int:
        found = self.state(notice).owed
        assert found is not None, notice_stream(notice)
        return found.serial


def owed(events: list[Event]) -> list[str]:
    return [event.notice for event in events if isinstance(event, NoticeOwed)]
