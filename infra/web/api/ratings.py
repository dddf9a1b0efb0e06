"""Ratings 好差评 of a department's services, and how far the bad ones have come (3.3a–c)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.ratings import AppealOutcome, RatingFinding, RatingStatus, Service
from infra.ratings import FIGURES, RATING, as_known
from infra.web.book import listed
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of, until_of
from projections.page import Slice
from projections.ratings import RATINGS_KEY, By, rating_figures, ratings_slice

router = APIRouter(prefix="/ratings", tags=["ratings"])
ReadingRatings = Annotated[Reading, Depends(reading("ratings"), scope="function")]
_STEPS = ("contacted", "rectified", "revisited")


class RatingRow(BaseModel):
    """A rating. `status`: what is to be done with it next, `due`: until when; what was written is personal."""

    department: str
    number: str
    service: Service
    case_stream: str | None
    matter: str | None
    level: int
    tags: str | None
    comment: str | None
    window: str | None
    rated_at: datetime
    status: RatingStatus
    appeal: AppealOutcome | Literal["appealed"] | None
    due: date | None
    contacted_at: datetime | None
    finding: RatingFinding | None
    rectified_on: date | None
    revisited_on: date | None
    satisfied: bool | None
    recorded_at: datetime
    position: int


class RatingFigures(BaseModel):
    """Of a department, matter ("" for none) or month. Excluded ones are counted apart; of nothing there is no rate."""

    group: str
    total: int
    level_5: int
    level_4: int
    level_3: int
    level_2: int
    level_1: int
    bad: int
    bad_rate: float | None
    contacted: int
    contacted_in_time: int
    contacted_rate: float | None
    rectified: int
    rectified_in_time: int
    rectified_rate: float | None
    revisited: int
    revisited_in_time: int
    revisited_rate: float | None
    satisfied: int
    appealed: int
    excluded: int


RATINGS = Listing("ratings", RATINGS_KEY, RATING, RatingRow)
GROUPS = Listing("rating-figures", ("group",), FIGURES, RatingFigures)


class Chosen:
    """Which ratings are asked for."""

    def __init__(
        self,
        department: Annotated[str | None, Query(description="被评价的部门")] = None,
        matter: Annotated[str | None, Query(description="事项编码")] = None,
        since: Annotated[MomentText | None, Query(description="何时起评价的")] = None,
        until: Annotated[MomentText | None, Query(description="至何时")] = None,
    ) -> None:
        self.filters = {"department": department, "matter": matter, "since": since, "until": until}
        of = {"department": department, "matter": matter}
        self.conditions: dict[str, Any] = of | {"since": since_of(since), "until": until_of(until)}


@router.get("", response_model=Listed[RatingRow], responses={**FILES, **responses(401, 403, 422)})
def ratings(
    reading: ReadingRatings,
    asked: AskedFor,
    response: Response,
    chosen: Annotated[Chosen, Depends()],
    bad: Annotated[bool, Query(description="只列差评")] = False,
) -> Any:
    """评价：等级、状态、期限，差评的联系核实、整改、回访与申诉；最近评价的在前。意见默认遮掩。"""

    def find(conn: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        found = ratings_slice(conn, after, limit, **chosen.conditions, bad=bad, known_at=asked.known_at)
        return Slice([as_known(row) for row in found.rows], found.more)

    return answer(RATINGS, reading, asked, response, find, {**chosen.filters, "bad": bad})


@router.get("/figures", response_model=Listed[RatingFigures], responses={**FILES, **responses(401, 403, 422)})
def figures(
    reading: ReadingRatings,
    asked: AskedFor,
    response: Response,
    chosen: Annotated[Chosen, Depends()],
    by: Annotated[By, Query(description="按部门、事项或月")] = "department",
) -> Any:
    """评价统计：各等级几件，差评率，差评按时联系、整改、回访的率，申诉与剔除。"""
    rows = rating_figures(reading.conn, by, **chosen.conditions, known_at=asked.known_at)
    return listed(GROUPS, reading, asked, response, map(_rated, rows), {**chosen.filters, "by": by})


def _rated(row: dict[str, Any]) -> dict[str, Any]:
    rates = {f"{step}_rate": _rate(row[f"{step}_in_time"], row["bad"]) for step in _STEPS}
    return row | rates | {"bad_rate": _rate(row["bad"], row["total"])}


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
