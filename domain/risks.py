"""Integrity-risk signals 廉政风险 (3.3f): what an inspector may want to look at, by thresholds that are data.

A signal accuses nobody: it names what was measured, by which threshold, and the facts behind it.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.entries import Entry
from domain.party import Party
from domain.personal import Sealed
from domain.rules import BadField
from domain.submissions import BEIJING

Signal = Literal[
    "backdated", "late", "hasty", "same_party", "attempts", "seal_first", "burst", "off_hours", "failed_task"
]  # fmt: skip
"""倒填日期, 迟报, 秒批, 同一经办人与相对人, 被拒绝的尝试, 先章后批, 集中签收, 非工作时间, 未过关而准予."""
Unit = Literal["days", "seconds", "minutes", "times"]


class Threshold(NamedTuple):
    """From which value on a measure is a signal; of what is counted, within which `period`."""

    value: int
    period: int | None = None


DEFAULTS: dict[Signal, Threshold] = {
    "backdated": Threshold(10),
    "late": Threshold(3),
    "hasty": Threshold(600),
    "same_party": Threshold(5, 90),
    "attempts": Threshold(3, 30),
    "seal_first": Threshold(1),
    "burst": Threshold(20, 60),
    "off_hours": Threshold(120),
    "failed_task": Threshold(30),
}
"""Where the list says nothing else."""
UNITS: dict[Signal, Unit] = {
    "backdated": "days",
    "late": "days",
    "hasty": "seconds",
    "same_party": "times",
    "attempts": "times",
    "seal_first": "days",
    "burst": "times",
    "off_hours": "minutes",
    "failed_task": "days",
}
"""Of the measure. A period is in days, that of a burst in seconds."""
AT_MOST: frozenset[Signal] = frozenset({"hasty", "failed_task"})
"""The less the worse; of all others, the more."""
OPENS, CLOSES = time(8, 30), time(17, 30)
"""Office hours."""
WHOLE_DAY = 24 * 60


class RiskThreshold(Entry):
    """The reform office's threshold for a signal, from a date on; struck, the default holds again."""

    kind: Literal["risk_threshold"] = "risk_threshold"
    signal: Signal
    value: Annotated[int, Field(ge=1, le=1_000_000)]
    period: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _counts_within(self) -> RiskThreshold:
        if (self.period is None) != (DEFAULTS[self.signal].period is None):
            raise BadField("period", "risk.period", "只有计次的信号须有期间，其他信号没有期间")
        return self

    def key(self) -> str:
        return self.signal


def exceeds(signal: Signal, measured: int, threshold: Threshold) -> bool:
    return measured <= threshold.value if signal in AT_MOST else measured >= threshold.value


def party_key(party: Party) -> str | None:
    """By what a party is known again: its code, or the subject whose key seals its name; None where by nothing."""
    if party.uscc is not None:
        return party.uscc
    name = party.person.name if party.person is not None else party.name
    return name.subject if isinstance(name, Sealed) else None


def outside_hours(at: datetime, working_day: bool) -> int:
    """The minutes by which a moment lies outside office hours; all of them on a day off."""
    if not working_day:
        return WHOLE_DAY
    local = at.astimezone(BEIJING)
    before = _minutes(local.date(), local.time(), OPENS)
    return max(before, _minutes(local.date(), CLOSES, local.time()), 0)


def _minutes(on: date, since: time, until: time) -> int:
    return int((datetime.combine(on, until) - datetime.combine(on, since)).total_seconds()) // 60
