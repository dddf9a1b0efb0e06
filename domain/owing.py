"""Which notices a fact owes: the pure heart of 信息双向告知, recomputed by `verify`."""

from __future__ import annotations

from typing import NamedTuple

from domain.cases import AudienceEvent, CaseCorrected, CaseDecided
from domain.circulars import CircularKind, CircularSent, CircularWithdrawn, InvitationAnswered
from domain.clock_state import ClockEscalated, ClockReminded
from domain.consultations import (
    ConsultationAnswered,
    ConsultationAsked,
    ConsultationAskedAgain,
    ConsultationClosed,
)
from domain.event import Event
from domain.notices import About, NoticePassed, Owed, SupervisionMoved, SupervisorJoined
from domain.ratings import BAD, RatingAppealDecided, RatingRecorded
from domain.registers import Registers
from domain.reviews import ReviewReturned, ReviewSubmitted
from domain.submissions import local_date
from domain.supervision import FeedbackClosed, FeedbackDisposed, FeedbackRaised, FeedbackReplied
from domain.tasks import TaskCompleted, TaskDropped, TaskOpened

OWING: tuple[type[Event], ...] = (
    *AudienceEvent.__subclasses__(),
    CaseDecided,
    CaseCorrected,
    SupervisionMoved,
    NoticePassed,
    SupervisorJoined,
    TaskOpened,
    TaskCompleted,
    TaskDropped,
    FeedbackRaised,
    FeedbackDisposed,
    FeedbackReplied,
    FeedbackClosed,
    RatingRecorded,
    RatingAppealDecided,
    ReviewSubmitted,
    ReviewReturned,
    ClockReminded,
    ClockEscalated,
    CircularSent,
    InvitationAnswered,
    CircularWithdrawn,
    ConsultationAsked,
    ConsultationAnswered,
    ConsultationAskedAgain,
    ConsultationClosed,
)
"""The facts that may owe notices."""
_CIRCULARS: dict[CircularKind, About] = {
    "policy": "circular",
    "meeting": "invitation",
    "training": "invitation",
    "guidance": "guidance",
}
_CONSULTATIONS: dict[type[Event], About] = {
    ConsultationAsked: "consultation",
    ConsultationAskedAgain: "consultation_again",
    ConsultationClosed: "consultation_closed",
}
_TOPICS = frozenset(kind.TOPIC for kind in OWING)  # most facts owe none, and their classes need not be compared


def notice_id(addressee: str, event: Event) -> str:
    """`<addressee>/<source>/<submission id>`."""
    return f"{addressee}/{event.meta.fact}"


