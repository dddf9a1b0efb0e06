"""The receipt ledger: which supervisor was owed what, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import Literal

from domain.channels import CARRIERS
from domain.clock_state import ClockEvent, clock_stream
from domain.event import Event, Recorded
from domain.notices import (
    About,
    NoticeDeemed,
    NoticeDelivered,
    NoticeDispatched,
    NoticeGivenUp,
    NoticeMoved,
    NoticeOwed,
    NoticeReceived,
    NoticeReturned,
    NoticeTaken,
    receive_clock,
)
from domain.registers import Registers
from domain.submissions import local_date
from domain.whatif import Past
from projections.clocked import follow_clock, set_due
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table

PREFIX = "notice/"
CLOCK = clock_stream(PREFIX)


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
    reference: str | None = None
    delivered_at: datetime | None = None
    delivered_group: str | None = None
    delivered_committed: int | None = None
    given_up_at: datetime | None = None
    given_up_channel: str | None = None
    given_up_why: str | None = None
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
    due_on: date | None = None
    yellow_on: date | None = None
    due_limit: str | None = None
    due_document: str | None = None
    due_calendar: str | None = None
    dispatched_in_time: bool | None = None
    waited: int | None = None
    returned_in_time: bool | None = None
    suspended_on: date | None = None
    extra: int = 0
    rungs: int = 0
    pressed_at: datetime | None = None


RECEIPTS = Table("receipts", Receipt)


class Receipts(Projection):
    name = "receipts"
    tables = ("receipts",)
    topics = topics_of("notice.", "clock.")

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        lives = [one for one in events if one.event.originator_id.startswith((PREFIX, CLOCK))]
        owed = [one for one in events if isinstance(one.event, NoticeOwed)]
        new = {one.event.notice for one in owed if isinstance(one.event, NoticeOwed)}
        before = {_notice(one.event) for one in lives} - new
        ledger = Fold(conn, RECEIPTS, [(notice,) for notice in before])
        for one in owed:
            row = _owed(one)
            ledger.rows[row.notice,] = row
        for one in lives:
            _live(ledger.rows[_notice(one.event),], one)
        ledger.save(bulk)


def _notice(event: Event) -> str:
    return event.originator_id.removeprefix(clock_stream("")).removeprefix(PREFIX)


def _owed(one: Recorded) -> Receipt:
    event = one.event
    assert isinstance(event, NoticeOwed)
    row = Receipt(
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
    if event.due is not None:
        set_due(row, event.due)
    return row


def _live(row: Receipt, one: Recorded) -> None:
    """Each step fills columns of its own, so a receipt stands that came before its dispatch was recorded.

    Of several dispatches and deliveries the first is kept: later ones are repetitions or other channels. A 短信
    is neither, for it does not carry the notice. Of channels that were given up the last one shows.
    """
    event = one.event
    row.last_position = one.position
    match event:
        case NoticeDispatched() if row.dispatched_at is None and event.channel in CARRIERS:
            row.dispatched_at, row.channel = event.meta.occurred_at, event.channel
            row.topic_id, row.partition, row.offset = event.topic_id, event.partition, event.offset
            row.reference, row.dispatched_in_time = event.reference, event.in_time
        case NoticeDelivered() if row.delivered_at is None and event.channel in CARRIERS:
            row.delivered_at = event.meta.occurred_at
            row.delivered_group, row.delivered_committed = event.group, event.committed
        case NoticeGivenUp():
            row.given_up_at, row.given_up_channel = event.meta.occurred_at, event.channel
            row.given_up_why = event.reason
        case NoticeReceived():
            row.received_at, row.receipt_recorded_at = event.received_at, one.recorded_at
            row.waited = event.waited
            if event.received_by is not None:
                row.received_by, row.received_by_name = event.received_by.id, event.received_by.name
        case NoticeTaken():
            row.taken_at = event.meta.occurred_at
        case NoticeReturned():
            row.returned_at, row.returned_to = event.meta.occurred_at, event.proposed
            row.returned_in_time = event.in_time
        case NoticeMoved():
            row.moved_at, row.moved_to = one.recorded_at, event.to
        case NoticeDeemed():
            row.deemed_at = one.recorded_at
        case ClockEvent():
            follow_clock(row, one)


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


def receipts_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    party: str | None = None,
    department: str | None = None,
    serial: int | None = None,
    organ: str | None = None,
    matter: str | None = None,
    case: str | None = None,
    about: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Slice:
    """Notices from the last owed on, by `owed_position`; `party`: those owed to that department or about its cases."""
    conditions = {
        "department = %s": department,
        "serial = %s": serial,
        "organ = %s": organ,
        "matter = %s": matter,
        "case_stream = %s": case,
        "about = %s": about,
        "status = %s": status,
        "owed_at >= %s": since,
        "owed_at <= %s": until,
    }
    return slice_after(conn, _of_party(conn, party), conditions, ["owed_position"], after, limit)


def _of_party(conn: Connection[Any], party: str | None) -> str:
    """Each half in the order of an index of its own: row-level security alone would be asked of every row."""
    if party is None:
        return "read.receipts"
    own = Literal(party).as_string(conn)
    return (
        f"(SELECT * FROM read.receipts WHERE department = {own} UNION ALL"
        f" SELECT * FROM read.receipts WHERE organ = {own} AND department <> {own}) AS r"
    )


def receipts_named(conn: Connection[Any], notices: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of these notices, of which any reader sees his own."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM read.receipts WHERE notice = ANY(%s)", (list(notices),)).fetchall()


def receipt_then(events: Sequence[Recorded]) -> dict[str, Any]:
    """The row of a notice as some of its events make it, in their order: its owing, its life and its clock's."""
    row = _owed(events[0])
    for one in events[1:]:
        _live(row, one)
    held = [at for at in (row.received_at, row.deemed_at, row.moved_at) if at is not None]
    if row.moved_at is not None:
        status = "moved"
    elif row.received_at is not None:
        status = "received"
    else:
        status = "outstanding" if row.deemed_at is None else "deemed"
    return {
        **{one.name: getattr(row, one.name) for one in fields(row)},
        "held_until": min(held, default=None),
        "status": status,
    }


