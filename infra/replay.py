"""What the events of a case come to: its state, its notices and feedback, as known and as true at any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from domain.case_state import CaseState
from domain.cases import case_stream
from domain.event import Recorded, State
from domain.licences import licence_status, true_at
from domain.notices import NoticeOwed, NoticeState, notice_stream
from domain.submissions import local_date
from domain.supervision import FeedbackState
from domain.world import blank


class Replayed(NamedTuple):
    """`events`: what was true by then; `rows`: they, for people. Notices and feedback are made when they are asked for:
    there may be thousands."""

    events: list[Recorded]
    state: dict[str, Any]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [_event(one) for one in self.events]

    @property
    def notices(self) -> list[dict[str, Any]]:
        return [_notice(state) for state in fold(self.events).values() if isinstance(state, NoticeState)]

    @property
    def feedback(self) -> list[dict[str, Any]]:
        states = fold(self.events).values()
        return [_feedback(state) for state in states if isinstance(state, FeedbackState) and state.raised]


def replay_case(events: Sequence[Recorded], organ: str, number: str, on: date | None) -> Replayed | None:
    """By the events about a case that were known; as true at the end of a day, or by all that they say. None: there
    was no such case."""
    held = true_at(events, on) if on else list(events)
    stream, sealing = case_stream(organ, number), f"seal/{organ}/{number}"
    states = fold(one for one in held if one.event.originator_id in (stream, sealing))
    case, seals = states.get(stream), states.get(sealing)
    if not isinstance(case, CaseState):
        return None
    return Replayed(held, _state(case, seals.version if seals else 0, on or local_date(datetime.now(UTC))))


def _state(case: CaseState, seals: int, on: date) -> dict[str, Any]:
    return {
        "status": case.status,
        "licence": licence_status(case, on),
        "matter": case.matter,
        "accepted_on": case.accepted_on,
        **{key: case.decision.get(key) for key in ("document_number", "decided_on", "valid_from", "valid_to")},
        "licence_number": case.licence_number,
        "seals": seals,
        "told": case.told,
    }


def fold(events: Iterable[Recorded]) -> dict[str, State]:
    """By stream; what a notice was owed for belongs to its own stream, not to the ledger."""
    states: dict[str, State] = {}
    for one in events:
        event = one.event
        stream = notice_stream(event.notice) if isinstance(event, NoticeOwed) else event.originator_id
        states[stream] = states.get(stream, blank(stream)).evolve(event)
    return states


def _event(one: Recorded) -> dict[str, Any]:
    event, meta = one.event, one.event.meta
    return {
        "position": one.position,
        "recorded_at": one.recorded_at,
        "occurred_at": meta.occurred_at,
        "effective_on": event.effective_on,
        "kind": event.TOPIC,
        "department": meta.department,
        "officer": meta.officer.id if meta.officer else None,
        "stream": event.originator_id,
        "version": event.originator_version,
        "principal": meta.principal,
        "auth": meta.auth,
        "fact": meta.fact,
        "summary": event.model_dump(mode="json", exclude={"originator_id", "originator_version", "meta"}),
    }


def _notice(state: NoticeState) -> dict[str, Any]:
    owed = state.owed
    assert owed is not None
    return {
        "notice": owed.notice,
        "addressee": owed.addressee,
        "serial": owed.serial,
        "about": owed.about,
        "root": owed.root,
        "origin": owed.origin,
        "status": "moved" if state.moved else "received" if state.received else "outstanding",
        "dispatched": sorted(state.dispatched),
        "delivered": sorted(state.delivered),
        "received": state.received,
        "taken": state.taken,
    }


def _feedback(state: FeedbackState) -> dict[str, Any]:
    raised = state.raised
    assert raised is not None
    return {
        "stream": state.stream,
        "department": raised.department,
        "number": raised.number,
        "suggestion": raised.suggestion,
        "status": state.status,
    }
