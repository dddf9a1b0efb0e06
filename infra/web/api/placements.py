"""How matters are handled: where (3.2), and like ones unlike (3.1b)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.guides import unlike as handled_unlike
from domain.placements import Want
from infra.register_rows import placement_rows
from infra.registers import PLACED, UNLIKE
from infra.web.book import BookOf
from infra.web.filters import DepartmentAsked
from infra.web.listing import Listed, Listing

router = APIRouter(prefix="/registers", tags=["registers"])


class PlacementRow(BaseModel):
    """A matter that was not transferred: where it is handled, null where nothing is on record; `wanting`: what is still
    missing of it. `pilot`: whether the holder is in a region with an approval department."""

    matter: str
    name: str
    holder: str
    pilot: bool
    section: str | None
    in_hall: bool | None
    windows: list[str] | None
    online: bool | None
    monitored: bool | None
    wanting: list[Want]


class UnlikeRow(BaseModel):
    """Matters of one base code whose guides differ in `differs`."""

    base: str
    differs: list[Literal["elements", "steps", "promised_days"]]
    matters: list[str]


PLACEMENTS = Listing("placements", ("matter",), PLACED, PlacementRow)
UNLIKES = Listing("unlike", ("base",), UNLIKE, UnlikeRow)
_ANSWERS = {**FILES, **responses(401, 403, 422)}


@router.get("/placements", response_model=Listed[PlacementRow], responses=_ANSWERS)
def placements(
    book: BookOf,
    response: Response,
    holder: Annotated[DepartmentAsked, Query(description="当日持有审批权的部门")] = None,
    incomplete: Annotated[bool, Query(description="只列未到位的")] = False,
) -> Any:
    """三集中三到位：当日未划转事项的科室、大厅、窗口、网办、监察，尚缺什么。"""
    rows = [
        row
        for row in placement_rows(book.registers, book.on)
        if holder in (None, row["holder"]) and (row["wanting"] or not incomplete) and row["matter"] not in book.secret
    ]
    return book.answer(PLACEMENTS, response, rows, {"holder": holder, "incomplete": incomplete})


@router.get("/unlike", response_model=Listed[UnlikeRow], responses=_ANSWERS)
def unlike(book: BookOf, response: Response) -> Any:
    """同类事项办理不一：当日基本编码相同而办事指南不同的事项。"""
    found = handled_unlike(book.registers, book.on)
    rows = [one._asdict() for one in found if book.secret.isdisjoint(one.matters)]
    return book.answer(UNLIKES, response, rows, {})
