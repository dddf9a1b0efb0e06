"""Who may bring about which fact: the table of the domain notes §1, said once more for the tests.

A rule is asked with the books as they stood before the fact, and the fact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from domain.cases import CaseDecided
from domain.event import Event
from domain.public_records import CaseReported
from domain.submissions import local_date
from tests.unit.machine.books import Books, day_of
from tests.unit.machine.life import BEGINNING

Rule = Callable[[Books, Any], bool]
MAY: dict[str, Rule] = {}
"""By topic."""
SYSTEM_ONLY = frozenset(
    {
        "case.notice_passed", "case.supervisor_joined", "notice.dispatched", "notice.delivered",
        "notice.given_up",
        "intake.epoch_opened", "registers.followed", "succession.advanced", "subscription.backfilled",
        "read.recorded", "erasure.ordered",
        "calendar.adopted", "clock.reminded", "clock.escalated", "clock.recomputed", "notice.deemed", "case.expired",
    }
)  # fmt: skip
"""What Shenguan records of itself; a dispatch may be a letter's as well."""
FOUNDING = frozenset({"department.registered", "principal.registered"})
"""What it begins a store with, too."""
FOLLOWS = frozenset({"notice.owed", "notice.moved"})
"""Nobody's doing: what another fact owes."""
ANYBODY = frozenset({"attempt.refused"})
OPERATING = frozenset({"principal.registered", "deadletter.retried"})
OWN_AFFAIRS = frozenset({"count.declared", "liaison.registered"})
"""All that a platform may bring about for itself."""
PLATFORMS = frozenset({"rating.recorded", "rating.revisited", "rating.appeal_decided"})
"""What it brings about for those for whom its principal may act."""


def may(*topics: str) -> Callable[[Rule], Rule]:
    def put(rule: Rule) -> Rule:
        for topic in topics:
            assert MAY.setdefault(topic, rule) is rule, topic
        return rule

    return put


def overstepped(books: Books, event: Event, together: Sequence[Event]) -> bool:
    """Whether it was brought about by who may not; `together` is all that its submission did."""
    return not _allowed(books, event, together)


def _allowed(books: Books, event: Event, together: Sequence[Event]) -> bool:
    if event.TOPIC in FOLLOWS:
        return True
    if event.meta.auth == "system":
        return event.TOPIC in SYSTEM_ONLY | ANYBODY or (event.TOPIC in FOUNDING and event.meta.id.startswith("found."))
    if event.TOPIC in SYSTEM_ONLY and event.TOPIC not in MAY:
        return False
    if event.TOPIC in ANYBODY:
        return True
    return _speaks_for(books, event, together) and MAY[event.TOPIC](books, event)


def _speaks_for(books: Books, event: Event, together: Sequence[Event]) -> bool:
    """The principal may act for the department, and that may still act at all."""
    principal, department = books.principals[event.meta.principal], event.meta.department
    assert department is not None
    if _operating(event) or principal.operator:
        return _operating(event) and principal.operator
    # A 双公示 row says of a decision what the organ did that day, whoever hands it in, and may come after its end.
    reported = any(isinstance(one, CaseReported) for one in together)
    acted_on = next((one.decided_on for one in together if reported and isinstance(one, CaseDecided)), day_of(event))
    if department not in principal.acts_for or books.ceased(department, acted_on):
        return False
    roles = _roles(books, event)
    return "DISCIPLINE" not in roles and ("PLATFORM" not in roles or event.TOPIC in OWN_AFFAIRS | PLATFORMS)


def _operating(event: Any) -> bool:
    kind = event.entry.kind if event.TOPIC == "register.entered" else getattr(event, "kind", None)
    return event.TOPIC in OPERATING or (event.TOPIC.startswith("register.") and kind == "public_key")


def _roles(books: Books, event: Event) -> set[str]:
    return set(books.departments[event.meta.department or ""].roles)


def _part(event: Event, number: int) -> str:
    return event.originator_id.split("/")[number]


# The approving side: whoever holds the power over the matter on that date.


def _holds_power(books: Books, event: Event, matter: str, on: date) -> bool:
    return books.holder(matter, on) == event.meta.department and bool(
        {"APPROVAL", "SUPERVISION"} & _roles(books, event)
    )


