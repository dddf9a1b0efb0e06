"""Integrity-risk signals: backdating, decisions in seconds, the same officer and party, refused attempts (3.3f)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any

from psycopg import Connection

from domain.attempts import AttemptRefused
from domain.cases import CaseAccepted, CaseDecided
from domain.event import Event, Recorded
from domain.guides import Guide
from domain.notices import NoticeReceived
from domain.registering import EntryRegistered, EntryStruck
from domain.risks import DEFAULTS, RiskThreshold, Signal, Threshold, exceeds, outside_hours, party_key
from domain.seals import SealApplied
from domain.submissions import local_date
from domain.tasks import TaskCompleted
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table
from projections.working_days import CalendarUnknown, is_working_day


@dataclass(slots=True)
class Risk:
    """A row; the columns are explained in risks.sql."""

    position: int
    signal: str
    department: str
    about: str
    matter: str | None
    officer: str | None
    officer_name: Json | None
    party: str | None
    rule: str | None
    measured: int
    threshold: int
    period: int | None
    positions: Json
    occurred_at: datetime
    recorded_at: datetime


@dataclass(slots=True)
class RiskCase:
    stream: str
    department: str
    matter: str
    party: str | None
    fact: str
    accepted_at: datetime
    accepted_position: int
    decided_on: date | None = None
    decided_position: int | None = None
    sealed_on: date | None = None
    sealed_position: int | None = None
    sealed_by: str | None = None
    results: Json = field(default_factory=list)


@dataclass(slots=True)
class Count:
    signal: str
    key: str
    department: str
    marks: Json = field(default_factory=list)


@dataclass(slots=True)
class Said:
    list: str
    key: str
    number: int
    department: str
    since: date
    position: int
    value: int | None
    period: int | None


RISKS = Table("risks", Risk, key_size=2)
CASES = Table("risk_cases", RiskCase)
COUNTS = Table("risk_counts", Count, key_size=2)
LISTS = Table("risk_lists", Said, key_size=3)
_LISTS = ("risk_threshold", "guide")


class Risks(Projection):
    name = "risks"
    tables = ("risks", "risk_cases", "risk_counts", "risk_lists")
    topics = topics_of(
        *(kind.TOPIC for kind in (AttemptRefused, CaseAccepted, CaseDecided, EntryRegistered, EntryStruck)),
        *(kind.TOPIC for kind in (NoticeReceived, SealApplied, TaskCompleted)),
    )

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        batch = _Batch(conn, events)
        for one in events:
            batch.take(one)
        batch.save(conn, bulk)


class _Batch:
    """One batch of events over the tables; `found` are its signals."""

    def __init__(self, conn: Connection[Any], events: Sequence[Recorded]) -> None:
        told = [one.event for one in events]
        self.found: list[Risk] = []
        self._cases = Fold(conn, CASES, {(stream,) for event in told if (stream := _case(event)) is not None})
        parties = {stream: row.party for (stream,), row in self._cases.rows.items()}
        parties |= {event.originator_id: party_key(event.party) for event in told if isinstance(event, CaseAccepted)}
        keys = {_counted(event, parties.get(event.originator_id)) for event in told}
        self._counts = Fold(conn, COUNTS, [key for key in keys if key is not None])
        pinned = {
            ("guide", event.matter, event.guide_version)
            for event in told
            if isinstance(event, CaseDecided) and event.guide_version is not None
        }
        self._guides = LISTS.load(conn, pinned)
        known = conn.execute(
            "SELECT list, key, number, department, since, position, value, period FROM risk_lists"
            " WHERE list = 'risk_threshold'"
        )
        self._thresholds = [Said(*row) for row in known]
        self._entered: list[Said] = []

    def save(self, conn: Connection[Any], bulk: bool) -> None:
        self._cases.save(bulk)
        self._counts.save(bulk)
        LISTS.add(conn, self._entered, bulk)
        RISKS.add(conn, self.found, bulk)

    def take(self, one: Recorded) -> None:
        event = one.event
        match event:
            case EntryRegistered() | EntryStruck():
                self._enter(one, event)
            case CaseAccepted():
                self._accepted(one, event)
            case CaseDecided():
                self._decided(one, event)
            case SealApplied():
                self._sealed(one, event)
            case TaskCompleted():
                self._completed(one, event)
            case NoticeReceived():
                self._received(one, event)
            case AttemptRefused():
                self._count(one, "attempts", None, rule=event.rule)

    def _enter(self, one: Recorded, event: EntryRegistered | EntryStruck) -> None:
        _, kind, key = event.originator_id.split("/", 2)
        if kind not in _LISTS:
            return
        entry = event.entry if isinstance(event, EntryRegistered) else None
        value = period = None
        if isinstance(entry, RiskThreshold):
            value, period = entry.value, entry.period
        elif isinstance(entry, Guide):
            value = entry.promised_days
        department = event.meta.department or ""
        said = Said(kind, key, event.originator_version, department, event.valid_from, one.position, value, period)
        self._entered.append(said)
        if kind == "risk_threshold":
            self._thresholds.append(said)
        else:
            self._guides[kind, key, said.number] = said

    def _threshold(self, signal: Signal, on: date) -> Threshold:
        """As on record by now for that day."""
        said = [row for row in self._thresholds if row.key == signal and row.since <= on]
        last = max(said, key=lambda row: (row.since, row.position), default=None)
        return DEFAULTS[signal] if last is None or last.value is None else Threshold(last.value, last.period)

    def _accepted(self, one: Recorded, event: CaseAccepted) -> None:
        self._cases.rows[event.originator_id,] = RiskCase(
            event.originator_id,
            event.organ,
            event.matter,
            party_key(event.party),
            event.meta.fact,
            event.meta.occurred_at,
            one.position,
        )
        self._dated(one, event.accepted_on, event.matter)

    def _decided(self, one: Recorded, event: CaseDecided) -> None:
        row = self._cases.rows[event.originator_id,]
        row.decided_on, row.decided_position = event.decided_on, one.position
        if event.basis == "legacy":
            return  # stock says itself that it comes long afterwards
        self._dated(one, event.decided_on, event.matter)
        self._seal_first(one, row)
        if row.party is not None and event.meta.officer is not None:
            self._count(one, "same_party", event.matter, party=row.party)
        if event.outcome == "granted" and (failures := _standing_failures(row.results)):
            last = max(failures, key=itemgetter("ended"))
            days = (event.decided_on - local_date(datetime.fromtimestamp(last["ended"], UTC))).days
            self._measure(one, "failed_task", days, event.matter, last["position"])
        if row.fact == event.meta.fact:
            return  # a record of a decision taken elsewhere: its time is not that of the decision
        guide = self._guides.get(("guide", event.matter, event.guide_version or 0))
        if guide is not None and (guide.value or 0) > 1:
            seconds = int((event.meta.occurred_at - row.accepted_at).total_seconds())
            self._measure(one, "hasty", max(seconds, 0), event.matter, row.accepted_position)
        if local_date(event.meta.occurred_at) == event.decided_on:
            minutes = outside_hours(event.meta.occurred_at, _working(event.decided_on))
            self._measure(one, "off_hours", minutes, event.matter)

    def _completed(self, one: Recorded, event: TaskCompleted) -> None:
        row = self._cases.rows[event.case,]
        said = {name: getattr(event, name) for name in ("work", "task", "department", "result")}
        row.results = [*row.results, said | {"ended": event.ended_at.timestamp(), "position": one.position}]

    def _received(self, one: Recorded, event: NoticeReceived) -> None:
        """A letter's slip is one act, however many notices it is for."""
        on = local_date(event.received_at)
        if event.letter is None:
            self._dated(one, on)
            self._count(one, "burst", None)
        elif (slip := ("slip", event.meta.fact)) not in self._counts.rows:
            self._counts.rows[slip] = Count(*slip, department=event.meta.department or "")
            self._dated(one, on)

    def _sealed(self, one: Recorded, event: SealApplied) -> None:
        row = self._cases.rows[event.case,]
        on = local_date(event.applied_at)
        if row.sealed_on is None or on < row.sealed_on:
            row.sealed_on, row.sealed_position, row.sealed_by = on, one.position, event.meta.department
            self._seal_first(one, row)

    def _seal_first(self, one: Recorded, row: RiskCase) -> None:
        """Once both are on record, in whatever order they came."""
        if row.sealed_on is not None and row.decided_on is not None:
            days = (row.decided_on - row.sealed_on).days
            behind = [position for position in (row.sealed_position, row.decided_position) if position is not None]
            self._measure(one, "seal_first", days, row.matter, *behind, stream=row.stream, by=row.sealed_by)

    def _dated(self, one: Recorded, on: date, matter: str | None = None) -> None:
        """Dated long before it was handed in, or handed in long before it was recorded."""
        handed_in = local_date(one.event.meta.occurred_at)
        self._measure(one, "backdated", (handed_in - on).days, matter)
        self._measure(one, "late", (local_date(one.recorded_at) - handed_in).days, matter)

    def _measure(
        self,
        one: Recorded,
        signal: Signal,
        measured: int,
        matter: str | None,
        *behind: int | None,
        stream: str | None = None,
        by: str | None = None,
    ) -> None:
        threshold = self._threshold(signal, local_date(one.event.meta.occurred_at))
        if exceeds(signal, measured, threshold) and measured >= 0:
            positions = sorted({one.position, *(position for position in behind if position is not None)})
            self._signal(one, signal, measured, threshold, positions, matter, stream=stream, by=by)

    def _count(self, one: Recorded, signal: Signal, matter: str | None, **said: str) -> None:
        """Counts within the period before the latest; a signal begins the count anew."""
        key = _counted(one.event, said.get("party"))
        if key is None:
            return
        threshold = self._threshold(signal, local_date(one.event.meta.occurred_at))
        period = timedelta(seconds=threshold.period or 0) if signal == "burst" else timedelta(threshold.period or 0)
        row = self._counts.rows.setdefault(key, Count(*key, department=one.event.meta.department or ""))
        marks = sorted([*row.marks, [int(one.event.meta.occurred_at.timestamp()), one.position]])
        row.marks = [mark for mark in marks if mark[0] > marks[-1][0] - period.total_seconds()]
        if len(row.marks) >= threshold.value:
            positions = sorted(mark[1] for mark in row.marks)
            self._signal(one, signal, len(row.marks), threshold, positions, matter, **said)
            row.marks = []

    def _signal(
        self,
        one: Recorded,
        signal: Signal,
        measured: int,
        threshold: Threshold,
        positions: list[int],
        matter: str | None,
        *,
        stream: str | None = None,
        by: str | None = None,
        party: str | None = None,
        rule: str | None = None,
    ) -> None:
        meta = one.event.meta
        self.found.append(
            Risk(
                position=one.position,
                signal=signal,
                department=by or meta.department or "",
                about=stream or one.event.originator_id,
                matter=matter,
                officer=meta.officer.id if meta.officer else None,
                officer_name=meta.officer.name if meta.officer else None,
                party=party,
                rule=rule,
                measured=measured,
                threshold=threshold.value,
                period=threshold.period,
                positions=positions,
                occurred_at=meta.occurred_at,
                recorded_at=one.recorded_at,
            )
        )


