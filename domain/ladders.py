"""Ladders 催办、督办: what runs until when, its suspension and extension, and who is pressed when it is overdue (2.2j).

Whatever has a clock, `clock_of` says how it stands: a notice until it is received, a finding until it is answered, a
task until its result, a bad rating until each of its stages, a case until its decision, a deferral until it is looked
at again. What is done to a clock is on a stream of its own, `clock/<subject>`. Rungs are climbed under the writer's
lock, each once, in whatever order and however late whoever carries that out comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from domain.calendars import Calendar, CalendarUnknown
from domain.case_state import require_not_after
from domain.clock_state import (
    Clock,
    ClockEscalated,
    ClockExtended,
    ClockRecomputed,
    ClockReminded,
    ClockResumed,
    ClockState,
    ClockSuspended,
    ExtendClock,
    OfClock,
    ResumeClock,
    Rise,
    SuspendClock,
)
from domain.clocks import LADDER, ClockKind, Due, Rung, fixed, reckon
from domain.duties import Duty, duties
from domain.entries import entry_stream
from domain.event import Event, Meta
from domain.guides import promised_anew
from domain.identifiers import is_within
from domain.notices import NoticeDeemed, receive_clock
from domain.reform import Deferral, deferred, standing
from domain.rules import Refusal, Waiting, rejection
from domain.submissions import Submission, decides
from domain.tasks import Pause, pauses, tasks_stream

if TYPE_CHECKING:
    from domain.consultations import ConsultationState
    from domain.registers import Registers
    from domain.world import World

RECKONED: tuple[ClockKind, ...] = ("decide", "review", "duty")
"""Their day is reckoned whenever it is asked for; the others' is recorded, and recomputed by event."""
NAMED: tuple[ClockKind, ...] = ("task", "consultation")
"""Their day is named by whoever begins them; no limit gives it."""


def clock_of(subject: str, world: World) -> Clock | None:
    """How the clock stands, with what was done to it; None where nothing of that name has one."""
    found = _plain(subject, world)
    if found is None:
        return None
    state = world.clock(subject).of(found.run)
    if found.kind in RECKONED:
        found = found._replace(due=_later(world, found.due, state.extra))
    elif state.due is not None:
        found = found._replace(due=state.due)
    return found._replace(running=found.running and state.suspended_on is None)


def _later(world: World, due: Due, days: int) -> Due:
    """By so many working days; unknown where the calendar does not reach so far."""
    if not days or due.on is None:
        return due
    calendar = world.registers.calendar
    try:
        return fixed(calendar, due.since, calendar.after(due.on, days), 1, due.limit, due.document)
    except CalendarUnknown:
        return Due(since=due.since, on=None, limit=due.limit, document=due.document)


def _plain(subject: str, world: World) -> Clock | None:
    registers = world.registers
    kind, _, rest = subject.partition("/")
    match kind:
        case "notice":
            notice = world.notice(rest)
            owed = notice.owed
            clock = None if owed is None else receive_clock(owed.about)
            if owed is None or clock is None or owed.due is None:
                return None
            running = not (notice.received or notice.deemed or notice.moved)
            return Clock(subject, clock, (owed.addressee,), owed.due, running, owed.case, owed.matter)
        case "feedback":
            department, _, number = rest.partition("/")
            feedback = world.feedback(department, number)
            if feedback.raised is None or feedback.due is None:
                return None
            raised, running = feedback.raised, feedback.status == "open"
            organ = registers.acting(raised.organ, world.today, raised.matter)
            return Clock(
                subject, "reply", (organ,), feedback.due, running, raised.case, raised.matter, run=feedback.run
            )
        case "consultation":
            asker, _, number = rest.partition("/")
            return _consultation(subject, world.consultation(asker, number), world)
        case "rating":
            return _rating(subject, world)
        case "case":
            return _case(subject, world)
        case "tasks":
            return _task(subject, world)
        case "entry":
            return _entry(subject, world)
    return None