@may("case.accepted")
def _accepts(books: Books, event: Any) -> bool:
    return event.organ == event.meta.department and _holds_power(books, event, event.matter, event.accepted_on)


@may("case.decided")
def _decides(books: Books, event: Any) -> bool:
    """What was decided since the store began is no stock: else an approver could keep it from its supervisors."""
    stock = event.basis == "legacy" and event.decided_on >= BEGINNING.date()
    return not stock and _holds_power(books, event, event.matter, event.decided_on)


@may("case.changed", "case.extended", "case.withdrawn", "case.cancelled")
def _changes(books: Books, event: Any) -> bool:
    return _holds_power(books, event, event.matter, event.on)


@may("case.licence_issued")
def _issues(books: Books, event: Any) -> bool:
    return _holds_power(books, event, books.cases[event.originator_id].matter, event.issued_on)


@may("case.revoked")
def _revokes(books: Books, event: Any) -> bool:
    region, organ = books.departments[event.meta.department].region, books.departments[_part(event, 1)].region
    above = "HIGHER_AUTHORITY" in _roles(books, event) and organ[: len(region.rstrip("0"))] == region.rstrip("0")
    return above or _holds_power(books, event, event.matter, event.on)


@may("case.corrected")
def _corrects(books: Books, event: Any) -> bool:
    """By the holder; and what it comes to is a decision that who took it could have taken."""
    case = books.cases[event.originator_id]
    if not _holds_power(books, event, case.matter, event.on):
        return False
    if event.target not in ("matter", "decided_on"):
        return True
    assert case.decision is not None
    decided_on = date.fromisoformat(event.new) if event.target == "decided_on" else case.decided_on
    return books.holder(event.matter, decided_on) == case.decision.meta.department


@may("case.reported")
def _of_its_own_case(books: Books, event: Any) -> bool:
    return _part(event, 1) == event.meta.department


@may("case.anew_begun")
def _begins_anew(books: Books, event: Any) -> bool:
    """Of the same matter, over which it holds the power."""
    old, new = books.cases[event.originator_id], books.cases[event.anew]
    return old.matter == new.matter and new.organ == event.meta.department


@may("review.submitted")
def _submits(books: Books, event: Any) -> bool:
    return _holds_power(books, event, event.matter, day_of(event))


@may("task.opened")
def _asks(books: Books, event: Any) -> bool:
    return _holds_power(books, event, event.matter, event.opened_on)


@may("task.dropped")
def _drops(books: Books, event: Any) -> bool:
    return _holds_power(books, event, event.matter, event.on)


@may("task.completed")
def _completes(books: Books, event: Any) -> bool:
    mine = books.acting(event.department, day_of(event), event.matter) == event.meta.department
    return mine and event.department in books.tasks[event.case, event.task].parties


@may("seal.applied")
def _seals(books: Books, event: Any) -> bool:
    """The holder, or whom it delegated a seal of its own to; never the former competent department or a supervisor."""
    on, department = local_date(event.applied_at), event.meta.department
    holder, seal = books.holder(event.matter, on), books.seal(event.seal, on)
    owners = {books.acting(one, on, event.matter) for one in seal.owners} if seal is not None else set()
    if department == holder:
        return seal is None or holder in owners
    if department in books.supervisors(event.matter, on, on):
        return False
    former = department in (books.matters[event.matter].competent, books.competent(event.matter, on))
    if former and books.transfer(event.matter, on) is not None:
        return False
    delegates = {books.acting(one, on, event.matter) for one in seal.delegated_to} if seal is not None else set()
    return seal is not None and holder in owners and department in owners | delegates


@may("feedback.disposed")
def _disposes(books: Books, event: Any) -> bool:
    raised: Any = books.firsts[event.originator_id]
    return books.acting(raised.organ, day_of(event), raised.matter) == event.meta.department


def _rated(books: Books, event: Any) -> str:
    return books.acting(event.organ, day_of(event), event.matter)


def _platform_of(books: Books, event: Any) -> bool:
    """A platform whose principal may act for who was rated."""
    acts_for = set(books.principals[event.meta.principal].acts_for)
    return "PLATFORM" in _roles(books, event) and bool(acts_for & {event.organ, _rated(books, event)})


