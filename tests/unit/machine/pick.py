"""What somebody might hand in next, of every type: mostly what the world is waiting for, from whom it should come.

All choices are a `Random`'s, so that hypothesis can make them, and a fixed seed too. The first of several options is
the plain one: to that a failing example shrinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

from domain.case_state import CaseState
from domain.notices import NoticeState
from domain.registers import Registers
from tests.unit.machine.life import LATER, ROLES, Life

Data = dict[str, Any]
Offer = Callable[["Pick"], Data]
OFFERS: dict[str, Offer] = {}
"""By type. The data of a submission, `department` among it."""
DEPARTMENTS = (*ROLES, *LATER)
SERVED = ("sp1", "sp2", "zjj", "s1", "s2", "s3")
"""Those that approve and supervise."""
USCC = "11150100000000001F"
WORKS = ("survey", "expert_review", "papers", "commitment")
T = TypeVar("T")


def offer(*types: str) -> Callable[[Offer], Offer]:
    def put(make: Offer) -> Offer:
        for type_ in types:
            OFFERS[type_] = make
        return make

    return put


@dataclass(frozen=True, slots=True)
class Pick:
    """Choices about what to hand in to this life."""

    life: Life
    rng: Random
    type_: str

    @property
    def registers(self) -> Registers:
        return self.life.registers

    def of(self, *options: T) -> T:
        return self.rng.choice(options)

    def seldom(self) -> bool:
        return self.rng.randint(0, 9) == 9

    def among(self, right: Iterable[T], others: Sequence[T]) -> T:
        """Mostly one of the right ones, where there are any."""
        found = list(right)
        return self.rng.choice(list(others) if not found or self.seldom() else found)

    def some(self, options: Sequence[T], most: int = 2) -> list[T]:
        """One or a few, each once."""
        left, found = list(options), []
        for _ in range(self.rng.randint(1, most)):
            found.append(left.pop(self.rng.randint(0, len(left) - 1)))
        return found

    def by(self, *right: str) -> str:
        """Mostly a department that should, seldom another."""
        return self.among(right, DEPARTMENTS)

    def role(self, role: str) -> str:
        return self.by(*(code for code, one in self.registers.departments.items() if role in one.roles))

    def day(self, since: date | None = None) -> date:
        """Not long ago, seldom still to come; mostly not before `since`."""
        back = self.of(-1, -10) if self.seldom() else self.of(0, 1, 3, 7, 15, 30, 45, 60)
        found = self.life.today - timedelta(days=back)
        return since if since is not None and found < since and not self.seldom() else found

    def moment(self, since: date | None = None) -> str:
        return f"{self.day(since)}T{self.of('00:30', '08:00', '17:30')}:00+08:00"

    def number(self) -> str:
        return self.of("1", "2", "3", "4")

    # What there is already.

    def state(self, stream: str) -> Any:
        return self.life.world.state(stream)

    def states(self, kind: str) -> list[Any]:
        return [self.state(name) for name in self.life.streams(kind)]

    def case(self, *statuses: str) -> tuple[str, str, CaseState]:
        """(organ, number, state), mostly of a case in one of these."""
        known: list[CaseState] = self.states("case")
        right = [one for one in known if not statuses or one.status in statuses]
        found = self.among(right, known)
        if self.seldom() and self.seldom():
            found = self.state(f"case/{self.of('sp1', 'sp2')}/{self.number()}")
        _, organ, number = found.stream.split("/")
        return organ, number, found

    def holder(self, state: CaseState, on: date) -> str:
        """Mostly who holds the power over its matter."""
        return self.by(self.registers.holder(state.matter, on) if state.matter else "sp1")

    def supervisor(self, state: CaseState, on: date) -> str:
        """Mostly who supervises it, or did."""
        if not state.matter or self.registers.transfer(state.matter, on) is None:
            return self.holder(state, on)
        return self.by(*(one.department for one in state.holders), *state.told)

    def notice(self, *abouts: str, fit: Callable[[NoticeState], bool] = lambda _: True) -> tuple[str, str]:
        """(notice, addressee), mostly of one that is open and about one of these."""
        known = [self.life.world.notice(one.notice) for one in self.life.owed]
        right = [
            one for one in known if one.owed and not one.moved and fit(one) and (not abouts or one.owed.about in abouts)
        ]
        if not known:
            return "s1/sp1/n99", "s1"
        owed = self.among(right, known).owed
        assert owed is not None
        return owed.notice, self.by(owed.addressee)


def decided_on(state: CaseState) -> date | None:
    return date.fromisoformat(state.decision["decided_on"] or "") if state.decision else None