def find_uncarried(
    conn: Connection[Any],
    departments: Sequence[str],
    carried: Sequence[str],
    *,
    serials: Sequence[int] | None = None,
    after: int | None = None,
    limit: int,
) -> Page:
    """Notices of these departments that nobody received yet and that are none of those `carried`, longest owed first;
    or the next ones after a serial, in the order of serials."""
    conditions = {
        "department = ANY(%s)": list(departments),
        "status = 'outstanding'": True,
        "notice <> ALL(%s)": list(carried),
        "serial = ANY(%s)": list(serials) if serials else None,
        "serial > %s": after,
    }
    return page(conn, "read.receipts", conditions, "owed_at" if after is None else "serial", limit)


class Outstanding(NamedTuple):
    """A notice that nobody received yet, and by what its day was given."""

    notice: str
    about: About
    department: str
    matter: str
    owed_at: datetime
    due_on: date | None
    due_limit: str | None
    due_document: str | None
    due_calendar: str | None

    def differs(self, registers: Registers) -> bool:
        """Whether the rules of now give another day, or for another reason."""
        clock = receive_clock(self.about)
        if clock is None:
            return False
        region, since = registers.departments[self.department].region, local_date(self.owed_at)
        due = registers.due(clock, since, region=region, matter=self.matter)
        said = (self.due_on, self.due_limit, self.due_document, self.due_calendar)
        return said != (due.on, due.limit, due.document, due.calendar)


def outstanding_after(conn: Connection[Any], after: str, limit: int) -> list[Outstanding]:
    """By name, after one of them."""
    columns = ", ".join(Outstanding._fields)
    rows = conn.execute(
        f"SELECT {columns} FROM read.receipts WHERE status = 'outstanding' AND notice > %s ORDER BY notice LIMIT %s",
        (after, limit),
    )
    return [Outstanding(*row) for row in rows]


def overdue_after(conn: Connection[Any], today: date, after: str, limit: int) -> list[str]:
    """Notices that were to be received by today or before, by name, after one of them."""
    rows = conn.execute(
        "SELECT notice FROM read.receipts WHERE status = 'outstanding' AND due_on <= %s AND suspended_on IS NULL"
        " AND notice > %s ORDER BY notice LIMIT %s",
        (today, after, limit),
    )
    return [row[0] for row in rows]


def past_notices(conn: Connection[Any], since: date, until: date, department: str | None) -> list[Past]:
    """Every notice that was owed between two days, with what became of its time."""
    day = "(%s AT TIME ZONE 'Asia/Shanghai')::date"
    owed, held = day.replace("%s", "owed_at"), day.replace("%s", "held_until")
    rows = conn.execute(
        f"SELECT notice, about, department, matter, {owed}, due_on, extra, {held} FROM read.receipts"
        f" WHERE {owed} BETWEEN %s AND %s AND department = coalesce(%s, department) AND due_limit IS NOT NULL"
        " ORDER BY owed_position",
        (since, until, department),
    )
    return [
        Past(f"{PREFIX}{notice}", clock, *row)
        for notice, about, *row in rows
        if (clock := receive_clock(about)) is not None
    ]
