"""The two-way record of a case: what each side told the other, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from domain.cases import CaseExpired
from domain.clock_state import ClockEscalated, ClockEvent
from domain.consultations import (
    ConsultationAnswered,
    ConsultationAsked,
    ConsultationAskedAgain,
    ConsultationClosed,
)
from domain.event import Event, Recorded
from domain.inspections import InspectionRecord, InspectionRetracted
from domain.notices import (
    NoticeDelivered,
    NoticeDispatched,
    NoticeGivenUp,
    NoticeOwed,
    NoticePassed,
    NoticeReceived,
    SupervisionMoved,
    SupervisorJoined,
)
from domain.opinions import OpinionIssued
from domain.ratings import RatingEvent
from domain.reviews import ReviewReturned, ReviewSubmitted
from domain.seals import SealApplied
from domain.supervision import FeedbackClosed, FeedbackDisposed, FeedbackRaised, FeedbackReplied
from domain.tasks import TaskCompleted, TaskDropped, TaskOpened
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Json, Table

PREFIX = "notice/"
_SHOWN_ELSEWHERE = {"originator_id", "originator_version", "meta"}


@dataclass(slots=True)
class Step:
    """A row; the columns are explained in two_way.sql."""

    case_stream: str
    position: int
    department: str
    kind: str
    from_department: str | None
    to_department: str | None
    officer: str | None
    officer_name: Json | None
    effective_on: date | None
    occurred_at: datetime
    recorded_at: datetime
    notice: str | None
    serial: int | None
    channel: str | None
    summary: Json


@dataclass(slots=True)
class Party:
    case_stream: str
    department: str
    since: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What a notice's later life does not repeat."""

    case: str
    addressee: str
    serial: int


STEPS = Table("two_way", Step, key_size=2)
PARTIES = Table("two_way_parties", Party, key_size=2)


class TwoWay(Projection):
    name = "two_way"
    tables = ("two_way", "two_way_parties")
    topics = topics_of(
        *("case.", "notice.", "clock.", "seal.", "opinion.", "review.", "consultation.", "task.", "inspection."),
        *("feedback.", "rating."),
    )

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        notices = {
            one.event.notice: Owed(one.event.case, one.event.addressee, one.event.serial)
            for one in events
            if isinstance(one.event, NoticeOwed)
        }
        named = {_notice(one.event) for one in events} - notices.keys() - {None}
        notices |= _known(conn, (name for name in named if name))
        steps = [step for one in events if (step := _step(one, notices))]
        since: dict[tuple[str, str], int] = {}
        for step in steps:
            for department in _concerned(step):
                since.setdefault((step.case_stream, department), step.position)
        known = PARTIES.load(conn, since)
        PARTIES.add(conn, [Party(*key, position) for key, position in since.items() if key not in known], bulk)
        STEPS.add(conn, steps, bulk)


def _concerned(step: Step) -> set[str]:
    return {d for d in (step.department, step.from_department, step.to_department) if d}


def _notice(event: Event) -> str | None:
    return event.originator_id.removeprefix(PREFIX) if event.originator_id.startswith(PREFIX) else None


def _known(conn: Connection[Any], notices: Iterable[str]) -> dict[str, Owed]:
    """Notices owed in earlier batches."""
    wanted = list(notices)
    if not wanted:
        return {}
    rows = conn.execute(
        "SELECT notice, case_stream, to_department, serial FROM two_way"
        " WHERE kind = 'notice.owed' AND notice = ANY(%b::text[])",
        (wanted,),
        binary=True,
        prepare=True,
    )
    return {notice: Owed(case, addressee, serial) for notice, case, addressee, serial in rows}


def _step(one: Recorded, notices: dict[str, Owed]) -> Step | None:
    """The event as a row; None where it belongs to no case."""
    event = one.event
    case, to, notice, channel = event.originator_id, None, _notice(event), None
    match event:
        case NoticeOwed():
            case, to, notice = event.case, event.addressee, event.notice
        case SupervisionMoved() | NoticePassed():
            to = event.to
        case SupervisorJoined():
            to = event.department
        case TaskOpened() | TaskDropped():
            case, to = event.case, event.parties[0]
        case TaskCompleted():
            case, to = event.case, event.organ
        case SealApplied() | InspectionRecord() | InspectionRetracted():
            case = event.case
        case OpinionIssued():
            case, to = event.case, event.case.split("/")[1]
        case RatingEvent():
            case, to = event.case, event.organ
        case ClockEscalated():
            case, to = event.case, event.to
        case ClockEvent():
            case, to = event.case, event.holders[0]
        case CaseExpired():
            to = case.split("/")[1]
        case ReviewSubmitted():
            case, to = event.case, event.to
        case FeedbackRaised() | FeedbackReplied() | FeedbackClosed():
            case, to = event.case, event.organ
        case FeedbackDisposed() | ReviewReturned() | ConsultationAnswered():
            case, to = event.case, event.department
        case ConsultationAsked() | ConsultationAskedAgain() | ConsultationClosed():
            case, to = event.case, event.to
        case NoticeDispatched() | NoticeDelivered() | NoticeGivenUp():
            channel = event.channel
    meta = event.meta
    by, officer = meta.department, meta.officer
    owed = notices.get(notice) if notice else None  # none of a notice that is about no case
    if owed is not None:
        case = owed.case
        if by is None or isinstance(event, NoticeDispatched):
            to = owed.addressee
        if isinstance(event, NoticeReceived) and event.signer is not None:  # on paper, entered by the letter's sender
            by, to, officer = owed.addressee, by, event.signer
    if not case.startswith("case/"):
        return None
    return Step(
        case_stream=case,
        position=one.position,
        department=by or to or "",
        kind=event.TOPIC,
        from_department=by,
        to_department=to,
        officer=officer.id if officer else None,
        officer_name=officer.name if officer else None,
        effective_on=date.fromisoformat(event.effective_on) if event.effective_on else None,
        occurred_at=meta.occurred_at,
        recorded_at=one.recorded_at,
        notice=notice,
        serial=owed.serial if owed else None,
        channel=channel,
        summary=event.__pydantic_serializer__.to_json(event, exclude=_SHOWN_ELSEWHERE),
    )


