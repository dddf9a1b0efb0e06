"""The daily counters: whatever happens, and in whatever batches, they say of every day what the log said at its end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from psycopg import Connection

from domain.event import Event, Recorded
from domain.notices import NoticeDispatched, NoticeMoved, NoticeOwed, NoticeReceived, NoticeReturned
from domain.submissions import local_date
from domain.supervision import FeedbackDisposed, FeedbackRaised, FeedbackReplied
from projections.daily import COUNTERS, DailyCounters
from projections.receipts import Receipts
from projections.statistics import Asked, Known, counters, find_overdue
from projections.working_days import CHINA, is_working_day
from tests.integration.teststore import TestStore
from tests.unit.machine.life import begun
from tests.unit.machine.walk import hand_in, record_fact, wander

BEGINNING = datetime(2026, 1, 15, 9, tzinfo=CHINA)
OFTEN = ("notice.receive", "notice.return", "feedback.raise", "feedback.dispose", "feedback.reply", "case.correct")


def lived(rng: Random, seed: int) -> list[Recorded]:
    """A life by chance, recorded with pauses; receipts, dispatches and answers lie some time before their recording."""
    life = begun()
    for _ in wander(life, seed, 80):
        for type_ in rng.sample(OFTEN, 2):
            hand_in(life, rng, type_)
        record_fact(life, rng, "dispatched")
    at, found = BEGINNING, []
    for position, event in enumerate(life.events, 1):
        pause = rng.choice([0, 0, 0, 0, 1, 3, 9, 30])
        at += timedelta(hours=pause, microseconds=1)
        before = at - timedelta(hours=rng.choice([0, 0, 5, 40]))
        if isinstance(event, NoticeReceived):
            event = event.model_copy(update={"received_at": before})
        elif isinstance(event, (NoticeDispatched, FeedbackDisposed)):
            event = event.model_copy(update={"meta": event.meta.model_copy(update={"occurred_at": before})})
        found.append(Recorded(position, at, event))
    return found


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
        received = next((local_date(r.event.received_at) for r in self.of(NoticeReceived, stream)), None)  # type: ignore[attr-defined]
        sent = self.of(NoticeDispatched, stream)
        due, dispatch_by = last_day(day(one), 3), last_day(day(one), 1)
        fell_due = due <= self.known.ended and (moved is None or moved > due)
        in_time = fell_due and received is not None and received <= due
        sent_first = bool(sent) and (not moves or sent[0].position < moves[0].position)
        to_send = dispatch_by <= self.known.ended and (moved is None or moved > dispatch_by or sent_first)
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
            "dispatched_in_time": to_send and bool(sent) and local_date(sent[0].event.meta.occurred_at) <= dispatch_by,
            "moved": moved is not None,
            "returned": len(self.of(NoticeReturned, stream)),
            "received": is_received,
            "receipts_dated": is_received,
            "receipt_days": self._working_days(day(one), received) if is_received and received else 0,
            "due": fell_due,
            "received_in_time": in_time,
            "late_ended": fell_due and not in_time and (received is not None or moved is not None),
            "cases_told": stands,
            "cases_with_feedback": stands and feedback,
        }

    def _feedback(self, raised: Recorded) -> dict[str, int]:
        thread = [one for one in self.facts if one.event.originator_id == raised.event.originator_id]
        answers = [one for one in thread if isinstance(one.event, FeedbackDisposed)]
        replies = [one for one in thread if isinstance(one.event, FeedbackReplied)]
        by = last_day(day(raised), 5)
        return {
            "feedback_raised": 1,
            "feedback_disposed": len(answers) > len(replies),
            "answer_due": by <= self.known.ended,
            "answered_in_time": by <= self.known.ended
            and bool(answers)
            and local_date(answers[0].event.meta.occurred_at) <= by,
        }

    @staticmethod
    def _working_days(since: date, until: date) -> int:
        return sum(is_working_day(since + timedelta(days=n)) for n in range(1, (until - since).days + 1))


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


@pytest.mark.parametrize("seed", range(8))
def test_every_day_is_answered_as_the_log_knew_it_then(store: TestStore, seed: int) -> None:
    rng = Random(seed)
    history = lived(rng, seed)
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
    for seed in range(8):
        history = lived(Random(seed), seed)
        end = day(history[-1]) + timedelta(days=9)
        for counts in Log(history, Known(end, end)).counts().values():
            total.update(counts)
    assert {name for name, count in total.items() if count} == set(COUNTERS) - {"deemed", "undated"}