def _case(subject: str, world: World) -> Clock | None:
    """Until its decision, as the guide promises; not while it waits for associated work (2.3c)."""
    case, (_, organ, number) = world.case_at(subject), subject.split("/")
    if case.due is None:
        return None
    stops, registers = pauses(world.tasks(organ, number).tasks.values()), world.registers
    due = _stood_still(registers.calendar, case.due if case.due.on else promised_anew(registers, case.due), stops)
    running = case.status == "accepted" and all(stop.until is not None for stop in stops)
    holder = registers.holder(case.matter, world.today)
    return Clock(subject, "decide", (holder,), due, running, subject, case.matter)


def _stood_still(calendar: Calendar, due: Due, stops: Sequence[Pause]) -> Due:
    """Later by the working days of these; unknown where the calendar does not reach so far."""
    try:
        stood = sum(calendar.between(stop.since, stop.until) for stop in stops if stop.until is not None)
        if not stood or due.on is None:
            return due
        days = calendar.between(due.since, due.on) + stood
    except CalendarUnknown:
        return Due(since=due.since, on=None, limit=due.limit, document=due.document)
    return reckon(calendar, due.since, days, 1, due.limit, due.document)


def _task(subject: str, world: World) -> Clock | None:
    """Until its last party's result."""
    _, organ, number, name = subject.split("/")
    task = world.tasks(organ, number).tasks.get(name)
    if task is None or task.opened.due is None:
        return None
    opened = task.opened
    holders = world.registers.acting_for(task.owing or opened.parties, world.today, opened.matter)
    return Clock(subject, "task", holders, task.opened.due, task.open, opened.case, opened.matter)


def _consultation(subject: str, state: ConsultationState, world: World) -> Clock | None:
    """Until its answer, by the day that the question names."""
    if state.asked is None or state.due is None:
        return None
    asked, running = state.asked, state.status == "open"
    holders = (world.registers.acting(asked.to, world.today, asked.matter),)
    return Clock(subject, "consultation", holders, state.due, running, asked.case, asked.matter, run=state.run)


def _rating(subject: str, world: World) -> Clock | None:
    """Of a bad rating: until it is contacted, put right, asked about again; a stage has its own clock (3.3b)."""
    stream, _, stage = subject.rpartition("/")
    rating = world.rating(stream)
    stands = rating.stands(stage)
    if rating.recorded is None or stands is None:
        return None
    kind, due, running = stands
    recorded = rating.recorded
    organ = world.registers.acting(recorded.organ, world.today, recorded.matter)
    return Clock(subject, kind, (organ,), due, running, recorded.case, recorded.matter)


def _entry(subject: str, world: World) -> Clock | None:
    """A deferred matter's review, by the reform office (1.2d), or a task of the reform, by who is responsible (5.2a);
    each version of the entry has a clock of its own."""
    _, kind, key, number = subject.split("/")
    registers, today = world.registers, world.today
    version = registers.version(kind, key, today)
    if version is None or str(version.number) != number:
        return None
    entry, rule = version.entry, (f"{key}/{number}", version.basis)
    if isinstance(entry, Duty):
        due = fixed(registers.calendar, version.since, entry.due_on, 1, *rule)
        holder, above = (registers.acting(one, today, "") for one in (entry.responsible, entry.overseer))
        return Clock(subject, "duty", (holder,), due, not entry.done, overseer=above)
    if not isinstance(entry, Deferral):
        return None
    region = registers.departments[registers.competent(entry.matter, today)].region
    office = registers.reform_office(region, today)
    assert office is not None  # a store is founded with one
    due = fixed(registers.calendar, version.since, entry.review_on, 1, *rule)
    running = standing(registers, entry.matter, today) == "deferred"
    return Clock(subject, "review", (office,), due, running, "", entry.matter)


