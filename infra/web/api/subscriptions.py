"""Subscriptions 订阅 of supervisors: to which matters, from which serial on (2.2i)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from infra.register_rows import subscription_rows
from infra.stewarding import SUBSCRIPTION
from infra.web.book import listed, streams_of
from infra.web.filters import DepartmentAsked
from infra.web.listing import AskedFor, Listed, Listing
from infra.web.reading import Reading, reading

router = APIRouter(tags=["registers"])


class SubscriptionRow(BaseModel):
    """A subscription. `serial`: the last of the department's ledger before it; `backfill_from`: since when permits from
    before were to be told of; `told`: how many were; `complete`: whether those are all."""

    department: str
    number: str
    matters: list[str]
    started_at: datetime
    serial: int
    backfill_from: date | None
    told: int
    complete: bool


SUBSCRIPTIONS = Listing("subscriptions", ("department", "number"), SUBSCRIPTION, SubscriptionRow)


@router.get("/subscriptions", response_model=Listed[SubscriptionRow], responses={**FILES, **responses(401, 403, 422)})
def subscriptions(
    reading: Annotated[Reading, Depends(reading("subscriptions"))],
    asked: AskedFor,
    response: Response,
    department: DepartmentAsked = None,
) -> Any:
    """订阅：谁自哪个编号起关注哪些事项，补发了多少此前的许可；监管部门所见为其自己的。"""
    whose = reading.department or department
    streams, position = streams_of(reading, asked, "subscription" if whose is None else f"subscription/{whose}")
    reading.positions = {"log": position}
    rows = [row for row in subscription_rows(streams) if department in (None, row["department"])]
    return listed(SUBSCRIPTIONS, reading, asked, response, rows, {"department": department})
