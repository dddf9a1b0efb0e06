"""What deciding sees: the registers and the touched streams, with everything this batch has already decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from domain.blanks import BlanksState
from domain.case_state import CaseState
from domain.circulars import CircularState
from domain.clock_state import ClockState, clock_stream
from domain.clocks import Due
from domain.consultations import ConsultationState
from domain.departments import Department, OperatorPayload, RegisterState, department_stream, principal_stream
from domain.event import Event, Meta, State
from domain.handovers import HandoverState
from domain.inspections import InspectionState
from domain.letters import LettersState
from domain.matters import Matter, matter_stream
from domain.notices import (
    About,
    LedgerState,
    NoticeMoved,
    NoticeOwed,
    NoticeState,
    Owed,
    ledger_stream,
    notice_stream,
    receive_clock,
)
from domain.opinions import OpinionState
from domain.owing import closed, owed
from domain.ratings import RatingState
from domain.registers import Registers
from domain.reviews import ReviewState
from domain.rules import Refusal, Waiting
from domain.seals import SealState
from domain.signing import require_signature
from domain.submissions import Submission, local_date
from domain.subscriptions import SubscriptionState
from domain.succession import SuccessionState
from domain.supervision import FeedbackState
from domain.tasks import TasksState

STATES: dict[str, type[State]] = {
    "case": CaseState,
    "notice": NoticeState,
    "ledger": LedgerState,
    "letter": LettersState,
    "feedback": FeedbackState,
    "circular": CircularState,
    "consultation": ConsultationState,
    "inspection": InspectionState,
    "rating": RatingState,
    "seal": SealState,
    "handover": HandoverState,
    "review": ReviewState,
    "blanks": BlanksState,
    "opinion": OpinionState,
    "tasks": TasksState,
    "succession": SuccessionState,
    "subscription": SubscriptionState,
    "clock": ClockState,
}
S = TypeVar("S", bound=State)
TICK = timedelta(microseconds=1)
"""Between the record times of one batch's events."""

Loader = Callable[[Iterable[str]], dict[str, list[Event]]]
"""Reads whole streams: for `notice/…` the owing event of the ledger comes first; for `ledger/…` only the last event."""
Leaf = Callable[[str, int], str | None]
"""The leaf hash of an event that is in the log already, by its stream and version; hexadecimal."""


def blank(stream: str) -> State:
    """The state of a stream before its first event."""
    return STATES.get(stream.partition("/")[0], RegisterState)(stream)