def rising_id(event: Event) -> str:
    """Under which a rung is climbed, or a notice deemed received: the same whoever does it."""
    if isinstance(event, Rise):
        return _named(f"rung.{event.rung}", f"{event.clock} {event.run}")
    return _named("deemed", event.originator_id)


def recomputing_id(subject: str, version: int) -> str:
    """Under which a clock's day is recomputed, as that event of the clock."""
    return _named(f"due.{version}", subject)


def _named(what: str, subject: str) -> str:
    return f"{what}.{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def climbed(world: World, subject: str, meta: Meta) -> list[Event]:
    """The next rung that is due and was not climbed, or the notice deemed received by its rule; nothing where there is
    none yet. Raises CalendarUnknown where nobody can say."""
    clock = clock_of(subject, world)
    if clock is None or not clock.running or clock.due.on is None:
        return []
    registers, today, state = world.registers, world.today, world.clock(subject).of(clock.run)
    calendar = registers.calendar
    rule = registers.limit(clock.kind, clock.due.since, registers.departments[clock.holders[0]].region, clock.matter)
    for number, rung in enumerate(rule.ladder if rule else LADDER, 1):
        if number in state.rungs:
            continue
        if (today <= clock.due.on and rung.after) or today < calendar.after(clock.due.on, rung.after):
            break
        said = fields_of(clock) | {"rung": number}
        if rung.act == "remind":
            return [state.then(ClockReminded, meta, **said)]
        to = overseer(world, clock, rung)
        if to is not None:
            return [state.then(ClockEscalated, meta, **said, to=to)]
    deemed = rule.deemed_after if rule and subject.startswith("notice/") else None
    if rule and deemed is not None and today > calendar.after(clock.due.on, deemed):
        notice = world.notice(subject.removeprefix("notice/"))
        return [notice.then(NoticeDeemed, meta, limit=rule.name, document=rule.document)]
    return []


def fields_of(clock: Clock) -> dict[str, object]:
    """What every event of a clock says."""
    return {
        "clock": clock.subject,
        "kind": clock.kind,
        "holders": clock.holders,
        "case": clock.case,
        "matter": clock.matter,
        "due": clock.due,
        "run": clock.run,
    }


def overseer(world: World, clock: Clock, rung: Rung) -> str | None:
    """Who is told to press the holders; nobody where that would be one of them."""
    registers, region = world.registers, world.registers.departments[clock.holders[0]].region
    found = (registers.reform_office if rung.to == "reform_office" else registers.higher_authority)(region, world.today)
    if rung.to == "reform_office" and clock.overseer is not None:
        found = clock.overseer
    return None if found in clock.holders else found


def recomputed(world: World, subject: str, meta: Meta) -> list[Event]:
    """The clock's day by the rules of now; nothing where it stays, or is reckoned whenever it is asked for."""
    clock = clock_of(subject, world)
    if clock is None or not clock.running or clock.kind in RECKONED:
        return []
    state = world.clock(subject).of(clock.run)
    due = _by_the_rules(world, clock, state.extra)
    return [] if due == clock.due else [state.then(ClockRecomputed, meta, **fields_of(clock) | {"due": due})]


def _by_the_rules(world: World, clock: Clock, extra: int) -> Due:
    """What limits and calendar say now, and so many working days more."""
    registers, since = world.registers, clock.due.since
    if clock.kind in RECKONED:
        return _later(world, clock.due, extra - world.clock(clock.subject).of(clock.run).extra)
    if clock.kind in NAMED:
        named = _plain(clock.subject, world)
        assert named is not None
        assert named.due.on is not None
        return _later(world, fixed(registers.calendar, since, named.due.on), extra)
    region = registers.departments[clock.holders[0]].region
    rule = registers.limit(clock.kind, since, region, clock.matter)
    assert rule is not None
    return reckon(registers.calendar, since, rule.days + extra, rule.yellow, rule.name, rule.document)


