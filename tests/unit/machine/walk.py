"""One step further in a life: somebody hands something in, Shenguan records a fact of its own, or time passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from domain import system
from domain.arrivals import Result
from domain.calendars import CalendarUnknown
from domain.catalogue import PAYLOADS
from domain.departments import OperatorPayload
from domain.erasure import Order
from domain.event import Event
from domain.personal import Officer, Sealed
from domain.ratings import STAGES
from domain.reads import Parameter, Question
from domain.succession import succession_stream
from domain.world import World
from tests.unit.machine import approvals, beside, registers, supervision  # noqa: F401 - each adds its offers
from tests.unit.machine.life import OPERATOR, PLATFORM, Fact, Life, later
from tests.unit.machine.pick import OFFERS, Pick

OFTEN = {
    "case.accept": 6, "case.decide": 8, "notice.receive": 4, "notice.take": 3, "notice.return": 5, "duty.rule": 3,
    "case.correct": 5, "matter.transfer": 2, "matter.route": 2, "department.succeed": 2, "register.enter": 6,
    "feedback.raise": 2, "penalty.impose": 2, "remedy.record": 2, "task.open": 2, "task.complete": 2,
    "permit.report": 4, "feedback.dispose": 2, "feedback.close": 2, "subscription.start": 5, "handover.sign": 2,
    "feedback.reply": 2, "penalty.lift": 2, "review.return": 2, "blanks.use": 3, "seal.apply": 2,
    "task.drop": 2, "rating.record": 2, "rating.contact": 3, "rating.rectify": 3, "rating.revisit": 4,
}  # fmt: skip
TYPES = tuple(type_ for type_ in sorted(PAYLOADS) for _ in range(OFTEN.get(type_, 1)))
"""Every type; what brings cases further, and what moves supervision, more often. Sorted: else a seed's life would hang
on what was imported first."""
FACTS = (
    "notice_passed", "notice_passed", "succession_advanced", *("subscriber_joined",) * 8,
    "subscription_backfilled", "dispatched", "delivered", "given_up", "epoch_opened", "read_recorded",
    "erasure_ordered",
    "rung_climbed", "rung_climbed", "due_recomputed", "permit_expired",
)  # fmt: skip


class Need(NamedTuple):
    """A state of this kind that fits, and what brings one about."""

    first: str
    kind: str
    fits: Callable[[Any], bool]


NEEDS = {
    "notice.take": Need("notice.receive", "notice", lambda one: one.received and not one.taken),
    "duty.rule": Need("notice.return", "notice", lambda one: one.owed.about == "duty_dispute"),
    "feedback.dispose": Need("feedback.raise", "feedback", lambda one: one.status == "open"),
    "feedback.reply": Need("feedback.dispose", "feedback", lambda one: one.status == "disposed"),
    "feedback.close": Need("feedback.dispose", "feedback", lambda one: one.status == "disposed"),
    "inspection.correct": Need("inspection.report", "inspection", lambda one: not one.retracted),
    "inspection.retract": Need("inspection.report", "inspection", lambda one: not one.retracted),
    "penalty.lift": Need("penalty.impose", "case", lambda one: bool(one.penalties)),
    "task.complete": Need("task.open", "tasks", lambda one: any(task.open for task in one.tasks.values())),
    "task.drop": Need("task.open", "tasks", lambda one: any(task.open for task in one.tasks.values())),
    "rating.contact": Need("rating.record", "rating", lambda one: not one.contacted),
    "rating.rectify": Need("rating.contact", "rating", lambda one: one.contacted and not one.rectified),
    "rating.revisit": Need("rating.rectify", "rating", lambda one: one.rectified and not one.revisited),
    "rating.appeal": Need("rating.record", "rating", lambda one: not one.appeal),
    "rating.decide_appeal": Need("rating.appeal", "rating", lambda one: one.appeal == "appealed"),
    "circular.answer": Need(
        "circular.send", "circular", lambda one: one.sent and one.sent.meets_at and not one.withdrawn
    ),
    "circular.withdraw": Need("circular.send", "circular", lambda one: not one.withdrawn),
    "consultation.answer": Need("consultation.ask", "consultation", lambda one: one.status == "open"),
    "consultation.ask_again": Need("consultation.answer", "consultation", lambda one: one.status == "answered"),
    "consultation.close": Need("consultation.answer", "consultation", lambda one: one.status == "answered"),
    "review.return": Need("review.submit", "review", lambda one: not one.returned),
    "blanks.assist": Need("blanks.request", "blanks", lambda one: one.due and not one.assisted),
    "blanks.receive": Need("blanks.request", "blanks", lambda one: bool(one.due)),
    "blanks.use": Need("blanks.print", "blanks", lambda one: bool(one.left)),
    "handover.sign": Need("handover.draw", "handover", lambda one: len(one.signed) < 2),
    "letter.receive": Need("letter.issue", "letter", lambda one: bool(one.issued)),
    "clock.resume": Need("clock.suspend", "clock", lambda one: one.suspended_on is not None),
    "permit.report": Need("mapping.register", "mapping", lambda one: True),
}
"""What a type mostly waits for."""
READER_KEY = "officer/jw/01"
READER = Officer(id="01", name=Sealed(subject=READER_KEY, ciphertext="", commitment=""))


def hand_in(life: Life, rng: Random, type_: str) -> Result:
    """Somebody hands in something of this type, or what it needs before it: mostly by its own principal, and now."""
    pick = Pick(life, rng, type_)
    while type_ in NEEDS and not _met(life, NEEDS[type_]) and not pick.seldom():
        type_ = NEEDS[type_].first
    pick = Pick(life, rng, type_)
    data = OFFERS[type_](pick)
    own = OPERATOR if issubclass(PAYLOADS[type_], OperatorPayload) else data["department"]
    principal = pick.of(OPERATOR, "both", PLATFORM, "s2") if pick.seldom() and pick.seldom() else own
    at = life.now - timedelta(days=pick.of(1, 5, 20, -1)) if pick.seldom() else life.now
    return life.hand_in(type_, data, principal, at=at, classified=pick.seldom() and pick.seldom())


def _met(life: Life, need: Need) -> bool:
    if need.kind == "notice":
        states = [life.world.notice(one.notice) for one in life.owed]
        return any(not one.moved and need.fits(one) for one in states)
    return any(need.fits(life.world.state(stream)) for stream in life.streams(need.kind))


def send_again(life: Life, rng: Random) -> Result | None:
    """Something is sent once more under its own name: the same, or with other content."""
    if not life.sent:
        return None
    before = rng.choice(list(life.sent.values()))
    data: dict[str, Any] = json.loads(before.record.value)
    at = next(text.decode() for name, text in before.record.headers if name == "ce_time")
    if before.retries is None and rng.randint(0, 1):
        data = OFFERS[before.type](Pick(life, rng, before.type))
    when = life.now.fromisoformat(at)
    return life.hand_in(before.type, data, before.record.principal, id_=before.name[1], at=when)


def record_fact(life: Life, rng: Random, kind: str) -> None:
    """A fact of the system's own, where there is something that it could be about."""
    fact = _fact(life, rng, kind)
    if fact is not None:
        life.state(fact)