class World:
    """States are folded on first use and evolve with every event appended; `pending` is what is to be written, each a
    tick later than the one before, the first a tick after `now`."""

    def __init__(
        self,
        registers: Registers,
        load: Loader,
        now: datetime,
        states: dict[str, State] | None = None,
        leaf: Leaf = lambda _stream, _version: None,
    ) -> None:
        self.registers = registers
        self.now = now
        self.leaf = leaf
        self.pending: list[Event] = []
        self._load = load
        self._states: dict[str, State] = {} if states is None else states

    def prefetch(self, streams: Iterable[str]) -> None:
        """Loads what is not known yet, in one read."""
        wanted = {stream for stream in streams if stream not in self._states}
        if wanted:
            loaded = self._load(wanted)
            for stream in wanted:
                self._states[stream] = blank(stream).folded(loaded.get(stream, ()))

    def state(self, stream: str) -> State:
        if stream not in self._states:
            self.prefetch((stream,))
        return self._states[stream]

    def case(self, organ: str, number: str) -> CaseState:
        return self._typed(CaseState, f"case/{organ}/{number}")

    def case_at(self, stream: str) -> CaseState:
        return self._typed(CaseState, stream)

    def notice(self, notice: str) -> NoticeState:
        return self._typed(NoticeState, notice_stream(notice))

    def letters(self, organ: str, year: int) -> LettersState:
        return self._typed(LettersState, f"letter/{organ}/{year}")

    def feedback(self, department: str, number: str) -> FeedbackState:
        return self._typed(FeedbackState, f"feedback/{department}/{number}")

    def circular(self, sender: str, number: str) -> CircularState:
        return self._typed(CircularState, f"circular/{sender}/{number}")

    def consultation(self, asker: str, number: str) -> ConsultationState:
        return self._typed(ConsultationState, f"consultation/{asker}/{number}")

    def inspection(self, department: str, number: str) -> InspectionState:
        return self._typed(InspectionState, f"inspection/{department}/{number}")

    def rating(self, stream: str) -> RatingState:
        return self._typed(RatingState, stream)

    def seal(self, organ: str, number: str) -> SealState:
        return self._typed(SealState, f"seal/{organ}/{number}")

    def handover(self, giver: str, number: str) -> HandoverState:
        return self._typed(HandoverState, f"handover/{giver}/{number}")

    def review(self, submitter: str, number: str) -> ReviewState:
        return self._typed(ReviewState, f"review/{submitter}/{number}")

    def blanks(self, department: str, series: str) -> BlanksState:
        return self._typed(BlanksState, f"blanks/{department}/{series}")

    def opinions(self, organ: str, number: str) -> OpinionState:
        return self._typed(OpinionState, f"opinion/{organ}/{number}")

    def subscription(self, department: str, number: str) -> SubscriptionState:
        return self._typed(SubscriptionState, f"subscription/{department}/{number}")

    def tasks(self, organ: str, number: str) -> TasksState:
        return self._typed(TasksState, f"tasks/{organ}/{number}")

    def clock(self, subject: str) -> ClockState:
        return self._typed(ClockState, clock_stream(subject))

    def _typed(self, kind: type[S], stream: str) -> S:
        found = self.state(stream)
        assert isinstance(found, kind), stream
        return found

    def append(self, events: Iterable[Event]) -> None:
        """Takes events into the batch, with the notices they owe and the closing of the notices these replace."""
        for event in events:
            self._take(event)
            for notice in owed(event, self.registers):
                ledger = self.state(ledger_stream(notice.addressee))
                self._take(ledger.then(NoticeOwed, event.meta, **notice.fields(), due=self._due(notice)))
                if notice.origin is not None:
                    self._close(notice.origin, notice.id, notice.about, event.meta)
            ending = closed(event)
            if ending is not None:
                self._close(*ending, event.meta)

    @property
    def today(self) -> date:
        """The day on which the next event is recorded."""
        return local_date(self.now + TICK * (len(self.pending) + 1))

    def _due(self, notice: Owed) -> Due | None:
        clock = receive_clock(notice.about)
        if clock is None:
            return None
        region = self.registers.departments[notice.addressee].region
        return self.registers.due(clock, self.today, region=region, matter=notice.matter)

    def _close(self, notice: str, to: str, reason: About, meta: Meta) -> None:
        self._take(self.notice(notice).then(NoticeMoved, meta, to=to, reason=reason))

    def _take(self, event: Event) -> None:
        if event.originator_version == 1:
            # A stream that begins needs no reading: whether its first place is free the log itself sees to.
            self._states.setdefault(event.originator_id, blank(event.originator_id))
        state = self.state(event.originator_id)
        if event.originator_version != state.version + 1:
            raise AssertionError(f"{event.originator_id} is at {state.version}, not before {event.originator_version}")
        self._states[event.originator_id] = state.evolve(event)
        if isinstance(event, NoticeOwed):
            stream = notice_stream(event.notice)
            self._states[stream] = self._states.get(stream, blank(stream)).evolve(event)
        self.registers.evolve(event)
        self.pending.append(event)

    # What deciders ask before they look at the case itself.

    def require_own_registers(self) -> None:
        """Registers have one master: where another store's are followed, nobody registers anything."""
        if self.registers.master is not None:
            raise Refusal("registers.followed")

    def require_role(self, submission: Submission[Any], *roles: str) -> Department:
        """The submitting department's entry. Refused where it holds none of the roles."""
        entry = self.require_department(submission.payload.department)
        if not set(roles) & set(entry.roles):
            raise Refusal("mandate.role")
        return entry

    def require_department(self, code: str, role: str | None = None) -> Department:
        """The entry; waits for an unknown department, refuses one without the role."""
        entry = self.registers.departments.get(code)
        if entry is None:
            raise Waiting(department_stream(code))
        if role is not None and role not in entry.roles:
            raise Refusal("mandate.role")
        return entry

    def require_supervisor(self, code: str, matter: str, on: date) -> None:
        """It may supervise the matter on that date; whoever a transfer gave the power may not (1.1c)."""
        self.require_department(code, "SUPERVISION")
        if self.registers.ceased(code, on):
            raise Refusal("department.ceased")
        if self.registers.transfer(matter, on) is not None and self.registers.holder(matter, on) == code:
            raise Refusal("supervision.by_approver")

    def require_matter(self, code: str) -> Matter:
        """The entry; waits for an unknown matter, refuses a classified one."""
        history = self.registers.matters.get(code)
        if history is None:
            raise Waiting(matter_stream(code))
        if history.entry.classified:
            raise Refusal("classified")
        return history.entry

    def require_mandate(self, submission: Submission[Any]) -> None:
        """The principal must be registered and may act for the department it names, or vouch for who speaks for it."""
        principal = self.registers.principals.get(submission.principal)
        if principal is None:
            raise Waiting(principal_stream(submission.principal))
        require_signature(submission, self)
        if principal.vouches != (submission.caller is not None):
            raise Refusal("mandate.caller")
        if isinstance(submission.payload, OperatorPayload):
            if not (principal.operator or principal.vouches):
                raise Refusal("mandate.role")
        elif principal.operator:
            raise Refusal("mandate.role")
        elif not principal.vouches and submission.payload.department not in principal.acts_for:
            raise Refusal("mandate.principal")
        if self.registers.ceased(submission.payload.department, submission.occurred_on):
            raise Refusal("department.ceased")
        entry = self.registers.departments.get(submission.payload.department)
        if entry is not None and "DISCIPLINE" in entry.roles:
            raise Refusal("mandate.role")  # inspectors read everything and write nothing

    def mandates(self, submission: Submission[Any]) -> frozenset[str]:
        """The departments for which its sender may act. A platform that comes by way of who vouches for it may act for
        those for whom its own principals may."""
        principal = self.registers.principals[submission.principal]
        if not principal.vouches:
            return principal.acts_for
        own = submission.payload.department
        entry = self.registers.departments.get(own)
        if entry is None or "PLATFORM" not in entry.roles:
            return frozenset((own,))
        others = (one.acts_for for one in self.registers.principals.values() if own in one.acts_for)
        return frozenset((own,)).union(*others)

    def require_power(self, department: str, matter: str, on: date) -> None:
        """The department held the power over the matter on that date (1.1a, 1.1b)."""
        self.require_matter(matter)
        if self.registers.holder(matter, on) == department:
            if {"APPROVAL", "SUPERVISION"}.isdisjoint(self.registers.departments[department].roles):
                raise Refusal("mandate.role")
            return
        approver = "APPROVAL" in self.registers.departments[department].roles
        former = self.registers.is_competent(department, matter, on)
        if approver and not former and not self.registers.matters[matter].holders:
            # Registers come by another topic than cases: the matter is known, its transfer may be on its way.
            raise Waiting(matter_stream(matter))
        raise Refusal("power.transferred" if former else "power.none")
