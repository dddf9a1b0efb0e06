"""Of which type the submission was that made a fact, as its first event tells."""

from __future__ import annotations

from domain.attempts import AttemptRefused
from domain.event import Event
from domain.notices import NoticeReceived
from domain.registering import EntryRegistered, EntryStruck

_MADE = """
    blanks.assist         blanks.assisted
    blanks.print          blanks.printed
    blanks.receive        blanks.received
    blanks.request        blanks.requested
    blanks.use            blanks.used
    case.accept           case.accepted
    case.cancel           case.cancelled
    case.change           case.changed
    case.correct          case.corrected
    case.decide           case.decided
    case.extend           case.extended
    case.issue_licence    case.licence_issued
    case.revoke           case.revoked
    case.withdraw         case.withdrawn
    circular.answer       circular.answered
    circular.send         circular.sent
    circular.withdraw     circular.withdrawn
    clock.extend          clock.extended
    clock.resume          clock.resumed
    clock.suspend         clock.suspended
    consultation.answer   consultation.answered
    consultation.ask      consultation.asked
    consultation.ask_again  consultation.asked_again
    consultation.close    consultation.closed
    count.declare         count.declared
    deadletter.retry      deadletter.retried
    department.register   department.registered
    department.succeed    department.succeeded
    duty.rule             case.supervision_moved
    feedback.close        feedback.closed
    feedback.dispose      feedback.disposed
    feedback.raise        feedback.raised
    feedback.reply        feedback.replied
    handover.draw         handover.drawn
    handover.sign         handover.signed
    inspection.correct    inspection.corrected
    inspection.report     inspection.reported
    inspection.retract    inspection.retracted
    letter.issue          letter.issued
    liaison.register      liaison.registered
    mapping.register      mapping.registered
    matter.register       matter.registered
    matter.return         matter.returned
    matter.route          matter.routed
    matter.transfer       matter.transferred
    notice.receive        notice.received
    notice.return         notice.returned
    notice.take           notice.taken
    opinion.issue         opinion.issued
    penalty.impose        case.penalised
    penalty.lift          case.penalty_lifted
    permit.report         case.accepted
    principal.register    principal.registered
    rating.appeal         rating.appealed
    rating.contact        rating.contacted
    rating.decide_appeal  rating.appeal_decided
    rating.record         rating.recorded
    rating.rectify        rating.rectified
    rating.revisit        rating.revisited
    register.enter        register.entered
    register.strike       register.struck
    remedy.record         case.remedied
    review.return         review.returned
    review.submit         review.submitted
    seal.apply            seal.applied
    subscription.start    subscription.started
    task.complete         task.completed
    task.drop             task.dropped
    task.open             task.opened
"""
_TYPES: dict[str, tuple[str, ...]] = {}
for _type, _topic in (line.split() for line in _MADE.strip().splitlines()):
    _TYPES[_topic] = (*_TYPES.get(_topic, ()), _type)


def types_of(first: Event) -> tuple[str, ...]:
    """The types of which a submission may have been whose first event this is: two of `case.accepted`, which what
    follows it tells apart; none where no type makes it."""
    match first:
        case AttemptRefused(type=type_):
            return (type_,)
        case NoticeReceived(letter=str()):
            return ("letter.receive",)
        case EntryRegistered(entry=entry) if entry.kind == "public_key":
            return ("key.register",)
        case EntryStruck(kind="public_key"):
            return ("key.strike",)
    return _TYPES.get(first.TOPIC, ())