def find_steps(conn: Connection[Any], case: str, limit: int = 1000) -> Page:
    """A case's record, in the order in which it was recorded."""
    return page(conn, "read.two_way", {"case_stream = %s": case}, "position", limit)


SEALS_KEY = ("position",)


def seals_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    department: str | None,
    case: str | None,
    seal: str | None,
    since: datetime | None,
    known_at: datetime | None,
) -> Slice:
    """Seals put on documents of cases 用印, by whom, the latest recorded first."""
    conditions = {
        f"kind = '{SealApplied.TOPIC}'": True,
        "department = %s": department,
        "case_stream = %s": case,
        "summary ->> 'seal' = %s": seal,
        "occurred_at >= %s": since,
        "recorded_at <= %s": known_at,
    }
    return slice_after(conn, "read.two_way", conditions, SEALS_KEY, after, limit)


SINCE_KNOWN = (
    "EXISTS (SELECT FROM read.two_way AS t WHERE t.case_stream = {} AND t.position = since AND t.recorded_at <= %s)"
)
"""Of a row of `of_party`, by the name of its column with the case: the department had become a party by a moment."""


def of_party(table: str, case: str) -> str:
    """A read model's rows about cases whose parties they have, each with a `party` and `since` when it is one (a log
    position); `case` is the column that names the case."""
    return (
        f"(SELECT x.*, p.department AS party, p.since FROM read.two_way_parties AS p"
        f" JOIN read.{table} AS x ON x.{case} = p.case_stream) AS own"
    )


def steps_slice(
    conn: Connection[Any],
    case: str,
    after: Sequence[Any] | None,
    limit: int,
    *,
    known_after: datetime | None = None,
    known_at: datetime | None = None,
) -> Slice:
    """A case's record by `position`, from the first on: what was recorded after a moment, and by another."""
    conditions = {"case_stream = %s": case, "recorded_at > %s": known_after, "recorded_at <= %s": known_at}
    return slice_after(conn, "read.two_way", conditions, ["position"], after, limit, descending=False)


def positions_of(conn: Connection[Any], case: str, notices: Sequence[str] | None = None) -> list[int]:
    """Where in the log a case's record is; of its notices' lives, but for their clocks, only these where some are
    given."""
    rows = conn.execute(
        "SELECT position FROM read.two_way WHERE case_stream = %s"
        " AND (%s::text[] IS NULL OR notice IS NULL OR notice = ANY(%s)) ORDER BY position",
        (case, *[None if notices is None else list(notices)] * 2),
    )
    return [row[0] for row in rows]


def notices_of(
    conn: Connection[Any], case: str, *, known_after: datetime | None = None, known_at: datetime | None = None
) -> list[str]:
    """The case's notices of whose lives, but for their clocks, something was recorded after a moment and by another, in
    the order in which that began."""
    rows = conn.execute(
        "SELECT notice FROM read.two_way WHERE case_stream = %s AND notice IS NOT NULL"
        " AND recorded_at > coalesce(%s, '-infinity'::timestamptz)"
        " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz) GROUP BY notice ORDER BY min(position)",
        (case, known_after, known_at),
    )
    return [row[0] for row in rows]


def steps_of(
    conn: Connection[Any], case: str, *, known_after: datetime | None = None, known_at: datetime | None = None
) -> int:
    """How many steps of a case were recorded after a moment and by another."""
    row = conn.execute(
        "SELECT count(*) FROM read.two_way WHERE case_stream = %s"
        " AND recorded_at > coalesce(%s, '-infinity'::timestamptz)"
        " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz)",
        (case, known_after, known_at),
    ).fetchone()
    return int(row[0]) if row is not None else 0
