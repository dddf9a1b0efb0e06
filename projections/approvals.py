"""The approval register: who approved what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row

from domain.case_state import ENDINGS
from domain.cases import (
    AnewBegun,
    AudienceEvent,
    CaseAccepted,
    CaseCorrected,
    CaseDecided,
    CaseExpired,
    CaseExtended,
    CasePenalised,
    CaseRemedied,
    LicenceIssued,
    PenaltyLifted,
)
from domain.event import Event, Recorded
from domain.identifiers import normalise_uscc
from domain.matters import MatterRegistered
from domain.seals import SealApplied
from projections.page import Page, Slice, page, slice_after
from projections.projection import Projection, topics_of
from projections.table import Fold, Json, Table
from projections.two_way import SINCE_KNOWN, of_party


@dataclass(slots=True)
class Approval:
    """A row; the columns are explained in approvals.sql."""

    stream: str
    organ: str
    number: str
    department: str
    matter: str
    matter_name: str
    party_kind: str
    party_name: Json
    uscc: str | None
    uscc_valid: bool | None
    accepted_on: date
    recorded_at: datetime
    last_position: int
    status: str = "accepted"
    ended_by: str | None = None
    outcome: str | None = None
    document_number: str | None = None
    decided_on: date | None = None
    decided_by: str | None = None
    officer: str | None = None
    officer_name: Json | None = None
    power_since: date | None = None
    power_basis: str | None = None
    legacy: bool = False
    decision_recorded_at: datetime | None = None
    decision_position: int | None = None
    licence_number: Json | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    certificate: str | None = None
    electronic_id: str | None = None
    ended_on: date | None = None
    penalised_on: date | None = None
    suspensions: Json | None = None
    terms: Json | None = None
    routed: bool = False
    anew: bool = False
    seals: int = 0
    manner: str | None = None
    window: str | None = None
    outside_window: bool = False
    decide_by: date | None = None
    expired_on: date | None = None
    last_change: str | None = None
    last_change_on: date | None = None


@dataclass(slots=True)
class MatterName:
    matter: str
    department: str
    name: str


Named = Callable[[str, int], str]
"""A matter's name as it was at a position of the log."""
APPROVALS = Table("approvals", Approval)
MATTERS = Table("approval_matters", MatterName)


class Approvals(Projection):
    name = "approvals"
    tables = ("approvals", "approval_matters")
    topics = topics_of("case.", SealApplied.TOPIC, MatterRegistered.TOPIC)

    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        streams, matters = set(), set()
        for one in events:
            match one.event:
                case SealApplied(case=case):
                    streams.add((case,))
                case MatterRegistered(entry=entry):
                    matters.add((entry.code,))
                case (
                    CaseAccepted(originator_id=stream, matter=matter)
                    | CaseCorrected(originator_id=stream, matter=matter)
                ):
                    streams.add((stream,))
                    matters.add((matter,))
                case Event(originator_id=stream) if stream.startswith("case/"):
                    streams.add((stream,))
        names = Fold(conn, MATTERS, matters)
        cases = Fold(conn, APPROVALS, streams)

        def named(matter: str, _position: int) -> str:
            known = names.rows.get((matter,))
            return known.name if known else matter

        for one in events:
            event = one.event
            if isinstance(event, MatterRegistered):
                entry = event.entry
                names.rows[entry.code,] = MatterName(entry.code, entry.competent, entry.name)
            elif (touched := _case_of(event)) is not None:
                cases.rows[touched,] = _folded(cases.rows.get((touched,)), one, named)
        names.save(bulk)
        cases.save(bulk)


def _case_of(event: Event) -> str | None:
    if isinstance(event, SealApplied):
        return event.case
    return event.originator_id if event.originator_id.startswith("case/") else None


def _folded(row: Approval | None, one: Recorded, named: Named) -> Approval:
    event = one.event
    if isinstance(event, CaseAccepted):
        return _accepted(one, event, named(event.matter, one.position))
    if row is None:
        raise KeyError(_case_of(event))
    if isinstance(event, SealApplied):
        row.seals += 1
        row.last_position = one.position
    elif isinstance(event, AnewBegun):
        row.anew = False
    else:
        _follow(row, one)
        if isinstance(event, CaseCorrected) and event.target == "matter":
            row.matter_name = named(event.matter, one.position)
    return row


def approval_then(events: Iterable[Recorded], named: Named) -> dict[str, Any] | None:
    """The row of a case as some of its events make it, in log order; others are passed over. None: it was not yet
    accepted by them."""
    row: Approval | None = None
    for one in events:
        if _case_of(one.event) is not None and (row is not None or isinstance(one.event, CaseAccepted)):
            row = _folded(row, one, named)
    return None if row is None else {field.name: getattr(row, field.name) for field in fields(row)}