@may("rating.recorded")
def _rates(books: Books, event: Any) -> bool:
    return _platform_of(books, event)


@may("rating.contacted", "rating.rectified", "rating.appealed")
def _answers_for_itself(books: Books, event: Any) -> bool:
    return _rated(books, event) == event.meta.department


@may("rating.revisited")
def _asks_again(books: Books, event: Any) -> bool:
    return _platform_of(books, event) or _answers_for_itself(books, event)


@may("rating.appeal_decided")
def _judges_a_rating(books: Books, event: Any) -> bool:
    """Never who was rated; from above only over one's own region."""
    if event.meta.department in (event.organ, _rated(books, event)):
        return False
    region, rated = books.departments[event.meta.department].region, books.departments[event.organ].region
    within = rated[: len(region.rstrip("0"))] == region.rstrip("0")
    above = within and bool({"HIGHER_AUTHORITY", "REFORM_OFFICE"} & _roles(books, event))
    return _platform_of(books, event) or above


@may("blanks.requested", "blanks.printed")
def _orders_blanks(books: Books, event: Any) -> bool:
    return _part(event, 1) == event.meta.department and "APPROVAL" in _roles(books, event)


@may("blanks.received", "blanks.used")
def _has_blanks(books: Books, event: Any) -> bool:
    return _part(event, 1) == event.meta.department


# The supervising side: whoever holds the case's notices and does not approve; of what was not transferred its holder.


def _supervises(books: Books, event: Event, case_stream: str, on: date) -> bool:
    case, department = books.cases[case_stream], event.meta.department or ""
    assert case.decision is not None
    approver = books.acting(books.holder(case.matter, on), day_of(event), case.matter)
    if books.transfer(case.matter, on) is None:
        return approver == department and bool({"APPROVAL", "SUPERVISION"} & _roles(books, event))
    supervises = department in books.supervising(case, day_of(event)) and department != approver
    return supervises and "SUPERVISION" in _roles(books, event)


@may("case.penalised")
def _penalises(books: Books, event: Any) -> bool:
    return event.penalty.startswith(f"{event.meta.department}/") and _supervises(
        books, event, event.originator_id, event.on
    )


@may("case.penalty_lifted")
def _lifts(books: Books, event: Any) -> bool:
    return books.acting(event.penalty.split("/")[0], day_of(event), event.matter) == event.meta.department


@may("feedback.raised")
def _raises(books: Books, event: Any) -> bool:
    return event.department == event.meta.department and _supervises(books, event, event.case, event.found_on)


@may("feedback.replied", "feedback.closed")
def _goes_on(books: Books, event: Any) -> bool:
    raised: Any = books.firsts[event.originator_id]
    return books.acting(raised.department, day_of(event), raised.matter) == event.meta.department


@may("inspection.corrected", "inspection.retracted")
def _puts_right(books: Books, event: Any) -> bool:
    return books.acting(event.department, day_of(event), event.matter) == event.meta.department


@may("inspection.reported")
def _inspects(books: Books, event: Any) -> bool:
    return event.department == event.meta.department and _supervises(
        books, event, event.case, local_date(event.inspected_at)
    )


@may("notice.received")
def _receives(books: Books, event: Any) -> bool:
    """The addressee; on paper the letter's sender enters it, with the slip's signer."""
    notice = event.originator_id.removeprefix("notice/")
    if event.letter is None:
        return books.notices[notice].addressee == event.meta.department and event.signer is None
    letter = books.letters[event.letter]
    sender = books.acting(letter.organ, day_of(event), "")
    return sender == event.meta.department and notice in letter.notices and event.signer is not None


@may("letter.issued")
def _writes(books: Books, event: Any) -> bool:
    """An approver of its own cases, the reform office of anybody's, to others that are told by letter."""
    notices = [books.notices[one] for one in event.notices]
    organs = [one.case.split("/")[1] if one.case else one.meta.department for one in notices]
    on, mine = day_of(event), event.meta.department
    own = all(one and books.acting(one, on, notice.matter) == mine for one, notice in zip(organs, notices, strict=True))
    roles = _roles(books, event)
    told = {one.addressee for one in notices} == {event.addressee} and event.addressee != mine
    allowed = "REFORM_OFFICE" in roles or ("APPROVAL" in roles and own)
    return allowed and told and "letter" in books.departments[event.addressee].channels


