"""A small world that lives on in memory: what is handed in, what Shenguan records of itself, and time moving on.

One intake whose states are never folded anew, as the writer's cache keeps them; every step is kept, so that the same
life can be lived again elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from adapters.formats.workdays import published
from domain import system
from domain.arrivals import Arrival, Intake, Place, Result
from domain.departments import Department
from domain.event import Event
from domain.submissions import full_type
from domain.world import TICK, World
from tests.unit.memory_intake import MemoryIntake, Record, read

BEGINNING = datetime(2026, 1, 15, 1, tzinfo=UTC)
"""When the store is founded; decisions of days before are stock."""
TODAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
OFFICE, OPERATOR, PLATFORM = "sgb", "operator", "pt"
ROLES: dict[str, tuple[str, ...]] = {
    OFFICE: ("REFORM_OFFICE",), "sp1": ("APPROVAL",), "sp2": ("APPROVAL", "SUPERVISION"), "zjj": ("SUPERVISION",),
    "s1": ("SUPERVISION",), "s2": ("SUPERVISION",), "s3": ("SUPERVISION",), "qu": ("HIGHER_AUTHORITY",),
    "fy": ("REVIEW_ORGAN",), "jw": ("DISCIPLINE",), PLATFORM: ("PLATFORM",),
}  # fmt: skip
LATER: dict[str, tuple[str, ...]] = {"sg2": ("REFORM_OFFICE",), "s4": ("SUPERVISION",)}
"""Departments that may be registered one day."""
ON_PAPER = ("s1", "s2", "zjj")
"""Those told by letter too."""
TRANSFERRED, UNTRANSFERRED, FLAGGED = MATTERS = tuple(f"11150100000000001F3000112{n}000" for n in ("001", "002", "003"))
NEW = "11150100000000001F3000112004000"
"""One that may be registered one day."""
SEALS = frozenset({"seal.apply", "seal.demand"})

Fact = Callable[[World, datetime], list[Event]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission as it lies in Kafka; `name` is its `source`/`id`, `now` when it came."""

    now: datetime
    type: str
    record: Record
    place: Place
    name: tuple[str, str]

    @property
    def retries(self) -> str | None:
        """The place of the dead letter that it asks to have decided again."""
        return json.loads(self.record.value).get("place") if self.type == "deadletter.retry" else None


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact of the system's own, at its moment."""

    fact: Fact
    now: datetime


@dataclass(slots=True)
class Life(MemoryIntake):
    """`steps` is everything that ever came; `sent` where it lies."""

    now: datetime = TODAY
    steps: list[Sent | Stated] = field(default_factory=list)
    sent: dict[Place, Sent] = field(default_factory=dict)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.registers, self._load, self.now)

    @property
    def today(self) -> date:
        return self.now.date()

    # What comes.

    def hand_in(
        self,
        type_: str,
        data: dict[str, Any],
        principal: str,
        *,
        id_: str | None = None,
        at: datetime | None = None,
        classified: bool = False,
    ) -> Result:
        """A principal hands something in; its own outcome, whatever it released."""
        self._offsets[principal] += 1
        place = Place(f"t-{principal}", 0, self._offsets[principal])
        name = (principal, id_ or f"n{sum(self._offsets.values())}")
        attributes = {
            "specversion": "1.0", "id": name[1], "source": name[0], "type": full_type(type_),
            "time": (at or self.now).isoformat(),
        } | ({"classified": "true"} if classified else {})  # fmt: skip
        headers = (
            ("content-type", b"application/json"),
            *((f"ce_{key}", text.encode()) for key, text in attributes.items()),
        )
        value = json.dumps(data, ensure_ascii=False).encode()
        return self.take(Sent(self.now, type_, Record(principal, b"", headers, value), place, name))

    def take(self, sent: Sent) -> Result:
        """What has been sent, at its place."""
        self.steps.append(sent)
        self.sent[sent.place] = sent
        self._begin(sent.now)
        intake = Intake(self.world, self, self._dead())
        intake.take(read(sent.record, sent.place))
        return self._settle(intake)[0]

    def state(self, fact: Fact, now: datetime | None = None) -> list[Event]:
        """Shenguan records a fact of its own; what came of it."""
        stated = Stated(fact, now or self.now)
        before = len(self.events)
        self._begin(stated.now)
        intake = Intake(self.world, self)
        intake.record(stated.fact(self.world, stated.now))
        self._settle(intake)
        if fresh := self.events[before:]:
            self.steps.append(stated)
        return fresh

    def again(self, step: Sent | Stated) -> None:
        """A step of another life."""
        if isinstance(step, Sent):
            self.take(step)
        else:
            self.state(step.fact, step.now)

    def _begin(self, now: datetime) -> None:
        self.world.now = max([now, *self.times[-1:]])

    def _settle(self, intake: Intake) -> list[Result]:
        self.times += [self.world.now + TICK * n for n in range(1, len(self.world.pending) + 1)]
        self._store(self.world.pending)
        self.world.pending.clear()
        for result in intake.results:
            self._note(result)
        return intake.results

    def _dead(self) -> dict[Place, Arrival]:
        return {place: one.arrival for place, one in self.results.items() if one.outcome.disposition == "dead"}

    # What is known of it.

    def streams(self, kind: str) -> list[str]:
        """The streams of a kind, in the order in which they began."""
        return [name for name in self._streams if name.startswith(f"{kind}/")]

    def stream(self, name: str) -> list[Event]:
        return self._streams.get(name, [])