def _accepted(one: Recorded, event: CaseAccepted, matter_name: str) -> Approval:
    party = event.party
    return Approval(
        stream=event.originator_id,
        organ=event.organ,
        number=event.number,
        department=event.organ,
        matter=event.matter,
        matter_name=matter_name,
        party_kind=party.kind,
        party_name=party.name,
        uscc=party.uscc,
        uscc_valid=normalise_uscc(party.uscc).valid if party.uscc else None,
        accepted_on=event.accepted_on,
        recorded_at=one.recorded_at,
        last_position=one.position,
        decide_by=event.due.on if event.due else None,
    )


def _follow(row: Approval, one: Recorded) -> None:
    event = one.event
    row.last_position = one.position
    match event:
        case CaseDecided():
            _decided(row, one, event)
        case LicenceIssued():
            row.licence_number = event.licence_number
            row.certificate, row.electronic_id = event.certificate, event.electronic_id
            _changed(row, event.TOPIC, event.issued_on)
        case CaseCorrected():
            dated = event.target not in ("document_number", "matter")
            setattr(row, event.target, date.fromisoformat(event.new) if dated else event.new)
            _corrected(row, event)
            _changed(row, event.TOPIC, event.on)
        case AudienceEvent():
            if isinstance(event, CaseExtended):
                _extended(row, event)
            elif type(event) in ENDINGS:
                _ended(row, ENDINGS[type(event)], event.on)
            elif isinstance(event, CaseExpired):
                row.expired_on = event.on
            elif isinstance(event, CasePenalised):
                _penalised(row, event)
            elif isinstance(event, PenaltyLifted):
                _lift(row, event.penalty, event.on)
            elif isinstance(event, CaseRemedied):
                _remedied(row, event)
            _changed(row, event.TOPIC, event.on)


def _decided(row: Approval, one: Recorded, event: CaseDecided) -> None:
    row.status = row.outcome = event.outcome
    row.document_number = event.document_number
    row.decided_on = event.decided_on
    row.decided_by = event.meta.department
    if event.meta.officer is not None:
        row.officer, row.officer_name = event.meta.officer.id, event.meta.officer.name
    row.power_since, row.power_basis = event.power_since, event.power_basis
    row.legacy = event.basis == "legacy"
    row.decision_recorded_at, row.decision_position = one.recorded_at, one.position
    row.valid_from, row.valid_to = event.valid_from, event.valid_to
    row.routed = bool(event.supervisors)
    row.manner, row.window, row.outside_window = event.manner, event.window, event.outside_window


def _extended(row: Approval, event: CaseExtended) -> None:
    """A permit that was never extended has one term, which is in the row itself."""
    terms = row.terms or [_term(row.decided_on, row.valid_to)]
    row.terms = [*terms, _term(event.on, event.valid_to)]
    row.valid_to = event.valid_to


def _term(since: date | None, until: date | None) -> dict[str, str | None]:
    return {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}


def _corrected(row: Approval, event: CaseCorrected) -> None:
    row.routed = row.routed or bool(event.joining)
    if event.target in ("decided_on", "matter"):
        row.power_since, row.power_basis = event.power_since, event.power_basis
    if row.terms is not None and event.target == "valid_to":
        row.terms = [*row.terms[:-1], row.terms[-1] | {"until": event.new}]
    elif row.terms is not None and event.target == "decided_on":
        row.terms = [row.terms[0] | {"since": event.new}, *row.terms[1:]]


def _ended(row: Approval, by: str, on: date) -> None:
    row.status, row.ended_by, row.ended_on = "ended", by, on


def _penalised(row: Approval, event: CasePenalised) -> None:
    if event.measure == "permit_revocation":
        row.status, row.penalised_on = "penalised", event.on
    else:
        _suspend(row, event.penalty, event.on, event.until)


def _remedied(row: Approval, event: CaseRemedied) -> None:
    if event.outcome == "stop_execution":
        _suspend(row, "", event.on, None)
        return
    _lift(row, "", event.on)
    if event.outcome in ("annulled", "anew"):
        row.anew = event.outcome == "anew"
        if row.status != "ended":
            _ended(row, "annulled", event.on)


def _suspend(row: Approval, by: str, since: date, until: date | None) -> None:
    one = {"by": by, **_term(since, until), "lifted": False}
    row.suspensions = [*(row.suspensions or []), one]


def _lift(row: Approval, by: str, on: date) -> None:
    """The day on which it is lifted is none of it; what was lifted already stays as it is."""
    last = (on - timedelta(days=1)).isoformat()
    for one in row.suspensions or []:
        if one["by"] == by and not one["lifted"]:
            one |= {"until": min(one["until"] or last, last), "lifted": True}


def _changed(row: Approval, kind: str, on: date) -> None:
    row.last_change, row.last_change_on = kind, on


