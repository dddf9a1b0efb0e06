"""Refused attempts: who tried what the notice forbids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from domain.attempts import AttemptRefused
from domain.event import Recorded
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Table


@dataclass(slots=True)
class Attempt:
    """A row; the columns are explained in attempts.sql."""

    position: int
    department: str
    principal: str
    rule: str
    clause: str | None
    type: str
    about: str | None
    fact: str
    officer: str | None
    occurred_at: datetime
    recorded_at: datetime


ATTEMPTS = Table("attempts", Attempt)


class Attempts(Projection):
    name = "attempts"
    tables = ("attempts",)
    topics = topics_of(AttemptRefused.TOPIC)

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        rows = [_attempt(one, one.event) for one in events if isinstance(one.event, AttemptRefused)]
        ATTEMPTS.add(conn, rows, bulk)


def _attempt(one: Recorded, event: AttemptRefused) -> Attempt:
    meta = event.meta
    return Attempt(
        position=one.position,
        department=meta.department or "",
        principal=meta.principal,
        rule=event.rule,
        clause=event.clause,
        type=event.type,
        about=event.about,
        fact=meta.fact,
        officer=meta.officer.id if meta.officer else None,
        occurred_at=meta.occurred_at,
        recorded_at=one.recorded_at,
    )


def find_attempts(
    conn: Connection[Any],
    *,
    department: str | None = None,
    officer: str | None = None,
    about: Sequence[str] | None = None,
    rule: str | None = None,
    since: datetime | None = None,
    known_at: datetime | None = None,
    limit: int = 50,
) -> Page:
    """The latest first; `about` are streams of cases, notices and feedback."""
    conditions = {
        "department = %s": department,
        "officer = %s": officer,
        "about = ANY(%s)": None if about is None else list(about),
        "rule = %s": rule,
        "occurred_at >= %s": since,
        "recorded_at <= %s": known_at,
    }
    return page(conn, "read.attempts", conditions, "position DESC", limit)


def attempts_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    department: str | None = None,
    officer: str | None = None,
    about: Sequence[str] | None = None,
    rule: str | None = None,
    clause: str | None = None,
    since: datetime | None = None,
    known_at: datetime | None = None,
) -> Slice:
    """As `find_attempts`, from the last recorded on, by `position`."""
    conditions = {
        "department = %s": department,
        "officer = %s": officer,
        "about = ANY(%s)": None if about is None else list(about),
        "rule = %s": rule,
        "clause = %s": clause,
        "occurred_at >= %s": since,
        "recorded_at <= %s": known_at,
    }
    return slice_after(conn, "read.attempts", conditions, ["position"], after, limit)