@decides(ExtendClock)
def extend_clock(submission: Submission[ExtendClock], world: World) -> list[Event]:
    payload = submission.payload
    clock, state = _standing_above(submission, world)
    due = _by_the_rules(world, clock, state.extra + payload.days)
    said = fields_of(clock) | {"days": payload.days, "due": due, "reason": payload.reason}
    return [state.then(ClockExtended, submission.meta, **said)]


@decides(SuspendClock)
def suspend_clock(submission: Submission[SuspendClock], world: World) -> list[Event]:
    payload = submission.payload
    clock, state = _standing_above(submission, world)
    if clock.kind == "decide":
        raise Refusal("clock.state")  # a case waits for its tasks, and for nothing else
    require_not_after(submission, "on", payload.on)
    if state.resumed_on is not None and payload.on < state.resumed_on:
        raise rejection("on", "date.order", payload.on)  # those days were given already
    said = fields_of(clock) | {"on": payload.on, "reason": payload.reason}
    return [state.then(ClockSuspended, submission.meta, **said)]


@decides(ResumeClock)
def resume_clock(submission: Submission[ResumeClock], world: World) -> list[Event]:
    payload = submission.payload
    clock, state = _above(submission, world)
    if state.suspended_on is None:
        raise Refusal("clock.state")
    require_not_after(submission, "on", payload.on)
    if payload.on < state.suspended_on:
        raise rejection("on", "date.order", payload.on)
    try:
        days = world.registers.calendar.between(max(state.suspended_on, clock.due.since), payload.on)
    except CalendarUnknown as unknown:
        raise rejection("on", "calendar.unknown", unknown.year) from None
    due = _by_the_rules(world, clock, state.extra + days)
    said = fields_of(clock) | {"on": payload.on, "days": days, "due": due}
    return [state.then(ClockResumed, submission.meta, **said)]


def _standing_above(submission: Submission[OfClock], world: World) -> tuple[Clock, ClockState]:
    """The clock, running, for who stands above its holders."""
    clock, state = _above(submission, world)
    if not clock.running or clock.kind == "task":
        raise Refusal("clock.state")
    return clock, state


def _above(submission: Submission[OfClock], world: World) -> tuple[Clock, ClockState]:
    """The clock. Waits where nothing has it yet; refused to its holders and to whom they are not under."""
    payload = submission.payload
    office = world.require_role(submission, "REFORM_OFFICE", "HIGHER_AUTHORITY")
    clock = clock_of(payload.clock, world)
    if clock is None:
        if not _known(payload.clock, world):
            raise Waiting(_stream(payload.clock))
        raise Refusal("clock.none")
    regions = (world.registers.departments[one].region for one in clock.holders)
    if payload.department in clock.holders or not all(is_within(region, office.region) for region in regions):
        raise Refusal("clock.not_above")
    return clock, world.clock(payload.clock).of(clock.run)


def _known(subject: str, world: World) -> bool:
    """Whether there is anything of that name."""
    if subject.startswith("notice/"):
        return world.notice(subject.removeprefix("notice/")).owed is not None
    return world.state(_stream(subject)).version > 0


def _stream(subject: str) -> str:
    """The stream that a subject's clock is on; a task's is its case's, a stage's its rating's."""
    parts = subject.split("/")
    if parts[0] == "rating":
        return "/".join(parts[:4])
    return tasks_stream(*parts[1:3]) if parts[0] == "tasks" and len(parts) == 4 else subject


def entries_due(registers: Registers, on: date) -> list[str]:
    """The clocks of lists that are due on that day, as subjects: deferrals to be looked at, tasks of the reform."""
    named = [("deferral", one.matter) for one in deferred(registers, on) if one.due]
    named += [("duty", one.duty.code) for one in duties(registers, on) if not one.duty.done and one.duty.due_on <= on]
    versions = [(kind, key, registers.version(kind, key, on)) for kind, key in named]
    return [f"{entry_stream(kind, key)}/{version.number}" for kind, key, version in versions if version is not None]
