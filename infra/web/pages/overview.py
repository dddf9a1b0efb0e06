"""The overview: today's flow, lamps, rates, the trend, who is ahead and who behind (2.2k, 3.3d)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from adapters.http.problems import Fault, Problem
from adapters.postgres.daybook import Daybook
from domain.access import Caller
from domain.registers import Registers
from domain.submissions import local_date
from infra.statistics import Part, department_of, gathered, matter_of, region_of
from infra.web.book import secret
from infra.web.identity import CallerOf
from infra.web.listing import Asked as AskedList
from infra.web.listing import note
from infra.web.pages import charts
from infra.web.pages.page import address, language, places, render
from infra.web.reading import Reading, reading
from infra.web.times import known_at_of
from projections import lamps as lighting
from projections.flow import by_day
from projections.page import Page
from projections.rates import RATES, Rate, mean_receipt_days, summed, totalled
from projections.statistics import Asked, Known, counters, overdue_slice
from projections.working_days import CHINA

router = APIRouter()
ReadingStatistics = Annotated[Reading, Depends(reading("statistics"), scope="function")]
DAYS = 30
FIRST = 20
"""Of the ranking's lines, where not every one is asked for."""
LONGEST = 10
"""Of what is overdue."""
FLOW: dict[str, tuple[str, str, str]] = {
    "owed": ("notice.owed", "应告知", "owed"),
    "dispatched": ("notice.dispatched", "已推送", "dispatched"),
    "received": ("notice.received", "签收", "received"),
    "returned": ("notice.returned", "退回", "returned"),
    "feedback": ("feedback.raised", "监管反馈", "feedback"),
}
"""Steps of the day's flow: what is recorded, and how it is called."""
By = Literal["department", "region", "matter"]
RateKey = Literal[
    "dispatch_rate", "receipt_rate", "timely_receipt_rate", "return_rate", "feedback_rate", "timely_feedback_rate",
    "disposition_rate",
]  # fmt: skip
LAMPS = ("red", "yellow", "green", "paused", "unknown")


class Line(NamedTuple):
    """A line of the ranking."""

    rank: int | None
    key: str
    name: str
    counts: Mapping[str, int]
    rates: Mapping[str, float | None]
    days: float | None


@router.get("/")
def home(caller: CallerOf) -> Response:
    """To the first page that he can read."""
    found = places(caller)
    return RedirectResponse(found[0].path if found else "/registers", 303)


@router.get("/overview")
def overview(
    request: Request,
    reading: ReadingStatistics,
    as_known_at: Annotated[date | None, Query()] = None,
    by: Annotated[By, Query()] = "department",
    rank: Annotated[RateKey | None, Query()] = None,
    region: Annotated[str | None, Query(max_length=6)] = None,
    matter: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[date | None, Query()] = None,
    until: Annotated[date | None, Query()] = None,
    every: Annotated[bool, Query()] = False,
) -> Response:
    today = local_date(datetime.now(UTC))
    known = known_on(as_known_at, today)
    past = known.on < today
    registers = _registers(request, known.on if past else None)
    zh = language(request) == "zh"
    asked = Asked(matter=matter, since=since, until=until)
    hidden = secret(reading, registers)
    but = hidden & {matter}  # of all matters together they are a part
    departments = gathered(counters(reading.conn, "department", asked, known, but), department_of(registers))
    own = noticed(reading.caller)
    late = totalled(summed([one.counts for one in departments if own in (None, one.key)]))["overdue_outstanding"]
    if region is not None:
        of = region_of(registers, zh)
        departments = [one for one in departments if of(one.key)[0] == region]
    total = summed([one.counts for one in departments])
    filters: dict[str, Any] = {"by": by, "region": region, "matter": matter, "since": since, "until": until}
    filters |= {"rank": rank, "every": every}
    rank = rank or ("timely_receipt_rate" if total["due"] else "receipt_rate")
    parts = _parts(reading, registers, by, asked, known, departments, zh)
    lines = ranked([one for one in parts if by != "matter" or one.key not in hidden], rank)
    lamps = None if past else _lamps(reading, today)
    days = by_day(reading.conn, known.on, DAYS)
    if own is not None:  # from here on rows are read, and no more figures
        reading.conn.execute("SELECT set_config('shenguan.department', %s, true)", (own,))
    overdue = Page(late, overdue_slice(reading.conn, None, LONGEST, asked, known).rows)
    note(
        reading,
        "overview",
        filters,
        len(lines),
        _known(known.on if past else None),
    )
    kept = {"since": since, "as_known_at": known.on if past else None, "matter": matter}

    def to_notices(**more: Any) -> str:
        return address("/lists/notices", kept | more)

    return render(
        request,
        "overview.html",
        known=known,
        past=past,
        today=today,
        by=by,
        rank=rank,
        region=region,
        region_name=next((name for key, name in [region_name(registers, region, zh)] if key), None),
        matter=matter,
        since=since,
        until=until,
        flow=_flow(reading, known.on),
        lamps=lamps,
        rates=[(rate, rate.of(total), total[rate.part], total[rate.whole]) for rate in RATES],
        all_rates=RATES,
        mean=mean_receipt_days(total),
        total=totalled(total),
        trend=charts.trend(days, "owed", "received"),
        lines=lines if every else lines[:FIRST],
        more=0 if every else max(len(lines) - FIRST, 0),
        overdue=overdue,
        to_notices=to_notices,
        own=reading.department,
        behind={rate.key: _behind(rate, kept) for rate in RATES},
        position=min(reading.positions.values()),
    )