@may("notice.dispatched")
def _carries(books: Books, event: Any) -> bool:
    """By a letter that has just been issued."""
    letter = books.letters.get(event.reference)
    notice = event.originator_id.removeprefix("notice/")
    return letter is not None and letter.meta.fact == event.meta.fact and notice in letter.notices


@may("notice.taken", "notice.returned")
def _takes(books: Books, event: Any) -> bool:
    notice = books.notices[event.originator_id.removeprefix("notice/")]
    on = day_of(event)
    transferred = books.transfer(notice.matter, on) is not None
    approves = transferred and books.holder(notice.matter, on) == event.meta.department
    supervises = event.TOPIC == "notice.returned" or notice.root != "decision" or not approves
    return notice.addressee == event.meta.department and "SUPERVISION" in _roles(books, event) and supervises


@may("case.supervision_moved")
def _moves(books: Books, event: Any) -> bool:
    role = "REFORM_OFFICE" if event.about == "ruling" else "SUPERVISION"
    ruled = event.about != "ruling" or event.origin in books.disputes
    addressee = books.notices[event.origin].addressee
    return ruled and addressee == event.from_ == event.meta.department and role in _roles(books, event)


@may("opinion.issued")
def _opines(books: Books, event: Any) -> bool:
    competent = books.competent(event.matter, event.issued_on) == event.meta.department
    return competent and "SUPERVISION" in _roles(books, event) and event.need in books.matters[event.matter].opinions


@may("subscription.started")
def _subscribes(books: Books, event: Any) -> bool:
    on = day_of(event)
    supervised = all(event.department in books.supervisors(matter, on, on) for matter in event.matters)
    return event.department == event.meta.department and supervised and "SUPERVISION" in _roles(books, event)


@may("blanks.assisted")
def _assists(books: Books, event: Any) -> bool:
    return "SUPERVISION" in _roles(books, event)


# Above, beside, and what the registers say.


@may("review.returned")
def _answers(books: Books, event: Any) -> bool:
    submitted: Any = books.firsts[event.originator_id]
    answers = books.acting(submitted.to, day_of(event), submitted.matter) == event.meta.department
    return answers and "HIGHER_AUTHORITY" in _roles(books, event)


@may("clock.extended", "clock.suspended", "clock.resumed")
def _stands_above(books: Books, event: Any) -> bool:
    """Above each of those who are to do it, and none of them."""
    region = books.departments[event.meta.department].region.rstrip("0")
    under = all(books.departments[one].region.startswith(region) for one in event.holders)
    above = bool({"REFORM_OFFICE", "HIGHER_AUTHORITY"} & _roles(books, event))
    return above and under and event.meta.department not in event.holders


@may("circular.sent")
def _tells(books: Books, event: Any) -> bool:
    """A higher authority those in its region; else a side the other, both of one region or one in the other's."""
    sender = books.departments[event.meta.department]
    for code in event.addressees:
        addressee = books.departments[code]
        below = addressee.region.startswith(sender.region.rstrip("0"))
        higher = below and "HIGHER_AUTHORITY" in sender.roles
        sides = {("APPROVAL", "SUPERVISION"), ("SUPERVISION", "APPROVAL")}
        facing = any((own, other) in sides for own in sender.roles for other in addressee.roles)
        lies = below or sender.region.startswith(addressee.region.rstrip("0"))
        if event.kind == "guidance" and not (higher and addressee.region != sender.region):
            return False
        if not higher and not (lies and (facing or code in event.copies)):
            return False
        if {"DISCIPLINE", "PLATFORM"} & set(addressee.roles) or books.ceased(code, day_of(event)):
            return False
    return event.department == event.meta.department and event.department not in event.addressees


@may("circular.answered")
def _comes(books: Books, event: Any) -> bool:
    sent: Any = books.firsts[event.originator_id]
    invited = {books.acting(one, day_of(event), "") for one in sent.addressees}
    return sent.meets_at is not None and event.department == event.meta.department and event.department in invited