def _fact(life: Life, rng: Random, kind: str) -> Fact | None:
    notices = [one.notice for one in life.owed]
    match kind:
        case "read_recorded":
            principal = rng.choice(("jw", "jw", "s1"))
            question = Question(
                principal=principal, department=principal, officer=READER, command="replay", rows=3,
                parameters=(Parameter(name="number", value="1"),), revealed=rng.randint(0, 4) == 4,
            )  # fmt: skip
            apart = timedelta(microseconds=len(life.steps))  # the clock stands still here
            return lambda world, now: system.read_recorded(world, question, now + apart)
        case "erasure_ordered":
            order = Order(subject=f"person/{rng.randint(0, 2)}", department="sp1", officer=READER, reason="x")
            return lambda world, now: system.erasure_ordered(world, order, now)
        case "epoch_opened":
            epoch = len(life.stream("intake/shenguan.intake.150100.sp1")) + 1
            return lambda world, now: system.epoch_opened(
                world, "shenguan.intake.150100.sp1", str(epoch - 1), str(epoch), epoch, "created", now
            )
        case "notice_passed" | "dispatched" | "delivered" | "given_up" if notices:
            succeeded = [one.notice for one in life.owed if one.addressee in life.registers.successions]
            notice = rng.choice(succeeded or notices if kind == "notice_passed" else notices)
            return {
                "notice_passed": lambda world, now: system.notice_passed(world, notice, now),
                "dispatched": lambda world, now: system.dispatched(world, notice, "kafka", "topic", 0, 1, now),
                "delivered": lambda world, now: system.delivered(world, notice, "kafka", "group", 2, now),
                "given_up": lambda world, now: system.given_up(world, notice, "https", "exhausted", None, now),
            }[kind]
        case "rung_climbed" | "due_recomputed":
            kinds = ("feedback", "case")
            clocks = [*(f"notice/{one}" for one in notices), *(name for kind in kinds for name in life.streams(kind))]
            clocks += [f"{name}/{task}" for name in life.streams("tasks") for task in life.world.state(name).tasks]
            clocks += [f"{name}/{stage}" for name in life.streams("rating") for stage in STAGES]
            subject = rng.choice(clocks)
            return lambda world, now: (
                _climbed(world, subject, now) if kind == "rung_climbed" else system.due_recomputed(world, subject, now)
            )
        case "permit_expired":
            cases = [life.world.case_at(name) for name in life.streams("case")]
            ending = [one.stream for one in cases if one.terms and (one.terms[-1][1] or date.max) < life.today]
            over = rng.choice(ending or life.streams("case"))
            return lambda world, now: system.permit_expired(world, over, now)
        case "succession_advanced" if life.registers.successions:
            old = rng.choice(list(life.registers.successions))
            for one in [one.notice for one in life.owed if one.addressee == old]:
                life.state(lambda world, now, notice=one: system.notice_passed(world, notice, now))
            through = life.world.state(f"ledger/{old}").version
            count = len(life.registers.successions[old])
            return lambda world, now: system.succession_advanced(
                world, old, succession_stream(old, count), through, now
            )
        case "subscriber_joined" | "subscription_backfilled" if life.streams("subscription") and life.streams("case"):
            subscription = rng.choice(life.streams("subscription"))
            case = rng.choice(life.streams("case"))
            matter = life.world.case_at(case).matter
            if kind == "subscriber_joined":
                return lambda world, now: system.subscriber_joined(world, subscription, case, now)
            complete, version = rng.randint(0, 1) == 1, life.world.state(subscription).version
            return lambda world, now: system.subscription_backfilled(
                world, subscription, version, (matter, None, None), 1, complete, now
            )
    return None


def _climbed(world: World, subject: str, now: datetime) -> list[Event]:
    with suppress(CalendarUnknown):
        return system.rung_climbed(world, subject, now)
    return []


def settle(life: Life) -> None:
    """What the steward does until nothing is left: open notices pass to whom duties went."""
    moved = True
    while moved:
        moved = False
        for one in life.owed:
            moved |= bool(life.state(lambda world, now, notice=one.notice: system.notice_passed(world, notice, now)))


def wander(life: Life, seed: int, steps: int) -> Iterator[None]:
    """Steps by chance, the same for the same seed. Every other life knows a few types only, and so comes further."""
    rng = Random(seed)
    types = rng.sample(TYPES, 20) if rng.randint(0, 1) else TYPES
    for _ in range(steps):
        step(life, rng, types)
        yield


def step(life: Life, rng: Random, types: Sequence[str]) -> None:
    match rng.randint(0, 13):
        case 0:
            later(life, rng)
        case 1 | 2 | 3 | 4:
            record_fact(life, rng, rng.choice(FACTS))
        case 5:
            send_again(life, rng)
        case _:
            hand_in(life, rng, rng.choice(types))