def begun() -> Life:
    """A life with its registers (one matter transferred, another flagged and transferred, one that stays) and a few
    cases."""
    life = Life()
    office = Department(
        code=OFFICE, name="审改办", roles=("REFORM_OFFICE",), region="150100", valid_from=date(2020, 1, 1)
    )
    principals = {code: (code,) for code in (*ROLES, *LATER)} | {"both": ("sp1", "s1"), PLATFORM: (PLATFORM, "sp1")}
    life.state(lambda world, now: system.found(world, office, principals, OPERATOR, now), BEGINNING)
    life.state(lambda world, now: system.calendar_adopted(world, published(), now), BEGINNING)
    for code in ROLES:
        if code != OFFICE:
            _accepted(life, "department.register", entry=entry(code, *ROLES[code]))
    for code in MATTERS:
        _accepted(life, "matter.register", entry=matter(code))
    for code, supervisors in ((TRANSFERRED, ("s1", "sp2")), (FLAGGED, ("zjj", "s2"))):
        _accepted(
            life, "matter.transfer", matter=code, valid_from="2025-11-01", basis="划转通知", to="sp1",
            supervisors=[{"department": one} for one in supervisors],
        )  # fmt: skip
    work = {"kind": "work_capability", "matter": FLAGGED, "work": "survey", "party": "both"}
    _accepted(life, "register.enter", entry=work, valid_from="2026-01-01", basis="通知")
    head = {"kind": "letterhead", "address": "新华大街1号", "phone": "0471-0000001"}
    for organ in ("sp1", OFFICE):
        said = head | {"organ": organ, "mark": f"{organ[:2]}函"}
        _accepted(life, "register.enter", entry=said, valid_from="2026-01-01", basis="通知")
    for organ, number, of in (("sp1", "1", TRANSFERRED), ("sp1", "2", FLAGGED), ("zjj", "1", UNTRANSFERRED)):
        _accepted(life, "case.accept", organ, **accepting(organ, number, of))
        _accepted(life, "case.decide", organ, **granting(organ, number))
    _accepted(life, "case.accept", "sp1", **accepting("sp1", "3", FLAGGED))
    return life


def accepting(organ: str, number: str, of: str) -> dict[str, Any]:
    party = {"kind": "法人及非法人组织", "name": "内蒙古草原有限公司"}
    return {"organ": organ, "number": number, "matter": of, "party": party, "accepted_on": "2026-02-01"}


def granting(organ: str, number: str) -> dict[str, Any]:
    return {
        "organ": organ, "number": number, "outcome": "granted", "document_number": f"呼{number}号",
        "decided_on": "2026-02-10", "valid_from": "2026-02-10", "content": "准予",
    }  # fmt: skip


def entry(code: str, *roles: str) -> dict[str, Any]:
    region = "150000" if code == "qu" else "150100"
    said = {"code": code, "name": code, "roles": list(roles), "region": region, "valid_from": "2020-01-01"}
    return said | ({"channels": ["kafka", "letter"]} if code in ON_PAPER else {})


def matter(code: str, **more: Any) -> dict[str, Any]:
    flags = {"push_not_granted": True, "opinions": ["ministry"]} if code == FLAGGED else {}
    return {"code": code, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法第七条"} | flags | more


def _accepted(life: Life, type_: str, by: str = OFFICE, **data: Any) -> None:
    outcome = life.hand_in(type_, {"department": by, **data}, by).outcome
    assert outcome.disposition == "accepted", outcome


def later(life: Life, rng: Random) -> None:
    """Time moves on by minutes or days."""
    life.now += timedelta(**rng.choice(({"minutes": 7}, {"days": 1}, {"days": 3}, {"days": 10})))
