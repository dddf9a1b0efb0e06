"""Policy documents, what rests on each, and the tasks of the reform (5.2a, 5.3a)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.documents import DocumentStatus, numbered
from domain.duties import Budget, CostItem
from infra.documents import CITATION, DOCUMENT, DUTY
from infra.presentation import Column
from infra.register_rows import citation_rows, document_rows, duty_rows
from infra.web.book import BookOf
from infra.web.listing import Listed, Listing

router = APIRouter(prefix="/registers", tags=["registers"])
DutyStatus = Literal["open", "overdue", "done"]


class DutyRow(BaseModel):
    """A task of the reform on a date; `amount` in whole yuan."""

    code: str
    name: str
    responsible: str
    overseer: str
    due_on: date
    status: DutyStatus
    cost_item: CostItem | None
    payer: Literal["budget", "applicant"]
    budget: Budget | None
    amount: int | None


class DocumentRow(BaseModel):
    """A document that rules rest on. `affects`: how much in the registers cites it."""

    code: str
    number: str
    title: str
    issuer: str
    issued_on: date
    repealed_on: date | None
    status: DocumentStatus
    affects: int
    since: date
    basis: str


class CitationRow(BaseModel):
    """What cites a document, by its number. `kind`: a list, or `matter`, `transfer`, `route`, `succession`; `key`: of
    the entry, the matter or the department."""

    document: str
    kind: str
    key: str
    name: str | None
    since: date | None
    basis: str


DUTIES = Listing("duties", ("due_on", "code"), DUTY, DutyRow)
DOCUMENTS = Listing("documents", ("code",), DOCUMENT, DocumentRow)
CITATIONS = Listing(
    "citations", ("document", "kind", "key", "place"), (Column("document", "文件", "document"), *CITATION), CitationRow
)
_ANSWERS = {**FILES, **responses(401, 403, 422)}


@router.get("/duties", response_model=Listed[DutyRow], responses=_ANSWERS)
def duties(
    book: BookOf,
    response: Response,
    status: Annotated[DutyStatus | None, Query(description="状态")] = None,
    responsible: Annotated[str | None, Query(description="责任部门")] = None,
) -> Any:
    """改革任务：责任部门、督办部门、期限、经费列支，当日是否完成、逾期；先到期的在前。"""
    rows = [
        row
        for row in duty_rows(book.registers, book.on)
        if status in (None, row["status"]) and responsible in (None, row["responsible"])
    ]
    return book.answer(DUTIES, response, rows, {"status": status, "responsible": responsible})


@router.get("/documents", response_model=Listed[DocumentRow], responses=_ANSWERS)
def documents(
    book: BookOf, response: Response, status: Annotated[DocumentStatus | None, Query(description="状态")] = None
) -> Any:
    """政策文件：当日是否有效，有多少登记引用。"""
    rows = [row for row in document_rows(book.registers, book.on, book.secret) if status in (None, row["status"])]
    return book.answer(DOCUMENTS, response, rows, {"status": status})


@router.get("/citations", response_model=Listed[CitationRow], responses=_ANSWERS)
def citations(
    book: BookOf,
    response: Response,
    document: Annotated[str | None, Query(description="只列引用此文号的", max_length=64)] = None,
) -> Any:
    """引用政策文件的登记：废止一件影响哪些事项、划转、清单。"""
    number = numbered(book.registers, document, book.on) if document is not None else None
    rows = [
        row | {"place": place}
        for place, row in enumerate(citation_rows(book.registers, book.on, book.secret))
        if document is None or row["document"] == number
    ]
    return book.answer(CITATIONS, response, rows, {"document": document})
