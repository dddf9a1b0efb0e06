"""A story: one case's arrivals in time, and what its writer knows must become of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from infra.generator.arrival import Arrival, Disposition
from infra.generator.registry import Item, Registry
from infra.generator.working_time import office_hours


@dataclass(slots=True)
class Notice:
    """An expected notice; `final` changes as the story goes on."""

    id: str
    addressee: str
    about: str
    root: str
    case: str
    final: str = "outstanding"

    def expectation(self) -> list[str]:
        """The line of the truth."""
        return [self.id, self.addressee, self.about, self.root, self.case, self.final]


class Story:
    """Sends what departments say, keeps the clock, and notes the notices that must come of it.

    Nothing here looks at the domain's rules: a scenario says itself what it expects of each arrival. `through`: the
    principal that hands everything in, where it is not each department's own.
    """

    def __init__(self, registry: Registry, item: Item, index: int, start: datetime, rng: Random) -> None:
        self.registry = registry
        self.index = index
        self.rng = rng
        self.now = office_hours(rng, start.date())
        self.at_item(item)
        self.arrivals: list[Arrival] = []
        self.notices: list[Notice] = []
        self.through: str | None = None
        self.totals = {"decisions": 0, "supervisors_of_decisions": 0, "seals_applied": 0, "seals_refused": 0}

    def at_item(self, item: Item) -> None:
        """Makes it a case of this matter, numbered as cases are: matter, day, serial."""
        self.item = item
        self.organ = item.organ
        self.number = f"{item.code}{self.now:%Y%m%d}{self.index % 10_000:04d}"

    @property
    def league(self) -> str:
        return self.item.league.code

    @property
    def stream(self) -> str:
        return f"case/{self.organ}/{self.number}"

    @property
    def today(self) -> str:
        return self.now.date().isoformat()

    def day(self, days: int) -> str:
        """The date some days from now."""
        return (self.now.date() + timedelta(days=days)).isoformat()

    def wait(self, least: int, most: int | None = None) -> None:
        """Lets some days pass, to a moment of a working day; never back within the same one."""
        days = self.rng.randint(least, most or least)
        self.now = max(self.now, office_hours(self.rng, self.now.date() + timedelta(days=days)))

    def wait_until(self, day: date) -> None:
        """Lets time pass to that day, if it is not over yet."""
        self.now = max(self.now, office_hours(self.rng, day))

    def send(
        self,
        type_: str,
        department: str,
        data: dict[str, Any],
        *,
        principal: str | None = None,
        key: str | None = None,
        officer: bool = True,
        expect: Disposition = "accepted",
        rule: str | None = None,
        attributes: dict[str, str] | None = None,
    ) -> Arrival:
        """A department's system hands in a submission, a few minutes after the last one."""
        self.now += timedelta(seconds=self.rng.randint(61, 1200))
        principal = principal or self.through or self.registry.principal(department)
        said: dict[str, Any] = {"department": department, **data}
        if officer:
            said["officer"] = self.registry.officer(self.rng, department)
        header = {
            "specversion": "1.0",
            "id": f"{self.index:07d}.{len(self.arrivals) + 1:02d}",
            "source": f"{principal}.nm",
            "type": f"cn.shenguan.{type_}.v1",
            "time": self.now.isoformat(),
            **(attributes or {}),
        }
        arrival = Arrival(
            principal,
            key or self.number,
            header,
            said,
            self.now + timedelta(seconds=self.rng.randint(1, 50)),
            mode="structured" if self.rng.random() < 0.2 else "binary",
            disposition=expect,
            rule=rule,
        )
        self.arrivals.append(arrival)
        return arrival

    def send_again(self, original: Arrival, expect: Disposition, **changes: Any) -> Arrival:
        """The same source and id once more, later, to the same topic with the same key; `changes` go into the data."""
        self.now += timedelta(minutes=self.rng.randint(5, 300))
        again = copy.deepcopy(original)
        again.arrives = max(self.now, original.arrives + timedelta(minutes=1))
        again.data.update(changes)
        again.disposition, again.rule = expect, None
        self.arrivals.append(again)
        return again

    def arrive_after(self, late: Arrival, other: Arrival) -> None:
        """Holds a message up on its way until after another one."""
        late.arrives = other.arrives + timedelta(minutes=self.rng.randint(3, 600))

    def owe(
        self, addressee: str, fact: Arrival, about: str, root: str | None = None, *, case: str | None = None
    ) -> Notice:
        """Expects a notice; `case` is "" where it is about none."""
        stream = self.stream if case is None else case
        notice = Notice(fact.notice(addressee), addressee, about, root or about, stream)
        self.notices.append(notice)
        return notice