def noticed(caller: Caller) -> str | None:
    """Whose notices he may see one by one, whatever he may count; None: everybody's."""
    return None if caller.scope("notices") == "all" else caller.department


def known_on(on: date | None, today: date) -> Known:
    """The end of a day gone by, or today as far as it goes. Raises Problem."""
    if on is not None and on > today:
        fault = Fault(field="query.as_known_at", rule="day.future", message="is yet to come")
        raise Problem(422, f"{on} 尚未到", f"{on} is yet to come", faults=[fault])
    return Known(on or today, on if on is not None and on < today else today - timedelta(days=1))


def day_of(on: date) -> tuple[datetime, datetime]:
    """From its first moment in Beijing to the next day's."""
    begin = datetime.combine(on, time(), CHINA)
    return begin, begin + timedelta(days=1)


def ranked(parts: list[Part], key: str) -> list[Line]:
    """The highest rate first, those without one last; like rates share a rank."""
    chosen = next(rate for rate in RATES if rate.key == key)
    rates = sorted((rate for part in parts if (rate := chosen.of(part.counts)) is not None), reverse=True)
    lines = [
        Line(
            None if (rate := chosen.of(part.counts)) is None else rates.index(rate) + 1,
            part.key,
            part.name,
            totalled(part.counts),
            {one.key: one.of(part.counts) for one in RATES},
            mean_receipt_days(part.counts),
        )
        for part in parts
    ]
    return sorted(lines, key=lambda line: (line.rank is None, line.rank, line.key))


def region_name(registers: Registers, region: str | None, zh: bool) -> tuple[str, str]:
    if region is None:
        return "", ""
    of = region_of(registers, zh)
    return next((found for code in registers.departments if (found := of(code))[0] == region), (region, region))


def _parts(
    reading: Reading,
    registers: Registers,
    by: By,
    asked: Asked,
    known: Known,
    departments: list[Part],
    zh: bool,
) -> list[Part]:
    if by == "department":
        return departments
    if by == "region":
        return gathered({one.key: one.counts for one in departments}, region_of(registers, zh))
    return gathered(counters(reading.conn, "matter", asked, known), matter_of(registers, zh))


def _flow(reading: Reading, on: date) -> list[tuple[str, tuple[str, str], int]]:
    with reading.log() as log:
        counts = Daybook(log, *day_of(on), reading.department).counts([topic for topic, _, _ in FLOW.values()])
    return [(step, (zh, en), counts[topic]) for step, (topic, zh, en) in FLOW.items()]


def _lamps(reading: Reading, today: date) -> list[tuple[str, int]]:
    found: Counter[str] = Counter()
    for row in lighting.lamps(reading.conn, today):
        found[row["lamp"]] += row["count"]
    return [(lamp, found[lamp]) for lamp in LAMPS if found[lamp] or lamp in LAMPS[:3]]


def _behind(rate: Rate, kept: Mapping[str, Any]) -> str | None:
    """The list of what a rate is about."""
    match rate.key:
        case "receipt_rate":
            return address("/lists/notices", {**kept, "status": "received"})
        case "timely_receipt_rate":
            return address("/lists/overdue", {"as_known_at": kept["as_known_at"], "matter": kept["matter"]})
        case "dispatch_rate" | "return_rate":
            return address("/lists/notices", kept)
    return address("/lists/notices", {**kept, "about": "feedback"})


def _registers(request: Request, on: date | None) -> Registers:
    registry = request.app.state.registry
    found: Registers = registry.now() if on is None else registry.then(known_at_of(on.isoformat()))
    return found


def _known(on: date | None) -> AskedList:
    """For the record of the read."""
    return AskedList(None, 0, known_at_of(on.isoformat()) if on else None, False, None, "json")
