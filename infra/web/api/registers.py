"""The registers: departments, matters and who holds the power over them, principals, liaison officers."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import zip_longest
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import of_status, responses
from domain.calendars import Calendar, CalendarUnknown
from domain.channels import Channel
from domain.departments import Role
from domain.identifiers import REGIONS, is_within, league_of
from domain.liaisons import Contact, contact, liaisons_on, to_be_reached
from domain.lists import mismatches
from domain.matters import OpinionNeed
from domain.reform import Standing
from domain.registers import Registers
from infra.liaisons import LIAISON
from infra.presentation import columns
from infra.registers import MATTER, MISMATCH, matter_on
from infra.web.book import Book, BookOf
from infra.web.listing import Listed, Listing, note, plain_of, row_of, tagged

router = APIRouter(prefix="/registers", tags=["registers"])
YEARS = range(2000, 2201)
DEPARTMENT = columns("""
    code | 代码 | code
    name | 名称 | name
    roles | 职责 | roles
    region | 行政区划 | region
    league | 盟市 | league or city
    uscc | 统一社会信用代码 | USCC
    valid_from | 自 | since
    serving | 在任 | serving
    channels | 渠道 | channels
    contact | 联络 | contact
    successors | 承接 | succeeded by
""")
PRINCIPAL = columns("""
    principal | 接入方 | principal
    acts_for | 代表部门 | acts for
    operator | 运维 | operator
    vouches | 担保来访者 | vouches for callers
""")
CALENDAR = columns("""
    year | 年 | year
    edition | 依据 | by
    off | 放假日 | days off
    worked | 上班日 | days worked
