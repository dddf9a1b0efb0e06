"""Anonymised public statistics 公开统计 (5.4a), for everybody: no sign-in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from adapters.http import etags
from adapters.http.exports import FILES, Form, export
from adapters.http.problems import Fault, Problem, responses
from domain.rules import RULES, Rejection
from infra.presentation import Column
from infra.public_statistics import PUBLIC, last_day, required, starred
from infra.statistics import RANKED, Wanted
from infra.web.pages.page import language
from infra.web.published import Published
from projections.working_days import CHINA

router = APIRouter(prefix="/statistics", tags=["public"])
CACHE = {"Cache-Control": "public, max-age=300", "Vary": "Cookie"}
"""By anybody, but not for long: how small a count may be shown is a setting. The language may come from a cookie."""
KNOWN = frozenset(("by", "quarter", "format", "lang"))


class PublicLine(BaseModel):
    """Of a region or matter, and a month or all three; null is hidden."""

    key: str
    name: str
    month: str
    owed: int | None
    received: int | None
    receipt_rate: float | None
    due: int | None
    received_in_time: int | None
    timely_receipt_rate: float | None
    feedback_raised: int | None
    feedback_disposed: int | None
    disposition_rate: float | None


class PublicStatistics(BaseModel):
    """A quarter that is over, as known at its end. What is less than `smallest`, or would betray what is, is null."""

    quarter: str
    as_known_at: date
    by: Literal["region", "matter"]
    smallest: int
    items: list[PublicLine]


@router.get("/public", response_model=PublicStatistics, responses={**FILES, **responses(422, 503)})
def public(
    request: Request,
    response: Response,
    by: Annotated[str, Query(description="region 按盟市，或 matter 按事项", max_length=20)] = "region",
    quarter: Annotated[str | None, Query(description="如 2026Q1；不给则上一季度", max_length=10)] = None,
    form: Annotated[Literal["json"] | Form, Query(alias="format", description="json，或整份文件")] = "json",
) -> Any:
    """公开统计：一个已结束的季度，按盟市或事项与月份，过小的数及会使其被推算的数隐去；无须登录，不作其他选择。"""
    published: Published = request.app.state.published
    other = next((name for name in request.query_params if name not in KNOWN), None)
    if other is not None:
        raise _refused(f"query.{other}", "public.selection")
    try:
        by, months = required(Wanted(by=by), False, quarter, datetime.now(CHINA).date())
    except Rejection as error:
        [wrong] = error.errors
        raise _refused(f"query.{wrong.field}", wrong.rule) from None
    zh = language(request) == "zh"
    rows = published.table(by, months, zh)
    end = last_day(months[-1])
    named = f"{end.year}Q{end.month // 3}"
    kept = CACHE | {"ETag": etags.tag_of((named, by, form, zh, published.smallest))}
    etags.check(request, kept["ETag"], CACHE)
    if form != "json":
        shape = [Column("name", *RANKED[by]) if one.key == "name" else one for one in PUBLIC]
        lines = rows if form == "jsonl" else starred(rows)
        headings = [(one.zh if zh else one.en) or one.key for one in shape]
        cells = ([row[one.key] for one in shape] for row in lines)
        file = export(form, "public-statistics", [one.key for one in shape], headings, cells)
        file.headers.update(kept)
        return file
    response.headers.update(kept)
    items = [PublicLine.model_validate(row) for row in rows]
    return PublicStatistics(
        quarter=named,
        as_known_at=end,
        by="region" if by == "region" else "matter",
        smallest=published.smallest,
        items=items,
    )


def _refused(field: str, rule: str) -> Problem:
    words = RULES[rule]
    fault = Fault(field=field, rule=rule, message=words.en)
    return Problem(422, words.zh, words.en, rule=rule, clause=words.clause, faults=[fault])
