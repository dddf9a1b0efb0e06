"""The receipt ledger: which supervisor was owed what, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from domain.event import Recorded
from domain.notices import (
    NoticeDelivered,
    NoticeDispatched,
    NoticeMoved,
    NoticeOwed,
    NoticeReceived,
    NoticeReturned,
    NoticeTaken,
)
from projections.page import Page, page
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table

PREFIX = "notice/"


@dataclass(slots=True)
class Receipt:
    """A row; the columns are explained in receipts.sql."""

    notice: str
    department: str
    serial: int
    case_stream: str
    matter: str
    about: str
    root: str
    origin: str | None
    returns: int
    owing_stream: str
    owing_version: int
    owed_at: datetime
    owed_position: int
    last_position: int
    dispatched_at: datetime | None = None
    channel: str | None = None
    topic_id: str | None = None
    partition: int | None = None
    offset: int | None = None
    delivered_at: datetime | None = None
    delivered_group: str | None = None
    delivered_committed: int | None = None
    received_at: datetime | None = None
    receipt_recorded_at: datetime | None = None
    received_by: str | None = None
    received_by_name: Json | None = None
    taken_at: datetime | None = None
    returned_at: datetime | None = None
    returned_to: str | None = None
    moved_at: datetime | None = None
    moved_to: str | None = None
    deemed_at: datetime | None = None


RECEIPTS = Table("receipts", Receipt)


class Receipts(Projection):
    name = "receipts"
    tables = ("receipts",)
    topics = topics_of("notice.")

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        lives = [one for one in events if one.event.originator_id.startswith(PREFIX)]
        owed = [one for one in events if isinstance(one.event, NoticeOwed)]
        new = {one.event.notice for one in owed if isinstance(one.event, NoticeOwed)}
        before = {one.event.originator_id.removeprefix(PREFIX) for one in lives} - new
        ledger = Fold(conn, RECEIPTS, [(notice,) for notice in before])
        for one in owed:
            row = _owed(one)
            ledger.rows[row.notice,] = row
        for one in lives:
            _live(ledger.rows[one.event.originator_id.removeprefix(PREFIX),], one)
        ledger.save(bulk)


def _owed(one: Recorded) -> Receipt:
    event = one.event
    assert isinstance(event, NoticeOwed)
    return Receipt(
        notice=event.notice,
        department=event.addressee,
        serial=event.serial,
        case_stream=event.case,
        matter=event.matter,
        about=event.about,
        root=event.root,
        origin=event.origin,
        returns=event.returns,
        owing_stream=event.owing_stream,
        owing_version=event.owing_version,
        owed_at=one.recorded_at,
        owed_position=one.position,
        last_position=one.position,
    )


def _live(row: Receipt, one: Recorded) -> None:
    """Each step fills columns of its own, so a receipt stands that came before its dispatch was recorded.

    Of several dispatches and deliveries the first is kept: later ones are repetitions or other channels.
    """
    event = one.event
    row.last_position = one.position
    match event:
        case NoticeDispatched() if row.dispatched_at is None:
            row.dispatched_at, row.channel = event.meta.occurred_at, event.channel
            row.topic_id, row.partition, row.offset = event.topic_id, event.partition, event.offset
        case NoticeDelivered() if row.delivered_at is None:
            row.delivered_at = event.meta.occurred_at
            row.delivered_group, row.delivered_committed = event.group, event.committed
        case NoticeReceived():
            row.received_at, row.receipt_recorded_at = event.received_at, one.recorded_at
            if event.received_by is not None:
                row.received_by, row.received_by_name = event.received_by.id, event.received_by.name
        case NoticeTaken():
            row.taken_at = event.meta.occurred_at
        case NoticeReturned():
            row.returned_at, row.returned_to = event.meta.occurred_at, event.proposed
        case NoticeMoved():
            row.moved_at, row.moved_to = one.recorded_at, event.to


def find_receipts(
    conn: Connection[Any],
    *,
    department: str | None = None,
    matter: str | None = None,
    case: str | None = None,
    since: datetime | None = None,
    outstanding: bool = False,
    limit: int = 50,
) -> Page:
    """Notices with the case's number, in the order in which they were owed; outstanding ones longest owed first."""
    conditions = {
        "department = %s": department,
        "matter = %s": matter,
        "case_stream = %s": case,
        "owed_at >= %s": since,
        "status = 'outstanding'": True if outstanding else None,
    }
    if department is not None and (matter, case, since, outstanding) == (None, None, None, False):
        # Serials rise from 1 without gaps: the last one is how many there are, however many that be.
        return page(conn, "read.receipts", conditions, "serial DESC", limit, total="coalesce(max(serial), 0)")
    order = "owed_at" if outstanding or case else "owed_at DESC"  # the order of the log: record times strictly rise
    return page(conn, "read.receipts", conditions, order, limit)


def received_of(conn: Connection[Any], notices: Sequence[str]) -> dict[str, datetime]:
    """Which of these notices were received, and when."""
    rows = conn.execute(
        "SELECT notice, received_at FROM read.receipts WHERE notice = ANY(%s) AND received_at IS NOT NULL",
        (list(notices),),
    )
    return dict(rows.fetchall())