@may("circular.withdrawn")
def _takes_back(books: Books, event: Any) -> bool:
    sent: Any = books.firsts[event.originator_id]
    return books.acting(sent.department, day_of(event), "") == event.meta.department


@may("consultation.asked")
def _consults(books: Books, event: Any) -> bool:
    """One of another level; about a case only those who approve, supervise, or stand above."""
    one, other = books.departments[event.department], books.departments[event.to]
    higher = ["HIGHER_AUTHORITY" in each.roles for each in (one, other)]
    regions = [each.region.rstrip("0") for each in (one, other)]
    lies = regions[0].startswith(regions[1]) or regions[1].startswith(regions[0])
    if event.department != event.meta.department or not lies or (regions[0] == regions[1] and higher[0] == higher[1]):
        return False
    if not event.case:
        return True
    case, on = books.cases[event.case], day_of(event)
    near = {case.organ, books.acting(case.organ, on, case.matter), books.holder(case.matter, on)}
    near |= books.supervising(case, on)
    return all(code in near or up for code, up in zip((event.department, event.to), higher, strict=True))


@may("consultation.answered")
def _replies(books: Books, event: Any) -> bool:
    asked: Any = books.firsts[event.originator_id]
    return books.acting(asked.to, day_of(event), asked.matter) == event.meta.department


@may("consultation.asked_again", "consultation.closed")
def _asks_on(books: Books, event: Any) -> bool:
    asked: Any = books.firsts[event.originator_id]
    return books.acting(asked.department, day_of(event), asked.matter) == event.meta.department


@may("case.remedied")
def _remedies(books: Books, event: Any) -> bool:
    return "REVIEW_ORGAN" in _roles(books, event)


@may("handover.drawn")
def _draws(books: Books, event: Any) -> bool:
    on = day_of(event)
    transfers = [books.transfer(matter, on) for matter in event.matters]
    given = all(event.giver in (books.matters[one].competent, books.competent(one, on)) for one in event.matters)
    taken = all(books.holder(one, on) == event.taker for one in event.matters)
    return event.giver == event.meta.department and given and taken and None not in transfers


@may("handover.signed")
def _signs(books: Books, event: Any) -> bool:
    drawn: Any = books.firsts[event.originator_id]
    return books.acting(getattr(drawn, event.side), day_of(event), drawn.matters[0]) == event.meta.department


@may("department.registered", "department.succeeded", "matter.returned", "mapping.registered")
def _keeps_registers(books: Books, event: Any) -> bool:
    return "REFORM_OFFICE" in _roles(books, event)


@may("matter.registered")
def _registers_a_matter(books: Books, event: Any) -> bool:
    """Its competent department is one that can hold the power over it."""
    fit = {"APPROVAL", "SUPERVISION"} & set(books.departments[event.entry.competent].roles)
    return _keeps_registers(books, event) and (bool(fit) or event.entry.code in books.matters)


@may("matter.transferred", "matter.routed")
def _names_supervisors(books: Books, event: Any) -> bool:
    """Never the one to which a transfer gives, or gave, the power."""
    routed = event.TOPIC == "matter.routed"
    approver = books.holder(event.matter, event.valid_from) if routed else event.to
    transferred = not routed or books.transfer(event.matter, event.valid_from) is not None
    named = {one.department for one in event.supervisors}
    return _keeps_registers(books, event) and not (transferred and approver in named)


@may("register.entered", "register.struck")
def _keeps_lists(books: Books, event: Any) -> bool:
    kind = event.entry.kind if event.TOPIC == "register.entered" else event.kind
    if kind == "public_key":
        return books.principals[event.meta.principal].operator
    return ("HIGHER_AUTHORITY" if kind == "system_access" else "REFORM_OFFICE") in _roles(books, event)


@may(*OPERATING)
def _operates(books: Books, event: Any) -> bool:
    return books.principals[event.meta.principal].operator


@may("count.declared")
def _declares(books: Books, event: Any) -> bool:
    source = event.counted_source
    return source == event.meta.principal or source.startswith((f"{event.meta.principal}.", f"{event.meta.principal}:"))


@may("liaison.registered")
def _names_a_contact(books: Books, event: Any) -> bool:
    return bool(event.department == event.meta.department)
