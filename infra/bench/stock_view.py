"""The stock way to a read model: the library's `ProjectionRunner`, one transaction per event, the same receipt ledger.

As the library's documentation shows it: a view that is a tracking recorder and writes each event's change together with
its position, a projection with one `process_event` per event class and the topics it takes, subscribed to the log
application. The ledger's table has the columns and indexes of ours, in the schema `stock`.
"""

from __future__ import annotations

from typing import Any

import psycopg
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.types.json import Jsonb
from pydantic_core import to_json

from adapters.postgres.log import LogApplication, environment
from domain.event import Event
from domain.notices import (
    NoticeDelivered,
    NoticeDispatched,
    NoticeMoved,
    NoticeOwed,
    NoticeReceived,
    NoticeReturned,
    NoticeTaken,
    notice_stream,
)
from projections.receipts import Receipts

PATIENCE = 3600.0  # seconds
_RECORDED = "(SELECT recorded_at FROM shenguan.stored_events WHERE notification_id = %(position)s)"
_OWED = f"""
INSERT INTO stock.receipts (notice, department, serial, case_stream, matter, about, root, origin, returns, owing_stream,
                            owing_version, owed_at, owed_position, last_position,
                            due_on, yellow_on, due_limit, due_document, due_calendar)
VALUES (%(notice)s, %(addressee)s, %(serial)s, %(case)s, %(matter)s, %(about)s, %(root)s, %(origin)s, %(returns)s,
        %(owing_stream)s, %(owing_version)s, {_RECORDED}, %(position)s, %(position)s,
        %(due_on)s, %(yellow_on)s, %(due_limit)s, %(due_document)s, %(due_calendar)s)
"""


class Ledger(PostgresTrackingRecorder):
    """The view."""

    def add(self, event: NoticeOwed, tracking: Tracking) -> None:
        names = ("notice", "addressee", "serial", "case", "matter", "about", "root", "origin", "returns")
        values = {name: getattr(event, name) for name in (*names, "owing_stream", "owing_version")}
        due = event.due
        values |= {f"due_{name}": getattr(due, name, None) for name in ("on", "limit", "document", "calendar")}
        values["yellow_on"] = getattr(due, "yellow", None)
        self._change(_OWED, values, tracking)

    def change(self, event: Event, changes: dict[str, str], values: dict[str, Any], tracking: Tracking) -> None:
        """Sets columns to SQL expressions over `values`."""
        columns = "".join(f', "{column}" = {value}' for column, value in changes.items())
        query = f"UPDATE stock.receipts SET last_position = %(position)s{columns} WHERE notice = %(notice)s"
        self._change(query, {"notice": event.originator_id.removeprefix(notice_stream("")), **values}, tracking)

    def _change(self, query: str, values: dict[str, Any], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(query, values | {"position": tracking.notification_id}, prepare=True)
            self._insert_tracking(cursor, tracking)


class StockReceipts(Projection[Ledger]):
    """Each step fills columns of its own; of several dispatches and deliveries the first is kept."""

    name = "stockreceipts"
    topics = tuple(sorted(Receipts.topics))

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        raise LookupError(f"{tracking.notification_id}: {type(domain_event).__name__}")

    @process_event.register
    def _owed(self, event: NoticeOwed, tracking: Tracking) -> None:
        self.view.add(event, tracking)

    @process_event.register
    def _dispatched(self, event: NoticeDispatched, tracking: Tracking) -> None:
        values = {"dispatched_at": event.meta.occurred_at} | {
            name: getattr(event, name) for name in ("channel", "topic_id", "partition", "offset", "reference")
        }
        values["dispatched_in_time"] = event.in_time
        self.view.change(event, _once(values), values, tracking)

    @process_event.register
    def _delivered(self, event: NoticeDelivered, tracking: Tracking) -> None:
        values = {
            "delivered_at": event.meta.occurred_at,
            "delivered_group": event.group,
            "delivered_committed": event.committed,
        }
        self.view.change(event, _once(values), values, tracking)

    @process_event.register
    def _received(self, event: NoticeReceived, tracking: Tracking) -> None:
        values: dict[str, Any] = {"received_at": event.received_at, "waited": event.waited}
        if event.received_by is not None:
            values["received_by"] = event.received_by.id
            values["received_by_name"] = Jsonb(event.received_by.name, to_json)
        changes = {name: f"%({name})s" for name in values}
        self.view.change(event, changes | {"receipt_recorded_at": _RECORDED}, values, tracking)

    @process_event.register
    def _taken(self, event: NoticeTaken, tracking: Tracking) -> None:
        self.view.change(event, {"taken_at": "%(at)s"}, {"at": event.meta.occurred_at}, tracking)

    @process_event.register
    def _returned(self, event: NoticeReturned, tracking: Tracking) -> None:
        values = {"returned_at": event.meta.occurred_at, "returned_to": event.proposed}
        values |= {"returned_in_time": event.in_time}
        self.view.change(event, {name: f"%({name})s" for name in values}, values, tracking)

    @process_event.register
    def _moved(self, event: NoticeMoved, tracking: Tracking) -> None:
        self.view.change(event, {"moved_at": _RECORDED, "moved_to": "%(to)s"}, {"to": event.to}, tracking)


def follow(url: str, head: int) -> None:
    """Makes the tables and follows the log to the position."""
    with psycopg.connect(url) as conn:
        conn.execute("CREATE SCHEMA stock; SET LOCAL search_path TO stock")
        for part in Receipts().ddl():
            conn.execute(part)
    own = {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_SCHEMA": "stock", "CREATE_TABLE": "y"}
    prefixed = {f"{StockReceipts.name.upper()}_{name}": value for name, value in own.items()}
    runner = ProjectionRunner(
        application_class=LogApplication,
        projection_class=StockReceipts,
        view_class=Ledger,
        env=environment(url) | prefixed,
    )
    with runner:
        runner.wait(head, timeout=PATIENCE)


def _once(values: dict[str, Any]) -> dict[str, str]:
    """Columns that keep what they have: all of a step's columns are filled together or not at all."""
    return {name: f'coalesce("{name}", %({name})s)' for name in values}