def owed(event: Event, registers: Registers) -> list[Owed]:
    """The notices owed by the recording of `event`, once per addressee; empty for facts that owe none."""
    if event.TOPIC not in _TOPICS:
        return []
    about: About
    match event:
        case CaseDecided():
            if event.basis == "legacy":
                return []
            if not registers.matters[event.matter].entry.tells(event.outcome, event.manner):
                return []
            told_on = local_date(event.meta.occurred_at)
            supervisors = registers.supervisors(event.matter, event.decided_on, told_on)
            return [_owed(event, s.department, "decision", event.matter) for s in supervisors]
        case CaseCorrected():
            return [
                _owed(
                    event,
                    holder.department,
                    "correction",
                    event.matter,
                    origin=holder.notice,
                    root="decision",
                    returns=holder.returns,
                    ruled=holder.ruled,
                )
                for holder in event.holders
            ] + [
                *(_owed(event, joining, "correction", event.matter, root="decision") for joining in event.joining),
                *(_owed(event, one.department, "correction", event.matter, origin=one.notice) for one in event.leaving),
            ]
        case AudienceEvent():
            return [_owed(event, department, event.about, event.matter) for department in event.audience]
        case SupervisionMoved():
            return [
                _owed(
                    event,
                    event.to,
                    event.about,
                    event.matter,
                    origin=event.origin,
                    root=event.root,
                    returns=event.returns,
                    ruled=event.about == "ruling",
                )
            ]
        case NoticePassed():
            if event.joins is not None:
                return []
            return [
                _owed(
                    event,
                    event.to,
                    "duty_dispute" if event.disputed else "succession",  # a dispute is still to be ruled on
                    event.matter,
                    case=event.originator_id if event.originator_id.startswith("case/") else "",
                    origin=event.origin,
                    root=event.root,
                    returns=event.returns,
                    ruled=event.ruled,
                )
            ]
        case SupervisorJoined():
            return [_owed(event, event.department, "backfill", event.matter, root="decision")]
        case FeedbackRaised():
            if event.organ == event.department:
                return []
            return [_owed(event, event.organ, "feedback", event.matter, case=event.case)]
        case FeedbackDisposed():
            if event.organ == event.department:
                return []
            return [_owed(event, event.department, "disposition", event.matter, case=event.case)]
        case TaskOpened():
            asked = [party for party in event.parties if party != event.organ]
            return [_owed(event, party, "task", event.matter, case=event.case) for party in asked]
        case TaskDropped():
            asked = [party for party in event.parties if party != event.organ]
            return [_owed(event, party, "task_dropped", event.matter, case=event.case) for party in asked]
        case TaskCompleted():
            if event.organ == event.department:
                return []
            return [_owed(event, event.organ, "task_result", event.matter, case=event.case)]
        case FeedbackReplied() | FeedbackClosed():
            if event.organ == event.department:
                return []
            about = "feedback_reply" if isinstance(event, FeedbackReplied) else "feedback_closed"
            return [_owed(event, event.organ, about, event.matter, case=event.case)]
        case RatingRecorded() | RatingAppealDecided():
            if isinstance(event, RatingRecorded) and event.level > BAD:
                return []
            rated = registers.acting(event.organ, local_date(event.meta.occurred_at), event.matter)
            about = "rating" if isinstance(event, RatingRecorded) else "rating_appeal"
            return [_owed(event, rated, about, event.matter, case=event.case)]
        case ClockReminded():
            return [_owed(event, one, "reminder", event.matter, case=event.case) for one in event.holders]
        case ClockEscalated():
            told = dict.fromkeys((event.to, *event.holders))
            return [_owed(event, one, "escalation", event.matter, case=event.case) for one in told]
        case ReviewSubmitted():
            return [_owed(event, event.to, "review", event.matter, case=event.case)]
        case ReviewReturned():
            return [_owed(event, event.department, "review_result", event.matter, case=event.case)]
        case CircularSent():
            return [_owed(event, one, _CIRCULARS[event.kind], "", case="") for one in event.addressees]
        case InvitationAnswered():
            if event.to == event.department:
                return []
            return [_owed(event, event.to, "invitation_answer", "", case="")]
        case CircularWithdrawn():
            return [_owed(event, one, "circular_withdrawn", "", case="") for one in event.audience]
        case ConsultationAnswered():
            if event.to == event.department:
                return []
            return [_owed(event, event.department, "consultation_answer", event.matter, case=event.case)]
        case ConsultationAsked() | ConsultationAskedAgain() | ConsultationClosed():
            if event.to == event.department:
                return []
            return [_owed(event, event.to, _CONSULTATIONS[type(event)], event.matter, case=event.case)]
        case _:
            return []


class Closed(NamedTuple):
    """A notice that another, owed long since, takes the place of."""

    notice: str
    to: str
    reason: About


def closed(event: Event) -> Closed | None:
    """What the event closes beside the notices that those it owes replace."""
    if isinstance(event, NoticePassed) and event.joins is not None:
        return Closed(event.origin, event.joins, "succession")
    return None


def _owed(
    event: Event,
    addressee: str,
    about: About,
    matter: str,
    *,
    case: str | None = None,
    origin: str | None = None,
    root: About | None = None,
    returns: int = 0,
    ruled: bool = False,
) -> Owed:
    return Owed(
        id=notice_id(addressee, event),
        addressee=addressee,
        about=about,
        root=root or about,
        case=event.originator_id if case is None else case,
        matter=matter,
        owing_stream=event.originator_id,
        owing_version=event.originator_version,
        origin=origin,
        returns=returns,
        ruled=ruled,
    )