class Flags(NamedTuple):
    """Only those that are `unsealed`: granted without a seal, stock from before the system left out; `undecided`:
    sealed without a decision (2.7e); decided `outside_window`: elsewhere than in an authorised one (3.2c); `anew`: to
    be decided anew by order, and not yet accepted again."""

    unsealed: bool = False
    undecided: bool = False
    outside_window: bool = False
    anew: bool = False


def find_approvals(
    conn: Connection[Any],
    *,
    department: str | None = None,
    matter: str | None = None,
    since: date | None = None,
    number: str | None = None,
    flags: Flags | None = None,
    limit: int = 50,
) -> Page:
    """Cases, the latest decided first; `since` is a date of decision."""
    flags = flags or Flags()
    conditions = {
        "department = %s": department,
        "matter = %s": matter,
        "decided_on >= %s": since,
        "number = %s": number,
        "outcome = 'granted' AND seals = 0 AND NOT legacy": flags.unsealed or None,
        "outcome IS NULL AND seals > 0": flags.undecided or None,
        "outside_window": flags.outside_window or None,
        "anew": flags.anew or None,
    }
    return page(conn, "read.approvals", conditions, "decided_on DESC NULLS FIRST, last_position DESC", limit)


def approvals_slice(
    conn: Connection[Any],
    after: Sequence[Any] | None,
    limit: int,
    *,
    party: str | None = None,
    stream: str | None = None,
    organ: str | None = None,
    number: str | None = None,
    uscc: str | None = None,
    matter: str | None = None,
    status: str | None = None,
    officer: str | None = None,
    since: date | None = None,
    known_at: datetime | None = None,
) -> Slice:
    """Cases from the last accepted on, by `recorded_at`; a `party`'s from the one that it heard of last on, by `since`.

    `known_at`: those that there were by a moment, and of which the party had heard by then.
    """
    conditions = {
        "stream = %s": stream,
        "department = %s": organ,
        "number = %s": number,
        "uscc = %s": uscc,
        "matter = %s": matter,
        "status = %s": status,
        "officer = %s": officer,
        "decided_on >= %s": since,
        "recorded_at <= %s": known_at,
    }
    if party is None:
        return slice_after(conn, "read.approvals", conditions, ["recorded_at"], after, limit)
    conditions |= {"party = %s": party, SINCE_KNOWN.format("stream"): known_at}
    return slice_after(conn, of_party("approvals", "stream"), conditions, ["since"], after, limit)


def decided_since(conn: Connection[Any], matters: Sequence[str], since: date) -> list[dict[str, Any]]:
    """What was decided in these matters from a day on, in the order of the days."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT organ, number, matter, document_number, decided_on, decided_by, outcome FROM read.approvals"
            " WHERE matter = ANY(%s) AND decided_on >= %s ORDER BY decided_on, stream",
            (list(matters), since),
        ).fetchall()


def granted_after(
    conn: Connection[Any], matter: str, since: date, after: tuple[date, str] | None, limit: int
) -> list[tuple[date, str]]:
    """(day of decision, case) of a matter's permits decided from a day on, in that order, after one of them."""
    rows = conn.execute(
        "SELECT decided_on, stream FROM read.approvals WHERE matter = %s AND status = 'granted' AND decided_on >= %s"
        " AND (decided_on, stream) > (%s, %s) ORDER BY decided_on, stream LIMIT %s",
        (matter, since, *(after or (date.min, "")), limit),
    )
    return [(row[0], row[1]) for row in rows]


def undecided_after(conn: Connection[Any], today: date, promised: Sequence[str], after: str, limit: int) -> list[str]:
    """Cases that were to be decided by today or before, but for what stood still, by name, after one of them; and of
    the matters of which something is promised those of which nobody knew then by which day."""
    rows = conn.execute(
        "SELECT stream FROM read.approvals WHERE outcome IS NULL"
        " AND (decide_by <= %s OR (decide_by IS NULL AND matter = ANY(%s))) AND stream > %s ORDER BY stream LIMIT %s",
        (today, list(promised), after, limit),
    )
    return [row[0] for row in rows]


def expiring_after(conn: Connection[Any], today: date, after: str, limit: int) -> list[str]:
    """Permits whose last day has gone by and was not told, by name, after one of them; what had ended before it was on
    record is not told."""
    rows = conn.execute(
        "SELECT stream FROM read.approvals WHERE status = 'granted' AND valid_to < %s"
        " AND expired_on IS DISTINCT FROM valid_to"
        " AND valid_to >= (decision_recorded_at AT TIME ZONE 'Asia/Shanghai')::date"
        " AND stream > %s ORDER BY stream LIMIT %s",
        (today, after, limit),
    )
    return [row[0] for row in rows]
