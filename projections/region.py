"""The region over all its stores: what each department decided, what it was owed, and what is outstanding anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from domain.cases import CaseDecided
from domain.event import Recorded
from domain.notices import NoticeDeemed, NoticeMoved, NoticeOwed, NoticeReceived, notice_stream
from projections.page import Page, page
from projections.projection import Projection
from projections.table import Fold, Table

TOPICS = tuple(kind.TOPIC for kind in (CaseDecided, NoticeOwed, NoticeReceived, NoticeDeemed, NoticeMoved))
"""All that this read model is folded from."""


@dataclass(slots=True)
class RegionNotice:
    """A row; the columns are explained in region.sql."""

    store: str
    notice: str
    department: str
    serial: int
    case_stream: str
    about: str
    owed_at: datetime
    received_at: datetime | None = None
    deemed_at: datetime | None = None
    moved_at: datetime | None = None


@dataclass(slots=True)
class RegionDecision:
    """A decided case."""

    store: str
    case_stream: str
    department: str
    decided_on: date


NOTICES = Table("region_notices", RegionNotice, key_size=2)
DECISIONS = Table("region_decisions", RegionDecision, key_size=2)


class Region(Projection):
    """One store's part in it. Its log comes by Kafka, so the local projector has nothing to do with it."""

    name = "region"
    tables = ("region_notices", "region_decisions")
    topics = frozenset(TOPICS)

    def __init__(self, store: str) -> None:
        self._store = store

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        owed = {notice_stream(one.event.notice) for one in events if isinstance(one.event, NoticeOwed)}
        ends = (NoticeReceived, NoticeDeemed, NoticeMoved)
        streams = {one.event.originator_id for one in events if isinstance(one.event, ends)}
        ledger = Fold(conn, NOTICES, [self._key(stream) for stream in streams - owed])
        decisions = []
        for one in events:
            event = one.event
            match event:
                case NoticeOwed():
                    row = self._owed(one, event)
                    ledger.rows[row.store, row.notice] = row
                case NoticeReceived():
                    ledger.rows[self._key(event.originator_id)].received_at = event.received_at
                case NoticeDeemed():
                    ledger.rows[self._key(event.originator_id)].deemed_at = one.recorded_at
                case NoticeMoved():
                    ledger.rows[self._key(event.originator_id)].moved_at = one.recorded_at
                case CaseDecided():
                    stream = event.originator_id
                    decisions.append(RegionDecision(self._store, stream, stream.split("/")[1], event.decided_on))
        ledger.save(bulk)
        DECISIONS.store(conn, decisions)

    def _key(self, stream: str) -> tuple[str, str]:
        return self._store, stream.removeprefix(notice_stream(""))

    def _owed(self, one: Recorded, event: NoticeOwed) -> RegionNotice:
        return RegionNotice(
            store=self._store,
            notice=event.notice,
            department=event.addressee,
            serial=event.serial,
            case_stream=event.case,
            about=event.about,
            owed_at=one.recorded_at,
        )


_FIGURES = """
SELECT store, department, coalesce(decisions, 0) AS decisions, coalesce(owed, 0) AS owed,
    coalesce(received, 0) AS received, coalesce(deemed, 0) AS deemed, coalesce(moved, 0) AS moved,
    coalesce(outstanding, 0) AS outstanding, oldest
FROM (SELECT store, department, count(*) AS decisions FROM read.region_decisions GROUP BY store, department) AS d
FULL JOIN (SELECT store, department, count(*) AS owed, count(*) FILTER (WHERE status = 'received') AS received,
        count(*) FILTER (WHERE status = 'deemed') AS deemed, count(*) FILTER (WHERE status = 'moved') AS moved,
        count(*) FILTER (WHERE status = 'outstanding') AS outstanding,
        min(owed_at) FILTER (WHERE status = 'outstanding') AS oldest
    FROM read.region_notices GROUP BY store, department) AS n USING (store, department)
ORDER BY store, department
"""


def figures(conn: Connection[Any]) -> list[dict[str, Any]]:
    """By store and department: decisions, and owed = received + deemed + moved + outstanding; `oldest` outstanding."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_FIGURES).fetchall()


def find_outstanding(
    conn: Connection[Any], *, store: str | None = None, department: str | None = None, limit: int = 50
) -> Page:
    """Outstanding notices anywhere, longest owed first."""
    conditions = {"status = 'outstanding'": True, "store = %s": store, "department = %s": department}
    return page(conn, "read.region_notices", conditions, "owed_at, store, serial", limit)
