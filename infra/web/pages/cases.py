"""Finding a case: by its number, its party, its organ or matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from infra.answers import APPROVAL
from infra.web.api import cases as api
from infra.web.api.case_rows import CaseRow, CaseStatus
from infra.web.filters import MatterAsked, NumberAsked, OfficerAsked, OrganAsked, UsccAsked
from infra.web.listing import AskedFor, Listed
from infra.web.pages.cells import case_path
from infra.web.pages.lists import Filter, exports, shown
from infra.web.pages.page import render
from infra.web.reading import ReadingCases

router = APIRouter()
COLUMNS = {
    *("organ", "number", "matter_name", "party_name", "status", "ended_by", "document_number", "decided_on"),
    *("officer", "licence_number", "last_change", "last_change_on"),
}
STATUSES = ("accepted", "granted", "not_granted", "discontinued", "penalised", "ended")


@router.get("/cases")
def cases(
    request: Request,
    reading: ReadingCases,
    asked: AskedFor,
    number: NumberAsked = None,
    uscc: UsccAsked = None,
    organ: OrganAsked = None,
    matter: MatterAsked = None,
    status: Annotated[CaseStatus | None, Query()] = None,
    officer: OfficerAsked = None,
    since: Annotated[date | None, Query()] = None,
) -> Response:
    """办件：最近的在前；只找到一件则直接打开。"""
    asked = replace(asked, form="json")
    found = api.cases(reading, asked, Response(), organ, matter, number, status, officer, since, uscc)
    assert isinstance(found, Listed)
    if number is not None and len(found.items) == 1 and found.complete:
        return RedirectResponse(case_path(found.items[0].stream), 303)
    rows = [one.model_dump() for one in found.items]
    filters = [
        Filter("number", "办件号", "case", number),
        Filter("uscc", "统一社会信用代码", "USCC", uscc),
        Filter("organ", "审批部门", "organ", organ),
        Filter("matter", "事项编码", "matter", matter),
        Filter("status", "状态", "status", status, STATUSES),
        Filter("officer", "经办人", "officer", officer),
        Filter("since", "何日起决定", "decided from", since, type="date"),
        Filter("as_known_at", "当时所知", "as known at", request.query_params.get("as_known_at"), type="date"),
    ]
    return render(
        request,
        "list.html",
        title=("办件", "Cases"),
        columns=shown([one for one in APPROVAL if one.key in COLUMNS], CaseRow, rows),
        rows=rows,
        total=None,
        own=reading.department,
        known_at=asked.known_at,
        filters=filters,
        exports=exports("/api/v1/cases", filters),
        following=found.next,
        position=found.position,
    )
