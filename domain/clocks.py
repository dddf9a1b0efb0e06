"""Clocks: until when something is to be done, by which rule, document and calendar, and the lamp that shows it (2.2j).

The notice itself says only 实时/及时: limits are data, versioned by region, matter and policy document, over defaults.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.calendars import Calendar, CalendarUnknown
from domain.entries import Entry
from domain.fields import MatterCode, Region
from domain.personal import Model
from domain.rules import BadField
from domain.submissions import Day

ClockKind = Literal[
    "dispatch", "receive", "receive_urgent", "return", "reply", "task", "decide", "review", "duty",
    "rating_contact", "rating_rectify", "rating_rectify_complex", "rating_revisit", "consultation",
]  # fmt: skip
"""发出, 签收, 加急签收, 退回, 答复, 关联业务, 作出决定, 暂缓复核, 改革任务; 差评联系, 整改, 复杂整改, 回访, 商询."""
DEFAULTS: dict[ClockKind, int] = {
    "dispatch": 1,
    "receive": 3,
    "receive_urgent": 1,
    "return": 2,
    "reply": 5,
    "rating_contact": 1,
    "rating_rectify": 5,
    "rating_rectify_complex": 15,
    "rating_revisit": 5,
}
"""Working days where no limit is on record. The others' days are given otherwise: 办事指南, or the task itself."""
Lamp = Literal["green", "yellow", "red", "unknown", "paused"]
"""绿, 黄, 红; 日历未公布, 计时中止."""


class Rung(Model):
    """A step of the ladder: so many working days after the last day in time, the holder is reminded 催办, or whoever is
    above it is told to press it 督办."""

    after: Annotated[int, Field(ge=0, le=250)]
    act: Literal["remind", "escalate"]
    to: Literal["holder", "reform_office", "higher_authority"]

    @model_validator(mode="after")
    def _fits(self) -> Rung:
        if (self.act == "remind") != (self.to == "holder"):
            raise BadField("to", "ladder.to", "催办对承办部门，督办报审改部门或上级部门")
        return self


LADDER = (
    Rung(after=1, act="remind", to="holder"),
    Rung(after=3, act="escalate", to="reform_office"),
    Rung(after=5, act="escalate", to="higher_authority"),
)
"""Where no limit on record says otherwise."""


class TimeLimit(Entry):
    """时限: how many working days a clock gives, in a region, for a matter, or everywhere; when the lamp turns yellow,
    the ladder after that, and, where a local rule says so, after how many further days a notice is deemed received."""

    kind: Literal["time_limit"] = "time_limit"
    clock: ClockKind
    region: Region | None = None
    matter: MatterCode | None = None
    days: Annotated[int, Field(ge=1, le=365)]
    yellow: Annotated[int, Field(ge=0, le=30)] = 1
    ladder: Annotated[tuple[Rung, ...], Field(max_length=10)] = LADDER
    deemed_after: Annotated[int, Field(ge=0, le=250)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> TimeLimit:
        if self.region is not None and self.matter is not None:
            raise BadField("matter", "limit.scope", "时限按地区或按事项，二者择一")
        if [rung.after for rung in self.ladder] != sorted(rung.after for rung in self.ladder):
            raise BadField("ladder", "ladder.order", "催办、督办须按先后排列")
        if self.deemed_after is not None and self.clock not in ("receive", "receive_urgent"):
            raise BadField("deemed_after", "limit.deemed", "只有签收可视为")
        return self

    def key(self) -> str:
        return limit_key(self.clock, self.matter or self.region)


def limit_key(clock: ClockKind, scope: str | None = None) -> str:
    return f"{clock}.{scope}" if scope else clock


def limit_keys(clock: ClockKind, region: str, matter: str) -> tuple[str, ...]:
    """Where a limit may be found, the nearest first: the matter's, the county's, the league's, the region's, all."""
    scopes = (matter, region, region[:4] + "00", region[:2] + "0000", None)
    return tuple(limit_key(clock, scope) for scope in dict.fromkeys(scopes) if scope != "")


class Due(Model):
    """Until when, and why then. `since`: the day the clock began, itself not counted; `on`: the last day in time, null
    where the calendar does not reach so far; `yellow`: from when the lamp is yellow; `limit`: the rule, as key and
    version in its list, or what else gave the days; `document`: on what that rule is based; `calendar`: its edition."""

    since: Day
    on: Day | None
    yellow: Day | None = None
    limit: str = ""
    document: str = ""
    calendar: str = ""

    def in_time(self, day: date) -> bool | None:
        """Whether that day is in time; None where nobody can say."""
        return None if self.on is None else day <= self.on


def reckon(calendar: Calendar, since: date, days: int, yellow: int = 1, limit: str = "", document: str = "") -> Due:
    """So many working days after a day."""
    try:
        on = calendar.after(since, days)
        return fixed(calendar, since, on, yellow, limit, document)
    except CalendarUnknown:
        return Due(since=since, on=None, limit=limit, document=document)


def fixed(calendar: Calendar, since: date, on: date, yellow: int = 1, limit: str = "", document: str = "") -> Due:
    """By a day that is given."""
    try:
        warn = max(since, calendar.before(on, yellow))
        editions = dict.fromkeys(calendar.edition(year) for year in range(since.year, on.year + 1))
        return Due(since=since, on=on, yellow=warn, limit=limit, document=document, calendar="; ".join(editions))
    except CalendarUnknown:
        return Due(since=since, on=on, limit=limit, document=document)


def lamp(on: date | None, yellow: date | None, ended: date | None, today: date) -> Lamp:
    """Of a clock that runs until `on`, and stopped on the day `ended`, if it did (3.3d)."""
    if on is None:
        return "unknown"
    if (ended or today) > on:
        return "red"
    return "yellow" if ended is None and yellow is not None and today >= yellow else "green"
