"""Daily counters: what became of notices and feedback, as it was known at the end of any day (2.2k).

Every fact adds to the counters of the day on which it was recorded, never to those of another; what depends on a time
limit adds to those of the limit's last day, if that is still to come (`falls`). So the sum up to a day is what the log
said at its end, whatever is recorded later. `docs/reference/statistics.md` says what is divided by what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from psycopg import Connection

from domain.event import Event, Recorded
from domain.notices import NoticeDispatched, NoticeMoved, NoticeOwed, NoticeReceived, NoticeReturned
from domain.submissions import local_date
from domain.supervision import FeedbackDisposed, FeedbackRaised, FeedbackReplied
from projections.projection import Projection
from projections.table import Fold, Table
from projections.working_days import CHINA, RECEIVE_WITHIN, CalendarUnknown, due_on, working_days_between

PREFIX = "notice/"
DISPATCH_WITHIN = 1
"""Working days to dispatch a notice in."""
ANSWER_WITHIN = 5
"""Working days to dispose of a feedback in."""


@dataclass(slots=True)
class Daily:
    """A row; the columns are explained in daily.sql."""

    cohort: date
    department: str
    matter: str
    root: str
    day: date
    falls: bool
    owed: int = 0
    dispatched: int = 0
    dispatch_due: int = 0
    dispatched_in_time: int = 0
    received: int = 0
    receipt_days: int = 0
    receipts_dated: int = 0
    deemed: int = 0
    moved: int = 0
    returned: int = 0
    due: int = 0
    received_in_time: int = 0
    late_ended: int = 0
    undated: int = 0
    cases_told: int = 0
    cases_with_feedback: int = 0
    feedback_raised: int = 0
    feedback_disposed: int = 0
    answer_due: int = 0
    answered_in_time: int = 0


KEY_SIZE = 6
COUNTERS = tuple(field.name for field in fields(Daily))[KEY_SIZE:]


@dataclass(slots=True)
class Notice:
    """What later facts must know of a notice."""

    notice: str
    department: str
    matter: str
    root: str
    case_stream: str
    owed_on: date
    dispatch_by: date | None
    due_on: date | None
    dispatched: bool = False
    received_on: date | None = None
    receipt_days: int | None = None
    fed_back: bool = False
    moved_on: date | None = None
    closed_on: date | None = None


@dataclass(slots=True)
class Feedback:
    """What later facts must know of a feedback."""

    stream: str
    department: str
    matter: str
    case_stream: str
    supervisor: str
    raised_on: date
    answer_by: date | None
    answered: bool = False
    open: bool = True


DAILY = Table("daily", Daily, key_size=KEY_SIZE, adds=True)
NOTICES = Table("daily_notices", Notice)
FEEDBACK = Table("daily_feedback", Feedback)
_KINDS = (
    *(NoticeOwed, NoticeDispatched, NoticeReceived, NoticeReturned, NoticeMoved),
    *(FeedbackRaised, FeedbackDisposed, FeedbackReplied),
)


class DailyCounters(Projection):
    name = "daily"
    tables = ("daily", "daily_notices", "daily_feedback")
    topics = frozenset(kind.TOPIC for kind in _KINDS)

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        batch = _Batch(conn, events)
        for one in events:
            batch.take(one)
        batch.save(bulk)


class _Batch:
    """One batch: the notices and feedback that it is about, and what is to be added to the counters."""

    def __init__(self, conn: Connection[Any], events: Sequence[Recorded]) -> None:
        self._conn = conn
        told = [one.event for one in events]
        raised = {(event.case, event.department) for event in told if isinstance(event, FeedbackRaised)}
        owed = {event.notice for event in told if isinstance(event, NoticeOwed)}
        named = {event.originator_id.removeprefix(PREFIX) for event in told if event.originator_id.startswith(PREFIX)}
        held = _held(conn, raised)
        self._notices = Fold(conn, NOTICES, [(notice,) for notice in {*(named - owed), *held}])
        self._feedback = Fold(
            conn, FEEDBACK, [(event.originator_id,) for event in told if event.TOPIC.startswith("feedback.")]
        )
        again = {(e.case, e.addressee) for e in told if isinstance(e, NoticeOwed) and _may_have_feedback(e)}
        self._fed_back = _fed_back(conn, again)
        self._holding: dict[tuple[str, str], list[Notice]] = {pair: [] for pair in raised}
        for notice in self._notices.rows.values():
            self._holds(notice)
        self._counts: dict[tuple[Any, ...], Daily] = {}
        self._today = date.min
        self._tomorrow = events[0].recorded_at

    def take(self, one: Recorded) -> None:
        if one.recorded_at >= self._tomorrow:
            self._today = local_date(one.recorded_at)
            self._tomorrow = datetime.combine(self._today + timedelta(days=1), time(), CHINA)
        event = one.event
        match event:
            case NoticeOwed():
                self._owed(event)
            case NoticeDispatched():
                self._dispatched(self._notice(event), local_date(event.meta.occurred_at))
            case NoticeReceived():
                self._received(self._notice(event), local_date(event.received_at))
            case NoticeReturned():
                notice = self._notice(event)
                self._on(notice, notice.owed_on).returned += 1
            case NoticeMoved():
                self._moved(self._notice(event))
            case FeedbackRaised():
                self._raised(event)
            case FeedbackDisposed():
                self._disposed(self._feedback.rows[event.originator_id,], local_date(event.meta.occurred_at))
            case FeedbackReplied():
                self._replied(self._feedback.rows[event.originator_id,])

    def save(self, bulk: bool) -> None:
        self._notices.save(bulk)
        self._feedback.save(bulk)
        DAILY.store(self._conn, list(self._counts.values()))

    # Notices.

    def _owed(self, event: NoticeOwed) -> None:
        today = self._today
        notice = Notice(
            notice=event.notice,
            department=event.addressee,
            matter=event.matter,
            root=event.root,
            case_stream=event.case,
            owed_on=today,
            dispatch_by=_after(today, DISPATCH_WITHIN),
            due_on=_after(today, RECEIVE_WITHIN),
            fed_back=_may_have_feedback(event) and (event.case, event.addressee) in self._fed_back,
        )
        self._notices.rows[event.notice,] = notice
        self._holds(notice)
        row = self._on(notice, today)
        row.owed += 1
        if _tells(notice):
            row.cases_told += 1
            row.cases_with_feedback += notice.fed_back
        if notice.dispatch_by is not None:
            self._by(notice, today, notice.dispatch_by).dispatch_due += 1
        if notice.due_on is None:
            row.undated += 1
        else:
            self._by(notice, today, notice.due_on).due += 1

    def _dispatched(self, notice: Notice, on: date) -> None:
        """Of several channels the first counts."""
        if notice.dispatched:
            return
        notice.dispatched = True
        self._on(notice, notice.owed_on).dispatched += 1
        if notice.dispatch_by is not None and on <= notice.dispatch_by:
            self._by(notice, notice.owed_on, notice.dispatch_by).dispatched_in_time += 1

    def _received(self, notice: Notice, on: date) -> None:
        notice.received_on, notice.receipt_days = on, _between(notice.owed_on, on)
        notice.closed_on = self._today
        row = self._on(notice, notice.owed_on)
        row.received += 1
        if notice.receipt_days is not None:
            row.receipt_days += notice.receipt_days
            row.receipts_dated += 1
        if notice.due_on is not None:
            self._count_receipt(self._by(notice, notice.owed_on, notice.due_on), notice.due_on, on, 1)

    def _moved(self, notice: Notice) -> None:
        """Counted as moved only from now on; what had not fallen due will not do so here."""
        today = self._today
        notice.moved_on, notice.closed_on = today, notice.closed_on or today
        row = self._on(notice, notice.owed_on)
        row.moved += 1
        if _tells(notice):
            row.cases_told -= 1
            row.cases_with_feedback -= notice.fed_back
        if notice.received_on is not None:
            row.received -= 1
            if notice.receipt_days is not None:
                row.receipt_days -= notice.receipt_days
                row.receipts_dated -= 1
        if notice.dispatch_by is not None and not notice.dispatched and notice.dispatch_by >= today:
            self._by(notice, notice.owed_on, notice.dispatch_by).dispatch_due -= 1
            notice.dispatch_by = None
        if notice.due_on is None:
            row.undated -= 1
        elif notice.due_on >= today:
            falling = self._by(notice, notice.owed_on, notice.due_on)
            falling.due -= 1
            if notice.received_on is not None:
                self._count_receipt(falling, notice.due_on, notice.received_on, -1)
        elif notice.received_on is None:
            row.late_ended += 1

    @staticmethod
    def _count_receipt(row: Daily, due: date, on: date, count: int) -> None:
        if on <= due:
            row.received_in_time += count
        else:
            row.late_ended += count

    def _notice(self, event: Event) -> Notice:
        return self._notices.rows[event.originator_id.removeprefix(PREFIX),]

    def _holds(self, notice: Notice) -> None:
        if _tells(notice) and notice.moved_on is None:
            holding = self._holding.get((notice.case_stream, notice.department))
            if holding is not None:
                holding.append(notice)

    # Feedback.

    def _raised(self, event: FeedbackRaised) -> None:
        today = self._today
        feedback = Feedback(
            stream=event.originator_id,
            department=event.organ,
            matter=event.matter,
            case_stream=event.case,
            supervisor=event.department,
            raised_on=today,
            answer_by=_after(today, ANSWER_WITHIN),
        )
        self._feedback.rows[feedback.stream,] = feedback
        self._fed_back.add((event.case, event.department))
        self._on(feedback, today).feedback_raised += 1
        if feedback.answer_by is not None:
            self._by(feedback, today, feedback.answer_by).answer_due += 1
        for notice in self._holding[event.case, event.department]:
            if notice.moved_on is None and not notice.fed_back:
                notice.fed_back = True
                self._on(notice, notice.owed_on).cases_with_feedback += 1

    def _disposed(self, feedback: Feedback, on: date) -> None:
        if feedback.open:
            feedback.open = False
            self._on(feedback, feedback.raised_on).feedback_disposed += 1
        if not feedback.answered:
            feedback.answered = True
            if feedback.answer_by is not None and on <= feedback.answer_by:
                self._by(feedback, feedback.raised_on, feedback.answer_by).answered_in_time += 1

    def _replied(self, feedback: Feedback) -> None:
        feedback.open = True
        self._on(feedback, feedback.raised_on).feedback_disposed -= 1

    # Counters.

    def _on(self, about: Notice | Feedback, cohort: date) -> Daily:
        """What counts from today on."""
        return self._row(about, cohort, self._today, False)

    def _by(self, about: Notice | Feedback, cohort: date, last: date) -> Daily:
        """What counts when that day is over; from today on where it is."""
        return self._row(about, cohort, last, True) if last >= self._today else self._on(about, cohort)

    def _row(self, about: Notice | Feedback, cohort: date, day: date, falls: bool) -> Daily:
        root = about.root if isinstance(about, Notice) else "feedback"
        key = (cohort, about.department, about.matter, root, day, falls)
        row = self._counts.get(key)
        if row is None:
            row = self._counts[key] = Daily(*key)
        return row


def _tells(notice: Notice) -> bool:
    return notice.root == "decision" and notice.case_stream != ""


def _may_have_feedback(event: NoticeOwed) -> bool:
    """It tells of a case that was told of before, or might have been."""
    return event.root == "decision" and event.about != "decision"


def _held(conn: Connection[Any], pairs: Iterable[tuple[str, str]]) -> set[str]:
    """The notices of earlier batches by which these departments hold these cases."""
    query = "SELECT n.notice FROM daily_notices AS n JOIN unnest(%b::text[], %b::text[]) AS p (case_stream, department)"
    rows = _of_pairs(
        conn, f"{query} USING (case_stream, department) WHERE root = 'decision' AND moved_on IS NULL", pairs
    )
    return {notice for (notice,) in rows}


def _fed_back(conn: Connection[Any], pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these cases and departments those with feedback in earlier batches."""
    query = "SELECT f.case_stream, f.supervisor FROM daily_feedback AS f"
    query += " JOIN unnest(%b::text[], %b::text[]) AS p (case_stream, supervisor) USING (case_stream, supervisor)"
    return {(case, supervisor) for case, supervisor in _of_pairs(conn, query, pairs)}


def _of_pairs(conn: Connection[Any], query: str, pairs: Iterable[tuple[str, str]]) -> list[Any]:
    wanted = sorted(pairs)
    if not wanted:
        return []
    columns = [[pair[0] for pair in wanted], [pair[1] for pair in wanted]]
    return conn.execute(query, columns, binary=True, prepare=True).fetchall()


@lru_cache(maxsize=10_000)
def _after(day: date, working_days: int) -> date | None:
    try:
        return due_on(datetime.combine(day, time(), CHINA), working_days)
    except CalendarUnknown:
        return None


@lru_cache(maxsize=10_000)
def _between(since: date, until: date) -> int | None:
    try:
        return working_days_between(since, until)
    except CalendarUnknown:
        return None
