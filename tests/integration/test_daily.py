"""The daily counters: whatever happens, and in whatever batches, they say of every day what the log said at its end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from psycopg import Connection

from domain import system
from domain.clock_state import ClockExtended, ClockRecomputed, ClockResumed, ClockSuspended
from domain.event import Event, Recorded
from domain.notices import NoticeDeemed, NoticeDispatched, NoticeMoved, NoticeOwed, NoticeReceived, NoticeReturned
from domain.submissions import local_date
from domain.supervision import FeedbackDisposed, FeedbackRaised, FeedbackReplied
from domain.system import system_meta
from domain.world import World
from projections.daily import COUNTERS, DailyCounters
from projections.receipts import Receipts
from projections.statistics import Asked, Known, counters, find_overdue
from projections.working_days import CHINA, is_working_day
from tests.integration.teststore import TestStore
from tests.unit.machine.life import Life, begun, later
from tests.unit.machine.walk import hand_in, record_fact, wander

BEGINNING = datetime(2026, 1, 15, 9, tzinfo=CHINA)
OFTEN = (
    *("notice.receive", "notice.return", "feedback.raise", "feedback.dispose", "feedback.reply", "case.correct"),
    *("clock.extend", "clock.suspend", "clock.resume"),
)


def lived(seed: int) -> list[Recorded]:
    """A life by chance; receipts and answers lie some time before their recording. In every other life pauses are by
    chance too, whatever the due dates say."""
    rng, life = Random(seed), begun()
    for _ in wander(life, seed, 80):
        for type_ in rng.sample(OFTEN, 2):
            hand_in(life, rng, type_)
        record_fact(life, rng, rng.choice(["dispatched", "rung_climbed", "due_recomputed"]))
        if life.owed and rng.randrange(2):
            text(life, rng.choice(life.owed).notice)
        if rng.randrange(6) == 0:
            later(life, rng)
        if life.owed and rng.randrange(4) == 0:
            deem(life, rng.choice(life.owed).notice)
    pauses = [0, 0, 0, 0, 1, 3, 9, 30]
    at, found = BEGINNING, []
    for position, (event, when) in enumerate(zip(life.events, life.times, strict=True), 1):
        at = when if seed % 2 else at + timedelta(hours=rng.choice(pauses), microseconds=1)
        before = at - timedelta(hours=rng.choice([0, 0, 5, 40]))
        if isinstance(event, NoticeReceived):
            event = event.model_copy(update={"received_at": before, "waited": rng.choice([None, 1, 4])})
        elif isinstance(event, NoticeDispatched) and event.in_time is not None:
            event = event.model_copy(update={"in_time": rng.choice([None, True, False])})
        elif isinstance(event, FeedbackDisposed):
            event = event.model_copy(update={"meta": event.meta.model_copy(update={"occurred_at": before})})
        elif isinstance(event, NoticeOwed) and event.due is not None and rng.randrange(9) == 0:
            event = event.model_copy(update={"due": event.due.model_copy(update={"on": None})})
        found.append(Recorded(position, at, event))
    return found


def text(life: Life, notice: str) -> None:
    """短信, perhaps before what carries the notice."""
    life.state(lambda world, now: system.pushed(world, notice, "sms", "m-1", now))


def deem(life: Life, notice: str) -> None:
    """By whatever rule, if it lies open."""

    def fact(world: World, now: datetime) -> list[Event]:
        state = world.notice(notice)
        if state.received or state.deemed or state.moved:
            return []
        return [state.then(NoticeDeemed, system_meta(f"deemed.{notice}", now), limit="receive/1", document="文")]

    life.state(fact)


def day(one: Recorded) -> date:
    return local_date(one.recorded_at)


def last_day(since: date, working_days: int) -> date:
    while working_days:
        since += timedelta(days=1)
        working_days -= is_working_day(since)
    return since


class Log:
    """The log as it was at the end of a day, asked in the plainest way."""

    def __init__(self, history: Sequence[Recorded], known: Known) -> None:
        self.known = known
        self.facts = [one for one in history if day(one) <= known.on]

    def of(self, kind: type[Event], stream: str) -> list[Recorded]:
        return [one for one in self.facts if isinstance(one.event, kind) and one.event.originator_id == stream]

    def counts(self) -> dict[tuple[Any, ...], Counter[str]]:
        found: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for one in self.facts:
            event = one.event
            if isinstance(event, NoticeOwed):
                found[day(one), event.addressee, event.matter, event.root].update(self._notice(one, event))
            elif isinstance(event, FeedbackRaised):
                found[day(one), event.organ, event.matter, "feedback"].update(self._feedback(one))
        return found

    def _notice(self, one: Recorded, owed: NoticeOwed) -> dict[str, int]:
        stream = f"notice/{owed.notice}"
        moves = self.of(NoticeMoved, stream)
        moved = day(moves[0]) if moves else None
        receipts: list[Any] = [r.event for r in self.of(NoticeReceived, stream)]
        received = local_date(receipts[0].received_at) if receipts else None
        deemed = bool(self.of(NoticeDeemed, stream))
        told_of: list[Any] = self.of(NoticeDispatched, stream)
        sent = [one for one in told_of if one.event.channel != "sms"]  # which says no more than that there is one
        due, undated = self.due(stream, owed)
        fell_due = due is not None and due <= self.known.ended and (moved is None or moved > due)
        in_time = fell_due and received is not None and due is not None and received <= due
        dispatch_by, told = last_day(day(one), 1), sent[0].event.in_time if sent else False
        sent_first = bool(sent) and (not moves or sent[0].position < moves[0].position)
        over = dispatch_by <= self.known.ended and (moved is None or moved > dispatch_by or sent_first)
        to_send = over and owed.due is not None and told is not None
        stands = owed.root == "decision" and owed.case != "" and moved is None
        feedback = any(
            isinstance(r.event, FeedbackRaised) and (r.event.case, r.event.department) == (owed.case, owed.addressee)
            for r in self.facts
        )
        is_received = received is not None and moved is None
        return {
            "owed": 1,
            "dispatched": bool(sent),
            "dispatch_due": to_send,
            "dispatched_in_time": to_send and bool(told),
            "moved": moved is not None,
            "returned": len(self.of(NoticeReturned, stream)),
            "received": is_received,
            "receipts_dated": is_received and receipts[0].waited is not None,
            "receipt_days": (receipts[0].waited or 0) if is_received else 0,
            "deemed": deemed and received is None and moved is None,
            "undated": undated and moved is None,
            "due": fell_due,
            "received_in_time": in_time,
            "late_ended": fell_due and not in_time and (received is not None or moved is not None or deemed),
            "cases_told": stands,
            "cases_with_feedback": stands and feedback,
        }

    def _feedback(self, raised: Recorded) -> dict[str, int]:
        thread = [one for one in self.facts if one.event.originator_id == raised.event.originator_id]
        answers = [one for one in thread if isinstance(one.event, FeedbackDisposed)]
        replies = [one for one in thread if isinstance(one.event, FeedbackReplied)]
        answered = answers[0] if answers else None
        by, _ = self.due(raised.event.originator_id, raised.event, answered)
        return {
            "feedback_raised": 1,
            "feedback_disposed": len(answers) > len(replies),
            "answer_due": by is not None and by <= self.known.ended,
            "answered_in_time": by is not None
            and by <= self.known.ended
            and answered is not None
            and local_date(answered.event.meta.occurred_at) <= by,
        }

    def due(self, subject: str, first: Any, until: Recorded | None = None) -> tuple[date | None, bool]:
        """The last that was said of it, before it was answered; and whether the calendar is what is wanting."""
        found, unknown = (first.due.on, first.due.on is None) if first.due is not None else (None, False)
        for one in self.facts:
            if one.event.originator_id == f"clock/{subject}" and (until is None or one.position < until.position):
                event = one.event
                if isinstance(event, ClockSuspended):
                    found, unknown = None, False
                elif isinstance(event, (ClockExtended, ClockResumed, ClockRecomputed)):
                    found, unknown = event.due.on, event.due.on is None
        return found, unknown


def apply(conn: Connection[Any], history: Sequence[Recorded], rng: Random) -> None:
    """In batches by chance."""
    conn.execute("SET search_path TO read")
    at = 0
    while at < len(history):
        size = rng.choice([1, 2, 10, 100])
        for projection in (DailyCounters(), Receipts()):
            projection.apply(conn, history[at : at + size])
        at += size


def as_counted(found: Any) -> dict[Any, dict[str, int]]:
    """Without what counts nothing."""
    return {key: kept for key, counts in found.items() if (kept := {n: int(c) for n, c in counts.items() if c})}


@pytest.mark.parametrize("seed", range(10))
def test_every_day_is_answered_as_the_log_knew_it_then(store: TestStore, seed: int) -> None:
    rng = Random(seed)
    history = lived(seed)
    days = (day(history[-1]) - day(history[0])).days
    with store.connect() as conn, store.connect_reader() as reader:
        cut = rng.randrange(len(history))
        asked = [day(history[0]) + timedelta(days=n) for n in rng.sample(range(days + 10), 12)]
        apply(conn, history[:cut], rng)
        before = {on: counters(reader, "department", Asked(), Known(on, on)) for on in asked if on < day(history[cut])}
        apply(conn, history[cut:], rng)
        for on, found in before.items():
            assert counters(reader, "department", Asked(), Known(on, on)) == found, on
        for on in asked:
            for known in (Known(on, on), Known(on, on - timedelta(days=1))):
                log = Log(history, known)
                wanted = log.counts()
                for by, part in (("cohort", 0), ("department", 1), ("matter", 2)):
                    sums: dict[Any, Counter[str]] = defaultdict(Counter)
                    for key, counts in wanted.items():
                        sums[key[part]].update(counts)
                    assert as_counted(counters(reader, by, Asked(), known)) == as_counted(sums), known  # type: ignore[arg-type]
                late = sum(c["due"] - c["received_in_time"] - c["late_ended"] for c in wanted.values())
                assert find_overdue(reader, Asked(), known).total == late
    assert {name for counts in wanted.values() for name, count in counts.items() if count} <= set(COUNTERS)


def test_lives_by_chance_count_everything(store: TestStore) -> None:
    """The comparison above would not be worth much for counters that stay zero."""
    total: Counter[str] = Counter()
    for seed in range(10):
        history = lived(seed)
        end = day(history[-1]) + timedelta(days=9)
        for counts in Log(history, Known(end, end)).counts().values():
            total.update(counts)
    assert {name for name, count in total.items() if count} == set(COUNTERS)
