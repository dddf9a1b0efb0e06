"""The registers: matters and who held the power over them, as bands over time; what the lists lack (1.2, 1.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from domain.reform import Standing
from domain.registers import Registers
from infra.registers import TITLES
from infra.web.api import registers as api
from infra.web.book import BookOf
from infra.web.listing import Listed
from infra.web.pages import charts
from infra.web.pages.page import render

router = APIRouter(prefix="/registers")
STANDINGS = ("untransferred", "proposed", "deferred", "transferred", "returned")
YEARS = 6
"""How far the bands go back."""
GAPS = 6


@router.get("")
def matters(
    request: Request,
    book: BookOf,
    standing: Annotated[Standing | None, Query()] = None,
    holder: Annotated[str | None, Query(max_length=64)] = None,
    supervisor: Annotated[str | None, Query(max_length=64)] = None,
    batch: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """事项登记簿：某日权力归谁、由谁监管，历年变动。"""
    book.asked = replace(book.asked, form="json")
    found = api.matters(book, Response(), standing, holder, supervisor, batch)
    assert isinstance(found, Listed)
    since = begin(book.on)
    rows = [(one, bands(book.registers, one.code, since, book.on)) for one in found.items]
    gaps = api.matching(book, Response())
    assert isinstance(gaps, Listed)
    wanting: dict[tuple[str, str], list[str]] = {}
    for one in gaps.items:
        wanting.setdefault((one.matter, one.name), []).append(one.wanting)
    lacking = [(*matter, found) for matter, found in wanting.items()]
    return render(
        request,
        "registers.html",
        on=book.on,
        since=since,
        known_at=book.asked.known_at,
        rows=rows,
        following=found.next,
        chosen={"standing": standing, "holder": holder, "supervisor": supervisor, "batch": batch},
        standings=STANDINGS,
        titles=TITLES.items(),
        gaps=lacking[:GAPS],
        more_gaps=not gaps.complete or len(lacking) > GAPS,
        position=found.position,
    )


@router.get("/matters/{matter}")
def matter(request: Request, book: BookOf, matter: str) -> Response:
    """一个事项：权力与监管部门的历次变动。"""
    found = api.matter(book, Response(), matter)
    firsts = [one.since for one in found.powers if one.since is not None] + [one.since for one in found.routes]
    since = begin(min([book.on, *firsts]))
    return render(
        request,
        "matter.html",
        matter=found,
        on=book.on,
        since=since,
        known_at=book.asked.known_at,
        spans=bands(book.registers, matter, since, book.on),
    )


def bands(registers: Registers, code: str, since: date, until: date) -> list[charts.Span]:
    """Who held the power over a matter; of several changes from the same date the last recorded counts."""
    history = registers.matters[code]
    competent = history.entry.competent
    changes: dict[date, str] = {}
    for on, _, transfer in history.holders:
        changes[on] = transfer.to if transfer is not None else competent
    return charts.band(list(changes.items()), competent, since, until)


def begin(on: date) -> date:
    return date(on.year - YEARS + 1, 1, 1)