""")


class Successor(BaseModel):
    """To whom duties went: those over `matters`, or, with none, all that were left."""

    to: str
    since: date
    matters: list[str]
    basis: str


class DepartmentRow(BaseModel):
    """A department. `serving`: on record by that date, and its duties have not all gone to others; `contact`: who
    answers for it, of those that must have a liaison officer."""

    code: str
    name: str
    roles: list[Role]
    region: str
    league: str | None
    uscc: str | None
    valid_from: date
    serving: bool
    channels: list[Channel]
    contact: Contact | None
    successors: list[Successor]


class SupervisorRow(BaseModel):
    department: str
    part: Literal["lead", "assist"]


class MatterRow(BaseModel):
    """A matter on a date: `holder` has the power over it, by `basis` since `since`."""

    code: str
    name: str
    competent: str
    legal_basis: str
    standing: Standing
    holder: str
    since: date | None
    basis: str | None
    batch: str | None
    supervisors: list[SupervisorRow]
    reason: str | None
    review_on: date | None
    review_due: bool | None
    classified: bool
    opinions: list[OpinionNeed]


class Held(BaseModel):
    """Who had the power from a date on, until another, as far as is known; whoever succeeded him is not named."""

    holder: str
    since: date | None
    until: date | None
    basis: str | None
    batch: str | None


class Routed(BaseModel):
    """Who supervised from a date on, until another, as far as is known."""

    supervisors: list[SupervisorRow]
    since: date
    until: date | None
    basis: str


class MatterOverTime(MatterRow):
    """With every change of power and of supervisors, the first coming first."""

    powers: list[Held]
    routes: list[Routed]


class MismatchRow(BaseModel):
    """What the lists lack of a matter, or that its power item names another than who holds the power (1.3c)."""

    matter: str
    name: str
    wanting: Literal["power_item", "supervision_item", "power_holder"]
    item: str | None


class PrincipalRow(BaseModel):
    principal: str
    acts_for: list[str]
    operator: bool
    vouches: bool


class LiaisonRow(BaseModel):
    """A liaison officer or deputy; a department without either has a row that says so."""

    department: str
    contact: Contact
    number: str | None
    deputy: bool | None
    name: str | None
    phone: str | None
    since: date | None


class CalendarRow(BaseModel):
    """A year whose working days are known: the weekdays that are off, the days of weekends that are worked. `edition`:
    the calendar that came with the program, or the table that was entered, as year and version."""

    year: int
    edition: str
    off: list[date]
    worked: list[date]


DEPARTMENTS = Listing("departments", ("code",), DEPARTMENT, DepartmentRow)
MATTERS = Listing("matters", ("code",), MATTER, MatterRow)
MATCHING = Listing("matching", ("matter", "wanting", "place"), MISMATCH, MismatchRow, str)
PRINCIPALS = Listing("principals", ("principal",), PRINCIPAL, PrincipalRow)
LIAISONS = Listing("liaisons", ("department", "place"), LIAISON, LiaisonRow, str)
CALENDARS = Listing("calendar", ("year",), CALENDAR, CalendarRow)
_ANSWERS = {**FILES, **responses(401, 403, 422)}


@router.get("/departments", response_model=Listed[DepartmentRow], responses=_ANSWERS)
def departments(
    book: BookOf,
    response: Response,
    role: Annotated[Role | None, Query(description="职责")] = None,
    region: Annotated[str | None, Query(description="行政区划代码，含其下级", pattern=r"^[1-8]\d{5}$")] = None,
    serving: Annotated[bool | None, Query(description="当日是否在任")] = None,
) -> Any:
    """部门登记簿：职责、行政区划、渠道、联络员有无、由谁承接。"""
    reached = set(to_be_reached(book.registers, book.on))
    rows = [
        row
        for code in book.registers.departments
        if (row := _department(book, code, code in reached))
        and (role is None or role in row["roles"])
        and (region is None or is_within(row["region"], region))
        and serving in (None, row["serving"])
    ]
    return book.answer(DEPARTMENTS, response, rows, {"role": role, "region": region, "serving": serving})


@router.get("/matters", response_model=Listed[MatterRow], responses=_ANSWERS)
def matters(
    book: BookOf,
    response: Response,
    standing: Annotated[Standing | None, Query(description="划转状态")] = None,
    holder: Annotated[str | None, Query(description="当日持有审批权的部门")] = None,
    supervisor: Annotated[str | None, Query(description="当日的监管部门")] = None,
    batch: Annotated[str | None, Query(description="划转批次")] = None,
) -> Any:
    """事项登记簿：某日权力归谁、依据什么、由谁监管；暂缓的何时复核。"""
    rows = [
        row
        for code in book.registers.matters.keys() - book.secret
        if (row := _matter(book.registers, code, book.on))
        and standing in (None, row["standing"])
        and holder in (None, row["holder"])
        and (supervisor is None or supervisor in {one["department"] for one in row["supervisors"]})
        and batch in (None, row["batch"])
    ]
    chosen = {"standing": standing, "holder": holder, "supervisor": supervisor, "batch": batch}
    return book.answer(MATTERS, response, rows, chosen)


@router.get("/matters/{matter}", responses=responses(401, 403, 404, 422))
def matter(book: BookOf, response: Response, matter: str) -> MatterOverTime:
    """一个事项：某日的情况，及其权力与监管部门的历次变动。"""
    plain = plain_of(book.reading, book.asked)
    response.headers["ETag"] = tagged(book.reading, "matter")
    known = matter in book.registers.matters.keys() - book.secret
    note(book.reading, "matter", {"matter": matter, "as_true_at": book.on}, int(known), book.asked)
    if not known:
        raise of_status(404)
    row = _matter(book.registers, matter, book.on) | _over_time(book.registers, matter)
    return row_of(MatterOverTime, plain(row))


@router.get("/matching", response_model=Listed[MismatchRow], responses=_ANSWERS)
def matching(book: BookOf, response: Response) -> Any:
    """两清单的匹配：已划转而清单缺项的事项，及没有权力事项的监管事项。"""
    rows = [
        one._asdict() | {"name": book.registers.matters[one.matter].entry.name, "place": one.item or ""}
        for one in mismatches(book.registers, book.on)
        if one.matter not in book.secret
    ]
    return book.answer(MATCHING, response, rows, {})


@router.get("/principals", response_model=Listed[PrincipalRow], responses=_ANSWERS)
def principals(
    book: BookOf, response: Response, department: Annotated[str | None, Query(description="所代表的部门")] = None
) -> Any:
    """接入方：各可代表哪些部门，谁是运维，谁为来访者担保。"""
    rows = [
        {"principal": name, "acts_for": sorted(one.acts_for), "operator": one.operator, "vouches": one.vouches}
        for name, one in book.registers.principals.items()
        if department is None or department in one.acts_for
    ]
    return book.answer(PRINCIPALS, response, rows, {"department": department})


@router.get("/liaisons", response_model=Listed[LiaisonRow], responses=_ANSWERS)
def liaisons(
    book: BookOf,
    response: Response,
    department: Annotated[str | None, Query(description="哪个部门的")] = None,
    missing: Annotated[bool, Query(description="只列没有联络员的部门")] = False,
) -> Any:
    """联络员：某日各部门由谁联络，副联络员是谁；哪些部门没有。姓名、电话默认遮掩。"""
    rows = []
    for code in to_be_reached(book.registers, book.on):
        reached = contact(book.registers, code, book.on)
        if department not in (None, code) or (missing and reached == "liaison"):
            continue
        row: dict[str, Any] = {"department": code, "contact": reached, "place": ""}
        rows += [
            row
            | {"number": one.number, "deputy": one.deputy, "since": one.since, "place": f"{one.deputy:d}{one.number}"}
            | {"name": one.person.name, "phone": one.person.phone}
            for one in liaisons_on(book.registers, code, book.on)
        ] or [row]
    return book.answer(LIAISONS, response, rows, {"department": department, "missing": missing})


@router.get("/calendar", response_model=Listed[CalendarRow], responses=_ANSWERS)
def calendar(book: BookOf, response: Response) -> Any:
    """工作日历：哪些年份的工作日已知，依据什么，哪些日子放假、上班。"""
    return book.answer(CALENDARS, response, _years(book.registers.calendar), {})


def _department(book: Book, code: str, reached: bool) -> dict[str, Any]:
    registers, entry = book.registers, book.registers.departments[code]
    league = league_of(entry.region)
    followed = registers.successions.get(code, ())
    return entry.model_dump(include={"code", "name", "roles", "region", "uscc", "valid_from", "channels"}) | {
        "league": REGIONS[league] if league is not None else None,
        "serving": entry.valid_from <= book.on and not registers.ceased(code, book.on),
        "contact": contact(registers, code, book.on) if reached else None,
        "successors": [
            {"to": one.to, "since": one.since, "matters": sorted(one.matters), "basis": one.basis} for one in followed
        ],
    }


def _matter(registers: Registers, code: str, on: date) -> dict[str, Any]:
    entry = registers.matters[code].entry
    said = entry.model_dump(include={"competent", "legal_basis", "classified", "opinions"})
    supervisors = [one.model_dump() for one in registers.supervisors(code, on)]
    return matter_on(registers, code, on) | said | {"supervisors": supervisors}


def _over_time(registers: Registers, code: str) -> dict[str, Any]:
    """Of several changes from the same date the last recorded counts."""
    history = registers.matters[code]
    holders = {since: transfer for since, _, transfer in history.holders}
    routes = {since: (supervisors, basis) for since, _, supervisors, basis in history.routes}
    first = {"holder": history.entry.competent, "since": None, "basis": history.entry.legal_basis, "batch": None}
    powers: list[dict[str, Any]] = [first]
    for since, transfer in holders.items():
        holder = transfer.to if transfer is not None else history.entry.competent
        basis, batch = (transfer.basis, transfer.batch) if transfer is not None else (None, None)
        powers.append({"holder": holder, "since": since, "basis": basis, "batch": batch})
    ends = [*holders, None]
    return {
        "powers": [one | {"until": end} for one, end in zip(powers, ends, strict=True)],
        "routes": [
            {"supervisors": [one.model_dump() for one in found], "since": since, "until": end, "basis": basis}
            for (since, (found, basis)), end in zip_longest(routes.items(), [*routes][1:])
        ],
    }


def _years(known: Calendar) -> list[dict[str, Any]]:
    rows = []
    for year in YEARS:
        try:
            edition = known.edition(year)
        except CalendarUnknown:
            continue
        days = [date(year, 1, 1) + timedelta(n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
        weekend = {day for day in days if day.weekday() >= 5}
        rows.append(
            {
                "year": year,
                "edition": edition,
                "off": [day for day in days if day not in weekend and not known.works(day)],
                "worked": [day for day in days if day in weekend and known.works(day)],
            }
        )
    return rows