def _case(event: Event) -> str | None:
    match event:
        case CaseAccepted() | CaseDecided():
            return event.originator_id
        case SealApplied() | TaskCompleted():
            return event.case
    return None


def _standing_failures(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those after which the same work has not passed; that another party passed in the same task says nothing of it."""

    def undoes(other: dict[str, Any], one: dict[str, Any]) -> bool:
        again = other["task"] != one["task"] or other["department"] == one["department"]
        passed = (other["work"], other["result"]) == (one["work"], "passed")
        return bool(passed and again and other["ended"] >= one["ended"])

    failed = [one for one in results if one["result"] == "failed"]
    return [one for one in failed if not any(undoes(other, one) for other in results)]


def _counted(event: Event, party: str | None) -> tuple[str, str] | None:
    """(signal, what is counted together)."""
    meta = event.meta
    match event:
        case CaseDecided() if party is not None and meta.officer is not None:
            return "same_party", f"{meta.department}/{meta.officer.id}/{party}"
        case NoticeReceived() if event.letter is not None:
            return "slip", meta.fact
        case NoticeReceived() if meta.officer is not None:
            return "burst", f"{meta.department}/{meta.officer.id}"
        case AttemptRefused():
            return "attempts", f"{meta.department or ''}/{event.rule}"
    return None


def _working(on: date) -> bool:
    """Of a year whose calendar is not known no day is called a day off."""
    try:
        return is_working_day(on)
    except CalendarUnknown:
        return True


def find_risks(
    conn: Connection[Any],
    *,
    signal: str | None = None,
    department: str | None = None,
    officer: str | None = None,
    since: datetime | None = None,
    known_at: datetime | None = None,
    limit: int = 50,
) -> Page:
    """Signals, the latest recorded first; `since` is when the fact occurred."""
    conditions = _conditions(signal, department, officer, since, known_at)
    return page(conn, "read.risks", conditions, "position DESC, signal", limit)


RISKS_KEY = ("position", "signal")


def risks_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    signal: str | None,
    department: str | None,
    officer: str | None,
    since: datetime | None,
    known_at: datetime | None,
) -> Slice:
    """As `find_risks`, after a key."""
    conditions = _conditions(signal, department, officer, since, known_at)
    return slice_after(conn, "read.risks", conditions, RISKS_KEY, after, limit)


def _conditions(
    signal: str | None, department: str | None, officer: str | None, since: datetime | None, known_at: datetime | None
) -> dict[str, Any]:
    return {
        "signal = %s": signal,
        "department = %s": department,
        "officer = %s": officer,
        "occurred_at >= %s": since,
        "recorded_at <= %s": known_at,
    }
