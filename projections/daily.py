"""Daily counters: what became of notices and feedback, as it was known at the end of any day (2.2k).

Every fact adds to the counters of the day on which it was recorded, never to those of another; what depends on a time
limit adds to those of the limit's last day, if that is still to come (`falls`). So the sum up to a day is what the log
said at its end, whatever is recorded later. `docs/reference/statistics.md` says what is divided by what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

from psycopg import Connection

from domain.channels import CARRIERS
from domain.clock_state import ClockExtended, ClockRecomputed, ClockResumed, ClockSuspended
from domain.clocks import Due
from domain.event import Event, Recorded
from domain.notices import NoticeDeemed, NoticeDispatched, NoticeMoved, NoticeOwed, NoticeReceived, NoticeReturned
from domain.submissions import local_date
from domain.supervision import FeedbackDisposed, FeedbackRaised, FeedbackReplied
from projections.daily_states import DUES, FEEDBACK, NOTICES, DueThen, Feedback, Notice, fed_back, held
from projections.projection import Projection
from projections.table import Fold, Table
from projections.working_days import CHINA, CalendarUnknown, due_on

PREFIX = "notice/"
DISPATCH_WITHIN = 1
"""Working days; later what was not dispatched is late. Of what was the event says whether it was in time."""


@dataclass(slots=True)
class Daily:
    """A row; the columns are explained in daily.sql."""

    department: str
    cohort: date
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


DAILY = Table("daily", Daily, key_size=KEY_SIZE, adds=True)
DAYS = Table("daily_days", Daily, key_size=KEY_SIZE, adds=True)
MONTHS = Table("daily_months", Daily, key_size=KEY_SIZE, adds=True)
_values = attrgetter(*COUNTERS)
_KINDS = (
    *(NoticeOwed, NoticeDispatched, NoticeReceived, NoticeReturned, NoticeDeemed, NoticeMoved),
    *(FeedbackRaised, FeedbackDisposed, FeedbackReplied),
    *(ClockExtended, ClockSuspended, ClockResumed, ClockRecomputed),
)


class DailyCounters(Projection):
    name = "daily"
    tables = ("daily", "daily_days", "daily_months", "daily_notices", "daily_dues", "daily_feedback")
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
        streams = {_subject(event) for event in told}
        named = {stream.removeprefix(PREFIX) for stream in streams if stream.startswith(PREFIX)}
        known = (named - owed) | held(conn, raised)
        self._notices = Fold(conn, NOTICES, [(notice,) for notice in known])
        self._feedback = Fold(conn, FEEDBACK, [(stream,) for stream in streams if stream.startswith("feedback/")])
        again = {(e.case, e.addressee) for e in told if isinstance(e, NoticeOwed) and _may_have_feedback(e)}
        self._fed_back = fed_back(conn, again)
        self._holding: dict[tuple[str, str], list[Notice]] = {pair: [] for pair in raised}
        for notice in self._notices.rows.values():
            self._holds(notice)
        self._counts: dict[tuple[Any, ...], Daily] = {}
        self._dues: dict[tuple[str, date], DueThen] = {}
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
            case NoticeDispatched() if event.channel in CARRIERS:
                self._dispatched(self._notice(event), event.in_time)
            case NoticeReceived():
                self._received(self._notice(event), local_date(event.received_at), event.waited)
            case NoticeDeemed():
                self._deemed(self._notice(event))
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
            case ClockSuspended():
                self._falls_due(event.clock, None, False)
            case ClockExtended() | ClockResumed() | ClockRecomputed():
                self._falls_due(event.clock, event.due.on, event.due.on is None)

    def save(self, bulk: bool) -> None:
        self._notices.save(bulk)
        self._feedback.save(bulk)
        DUES.store(self._conn, list(self._dues.values()))
        rows = list(self._counts.values())
        DAILY.store(self._conn, rows)
        DAYS.store(self._conn, _summed(rows, _of_day))
        MONTHS.store(self._conn, _summed(rows, _of_month))

    # Notices.

    def _owed(self, event: NoticeOwed) -> None:
        today = self._today
        notice = Notice(
            notice=event.notice,
            department=event.addressee,
            serial=event.originator_version,
            about=event.about,
            matter=event.matter,
            root=event.root,
            case_stream=event.case,
            owed_on=today,
            dispatch_by=None if event.due is None else _after(today, DISPATCH_WITHIN),
            due_on=_on(event.due),
            first_due_on=_on(event.due),
            undated=event.due is not None and event.due.on is None,
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
        row.undated += notice.undated
        self._count_due(notice, None)

    def _dispatched(self, notice: Notice, in_time: bool | None) -> None:
        """Of several channels that carry it the first counts. Where nobody can say whether that was in time it need not
        be."""
        if notice.dispatched:
            return
        notice.dispatched = True
        row = self._on(notice, notice.owed_on)
        row.dispatched += 1
        if notice.dispatch_by is not None:
            by = self._by(notice, notice.owed_on, notice.dispatch_by)
            by.dispatch_due -= in_time is None
            by.dispatched_in_time += in_time is True
        elif notice.moved_on is None and in_time is not None:
            row.dispatch_due += 1
            row.dispatched_in_time += in_time

    def _received(self, notice: Notice, on: date, waited: int | None) -> None:
        before = notice.fallen_due
        row = self._on(notice, notice.owed_on)
        row.deemed -= notice.deemed
        notice.received_on, notice.receipt_days, notice.deemed = on, waited, False
        notice.closed_on = notice.closed_on or self._today
        row.received += 1
        if waited is not None:
            row.receipt_days += waited
            row.receipts_dated += 1
        self._count_due(notice, before)

    def _deemed(self, notice: Notice) -> None:
        before = notice.fallen_due
        notice.deemed, notice.closed_on = True, self._today
        self._on(notice, notice.owed_on).deemed += 1
        self._count_due(notice, before)

    def _moved(self, notice: Notice) -> None:
        """Counted as moved only from now on; what had not fallen due will not do so here."""
        today, before = self._today, notice.fallen_due
        notice.moved_on, notice.closed_on = today, notice.closed_on or today
        row = self._on(notice, notice.owed_on)
        row.moved += 1
        row.deemed -= notice.deemed
        row.undated -= notice.undated
        notice.undated = False
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
        self._count_due(notice, before)

    def _count_due(self, notice: Notice, before: tuple[date, bool, bool] | None) -> None:
        """As it stands now, instead of how it stood before."""
        after = notice.fallen_due
        if after != before:
            for part, count in ((before, -1), (after, 1)):
                if part is not None:
                    row = self._by(notice, notice.owed_on, part[0])
                    row.due += count
                    row.received_in_time += count * part[1]
                    row.late_ended += count * part[2]

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
            answer_by=_on(event.due),
        )
        self._feedback.rows[feedback.stream,] = feedback
        self._fed_back.add((event.case, event.department))
        self._on(feedback, today).feedback_raised += 1
        self._count_answer(feedback, None)
        for notice in self._holding[event.case, event.department]:
            if notice.moved_on is None and not notice.fed_back:
                notice.fed_back = True
                self._on(notice, notice.owed_on).cases_with_feedback += 1

    def _disposed(self, feedback: Feedback, on: date) -> None:
        if feedback.open:
            feedback.open = False
            self._on(feedback, feedback.raised_on).feedback_disposed += 1
        if feedback.answered_on is None:
            before, feedback.answered_on = feedback.fallen_due, on
            self._count_answer(feedback, before)

    def _replied(self, feedback: Feedback) -> None:
        feedback.open = True
        self._on(feedback, feedback.raised_on).feedback_disposed -= 1

    def _count_answer(self, feedback: Feedback, before: tuple[date, bool] | None) -> None:
        after = feedback.fallen_due
        if after != before:
            for part, count in ((before, -1), (after, 1)):
                if part is not None:
                    row = self._by(feedback, feedback.raised_on, part[0])
                    row.answer_due += count
                    row.answered_in_time += count * part[1]

    # Clocks.

    def _falls_due(self, clock: str, on: date | None, undated: bool) -> None:
        """Another day, or none while the clock stands still or the calendar does not reach so far. Once a feedback was
        answered, the days of later replies count for nothing here."""
        if clock.startswith(PREFIX):
            notice = self._notices.rows[clock.removeprefix(PREFIX),]
            undated = undated and notice.moved_on is None
            if undated != notice.undated:
                self._on(notice, notice.owed_on).undated += undated - notice.undated
            was, notice.due_on, notice.undated = notice.fallen_due, on, undated
            self._dues[notice.notice, self._today] = DueThen(notice.notice, self._today, notice.department, on)
            self._count_due(notice, was)
        elif (feedback := self._feedback.rows.get((clock,))) is not None and feedback.answered_on is None:
            before, feedback.answer_by = feedback.fallen_due, on
            self._count_answer(feedback, before)

    # Counters.

    def _on(self, about: Notice | Feedback, cohort: date) -> Daily:
        """What counts from today on."""
        return self._row(about, cohort, self._today, False)

    def _by(self, about: Notice | Feedback, cohort: date, last: date) -> Daily:
        """What counts when that day is over; from today on where it is."""
        return self._row(about, cohort, last, True) if last >= self._today else self._on(about, cohort)

    def _row(self, about: Notice | Feedback, cohort: date, day: date, falls: bool) -> Daily:
        root = about.root if isinstance(about, Notice) else "feedback"
        key = (about.department, cohort, about.matter, root, day, falls)
        row = self._counts.get(key)
        if row is None:
            row = self._counts[key] = Daily(*key)
        return row


def _summed(rows: Sequence[Daily], keys: Callable[[Daily], Sequence[tuple[Any, ...]]]) -> list[Daily]:
    """Rows put together under each of the keys that they have now."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        values = _values(row)
        for key in keys(row):
            sums = found.get(key)
            found[key] = list(values) if sums is None else [a + b for a, b in zip(sums, values, strict=True)]
    return [Daily(*key, *sums) for key, sums in found.items()]


def _of_day(row: Daily) -> list[tuple[Any, ...]]:
    return _keys(row, row.day)


def _of_month(row: Daily) -> list[tuple[Any, ...]]:
    return _keys(row, row.day.replace(day=1))


def _keys(row: Daily, day: date) -> list[tuple[Any, ...]]:
    """Of the department and of the matter."""
    return [(row.department, day, "", "", day, row.falls), ("", day, row.matter, "", day, row.falls)]


def _subject(event: Event) -> str:
    """The stream of what an event is about: for what happens to a clock, of what the clock belongs to."""
    return event.originator_id.removeprefix("clock/")


def _on(due: Due | None) -> date | None:
    return None if due is None else due.on


def _tells(notice: Notice) -> bool:
    return notice.root == "decision" and notice.case_stream != ""


def _may_have_feedback(event: NoticeOwed) -> bool:
    """It tells of a case that was told of before, or might have been."""
    return event.root == "decision" and event.about != "decision"


@lru_cache(maxsize=10_000)
def _after(day: date, working_days: int) -> date | None:
    try:
        return due_on(datetime.combine(day, time(), CHINA), working_days)
    except CalendarUnknown:
        return None
