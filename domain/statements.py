"""对账函: what became in one month of all the notices that a store addressed to a department, and the proof that these
are all; as JSON.

A month (Asia/Shanghai) is what stands between two checkpoints: the last one made by its beginning and the last one made
by its end. The end of one month is the beginning of the next, so that every serial is in one statement and in one only;
what was recorded at the very end of a month and integrated after it is in the next one's (`carried` counts it). What
became of the notices is told as the log knew it at the month's end, or, of a month that is not over, when the second
checkpoint was made. Nothing in it is personal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from domain.clocks import Lamp
from domain.log_proofs import LedgerProof
from domain.store_list_proofs import ProvenList
from domain.submissions import BEIJING, local_date

FORMAT: Final = "shenguan-statement/v1"
_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
Month = Annotated[str, StringConstraints(pattern=f"^{_MONTH.pattern}$")]
Moment = Annotated[datetime, AfterValidator(lambda at: at.astimezone(BEIJING))]
"""One spelling for each moment: Beijing's time."""
INSTANT: Final = timedelta(microseconds=1)
"""The least that lies between two moments of the log."""
Fate = Literal["received", "deemed", "moved", "outstanding"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Part):
    """A notice. `leaf`: its leaf hash in hexadecimal, as its message has it in the attribute `leaf`; `owed_at` is when
    it was recorded; `due_on` its last day in time, as it was known then. `delivered_at`, `received_at` and `deemed_at`
    are three answers; `moved_to` is the notice that took its place."""

    serial: int
    leaf: str
    notice: str
    about: str
    organ: str
    case: str
    matter: str
    matter_name: str
    owed_at: Moment
    due_on: date | None
    dispatched_at: Moment | None
    delivered_at: Moment | None
    received_at: Moment | None
    deemed_at: Moment | None
    returned_at: Moment | None
    moved_at: Moment | None
    moved_to: str | None
    status: Fate
    lamp: Lamp | None


class Raised(_Part):
    """A feedback of the department's, recorded in the month by the clock, and what was answered."""

    number: str
    organ: str
    case: str
    matter: str
    matter_name: str
    raised_at: Moment
    status: str
    outcome: str | None
    disposed_at: Moment | None
    closed_at: Moment | None


class Totals(_Part):
    """owed = received + deemed + moved + outstanding. `due`: fell due with the department by the end of the day
    `ended`, `received_in_time`: of those received by then; the names are those of docs/reference/statistics.md."""

    owed: int
    dispatched: int
    delivered: int
    returned: int
    received: int
    deemed: int
    moved: int
    outstanding: int
    due: int
    received_in_time: int
    feedback_raised: int
    feedback_disposed: int


class Statement(_Part):
    """`first` is None where no checkpoint was made by the month's beginning: then the ledger begins with this month.
    `growth` leads from the first checkpoint to the second (RFC 9162 §2.1.4), `frontier` is the ledger's as it stood at
    the first: its complete subtrees, the largest first; with the items' leaf hashes it gives both ledger roots.

    `ended`: time limits are counted as far as that day. `carried`: notices recorded by `as_at` that stand in the next
    statement. `stores`: the list of stores in force at `as_at`, by the second checkpoint, if there was one. Hashes in
    base64, but the items'."""

    format: Literal["shenguan-statement/v1"] = FORMAT
    store: str
    origin: str
    department: str
    name: str
    month: Month
    since: Moment
    until: Moment
    as_at: Moment
    ended: date
    over: bool
    first: LedgerProof | None
    second: LedgerProof
    growth: list[str]
    frontier: list[str]
    carried: Annotated[int, Field(ge=0)]
    items: list[Item]
    totals: Totals
    feedback: list[Raised]
    stores: ProvenList | None = None

    @property
    def serials(self) -> tuple[int, int]:
        """The first and the last; the first is greater by 1 where there is none."""
        before = self.first.ledger.size if self.first is not None and self.first.ledger is not None else 0
        return before + 1, self.second.ledger.size if self.second.ledger is not None else 0


class Period(NamedTuple):
    """From a moment on, up to another."""

    since: datetime
    until: datetime


def month_period(month: str) -> Period:
    """In Beijing. Raises ValueError for what is no month, `2026-10`."""
    found = _MONTH.fullmatch(month)
    if found is None:
        raise ValueError(f"not a month: {month}")
    first = date(int(found[1]), int(found[2]), 1)
    last = (first + timedelta(days=31)).replace(day=1)
    return Period(*(datetime.combine(day, time(), BEIJING) for day in (first, last)))


def ended_by(as_at: datetime) -> date:
    """The last day that was over with a moment."""
    return local_date(as_at + INSTANT) - timedelta(days=1)


def totals(items: Sequence[Item], feedback: Sequence[Raised], ended: date) -> Totals:
    """What the table adds up to; real receipts, deemed ones and moved notices apart."""
    statuses = [one.status for one in items]
    fallen = [one for one in items if _fell_due(one, ended)]
    return Totals(
        owed=len(items),
        dispatched=sum(one.dispatched_at is not None for one in items),
        delivered=sum(one.delivered_at is not None for one in items),
        returned=sum(one.returned_at is not None for one in items),
        received=statuses.count("received"),
        deemed=statuses.count("deemed"),
        moved=statuses.count("moved"),
        outstanding=statuses.count("outstanding"),
        due=len(fallen),
        received_in_time=sum(_in_time(one) for one in fallen),
        feedback_raised=len(feedback),
        feedback_disposed=sum(one.outcome is not None for one in feedback),
    )


def _fell_due(item: Item, ended: date) -> bool:
    """As projections/daily_states.py counts: overdue belongs to whoever holds it then; a clock that stands still has
    not come to its end."""
    on = item.due_on
    if on is None or on > ended or item.lamp == "paused":
        return False
    return item.moved_at is None or local_date(item.moved_at) > on


def _in_time(item: Item) -> bool:
    return item.received_at is not None and item.due_on is not None and local_date(item.received_at) <= item.due_on
