"""The steward for an intake in memory: what successions and subscriptions ask for, all of it in one turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from domain import system
from domain.cases import CaseDecided
from domain.event import Event
from domain.notices import notice_stream
from domain.submissions import local_date
from domain.subscriptions import SubscriptionStarted
from domain.succession import succession_stream
from domain.world import World
from tests.unit.memory_intake import NOW, MemoryIntake

Fact = Callable[[World], list[Event]]


def carry_out(intake: MemoryIntake) -> int:
    """How many events were recorded for it."""
    before = len(intake.events)
    for fact in (*_passing(intake), *_backfilling(intake)):
        intake.record(fact)
    return len(intake.events) - before


def _passing(intake: MemoryIntake) -> list[Fact]:
    today = local_date(NOW)
    facts: list[Fact] = []
    for old, successions in sorted(intake.registers.successions.items()):
        count = sum(one.since <= today for one in successions)
        ledger = [one for one in intake.owed if one.addressee == old]
        if count and ledger:
            stream, through = succession_stream(old, count), ledger[-1].serial
            facts += [partial(system.notice_passed, notice=one.notice, now=NOW) for one in ledger]
            facts.append(partial(system.succession_advanced, old=old, stream=stream, through=through, now=NOW))
    return facts


def _backfilling(intake: MemoryIntake) -> list[Fact]:
    cases = [event.originator_id for event in intake.events if isinstance(event, CaseDecided)]
    facts: list[Fact] = []
    for started in intake.events:
        if isinstance(started, SubscriptionStarted) and started.backfill_from is not None:
            told: list[str] = []
            facts += [partial(_joined, started=started, case=case, told=told) for case in cases]
            facts.append(partial(_backfilled, started=started, told=told))
    return facts


def _joined(world: World, started: SubscriptionStarted, case: str, told: list[str]) -> list[Event]:
    """As the read model would find it: of the matter as it is now, and by the day as it is now."""
    permit, since = world.case_at(case), str(started.backfill_from)
    over = world.subscription(started.department, started.number).complete
    if over or permit.matter not in started.matters or (permit.decision["decided_on"] or "") < since:
        return []
    events = system.subscriber_joined(world, started.originator_id, case, NOW)
    told += [case] * len(events)
    return events


def _backfilled(world: World, started: SubscriptionStarted, told: list[str]) -> list[Event]:
    at = (started.matters[-1], None, None)
    return system.subscription_backfilled(world, started.originator_id, 1, at, len(told), True, NOW)


def time_passes(intake: MemoryIntake, days: int) -> int:
    """What the clock role does after so many days; how many events were recorded."""
    intake.now += timedelta(days=days)
    before, now = len(intake.events), intake.now
    for one in intake.owed:
        while _recorded(intake, partial(system.rung_climbed, subject=notice_stream(one.notice), now=now)):
            pass
    for case in [event.originator_id for event in intake.events if isinstance(event, CaseDecided)]:
        intake.record(partial(system.permit_expired, case=case, now=now))
    return len(intake.events) - before


def rules_change(intake: MemoryIntake) -> int:
    """What it does once limits or calendar have changed."""
    before = len(intake.events)
    for one in intake.owed:
        intake.record(partial(system.due_recomputed, subject=notice_stream(one.notice), now=intake.now))
    return len(intake.events) - before


def _recorded(intake: MemoryIntake, fact: Fact) -> int:
    before = len(intake.events)
    intake.record(fact)
    return len(intake.events) - before
