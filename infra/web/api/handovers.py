"""What goes from hand to hand: papers of transferred matters, blank certificates, duties of departments (2.1, 2.5)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.handovers import HandoverItem, Progress
from infra.register_rows import blanks_rows, handover_rows, succession_rows
from infra.registers import BLANKS, HANDOVER
from infra.stewarding import SUCCESSION
from infra.web.book import BookOf
from infra.web.filters import DepartmentAsked
from infra.web.listing import Listed, Listing

router = APIRouter(prefix="/registers", tags=["registers"])


class HandoverRow(BaseModel):
    """A transferred matter: how far its handover has come. `approval`, `supervision`: for what each side answers from
    now on; with what else is the package's null where none was drawn up."""

    matter: str
    name: str
    giver: str
    taker: str
    progress: Progress
    number: str | None
    signed: list[str]
    items: list[HandoverItem] | None
    approval: list[str] | None
    supervision: list[str] | None


class BlanksRow(BaseModel):
    """A series of blanks. `total`: how many numbers are registered, in `runs` from a first to a last; `requested`: how
    many more were asked for and have not come."""

    department: str
    series: str
    certificate: str
    total: int
    issued: int
    spoiled: int
    voided: int
    left: int
    requested: int | None
    runs: list[tuple[int, int]]


class SuccessionRow(BaseModel):
    """Whose duties are another's since when; with `matters` those alone. `through`: the serial of the old department's
    ledger up to which open notices were passed on."""

    old: str
    to: str
    matters: list[str]
    since: date
    basis: str
    through: int


HANDOVERS = Listing("handovers", ("matter",), HANDOVER, HandoverRow)
BLANK_SERIES = Listing("blanks", ("department", "series"), BLANKS, BlanksRow)
SUCCESSIONS = Listing("successions", ("old", "count"), SUCCESSION, SuccessionRow)
_ANSWERS = {**FILES, **responses(401, 403, 422)}


@router.get("/handovers", response_model=Listed[HandoverRow], responses=_ANSWERS)
def handovers(
    book: BookOf,
    response: Response,
    department: Annotated[DepartmentAsked, Query(description="移交方或接收方")] = None,
    incomplete: Annotated[bool, Query(description="只列未完成的")] = False,
) -> Any:
    """交接：当日每个已划转事项的交接单、清单、职责划分，双方是否签认。"""
    streams = book.streams("handover")
    rows = [
        row
        for row in handover_rows(book.registers, streams, book.on)
        if department in (None, row["giver"], row["taker"])
        and not (incomplete and row["progress"] == "complete")
        and row["matter"] not in book.secret
    ]
    return book.answer(HANDOVERS, response, rows, {"department": department, "incomplete": incomplete})


@router.get("/blanks", response_model=Listed[BlanksRow], responses=_ANSWERS)
def blanks(book: BookOf, response: Response, department: DepartmentAsked = None) -> Any:
    """空白证照：各系列登记、核发、作废、注销、结存的编号数。"""
    streams = book.streams("blanks" if department is None else f"blanks/{department}")
    return book.answer(BLANK_SERIES, response, blanks_rows(streams), {"department": department})


@router.get("/successions", response_model=Listed[SuccessionRow], responses=_ANSWERS)
def successions(book: BookOf, response: Response, department: DepartmentAsked = None) -> Any:
    """机构承接：谁的职责自何时起由谁承接，其告知已接续到哪个编号。"""
    streams = book.streams("succession")
    rows = [
        row
        for row in succession_rows(book.registers, streams)
        if department in (None, row["old"], row["to"]) and book.secret.isdisjoint(row["matters"])
    ]
    return book.answer(SUCCESSIONS, response, rows, {"department": department})
