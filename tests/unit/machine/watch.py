"""What must hold at every step of a life, looked at from the log alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, get_args

from domain.arrivals import Place, Result
from domain.case_state import CaseState
from domain.cases import AudienceEvent, CaseCorrected, CaseDecided
from domain.circulars import CircularSent, CircularWithdrawn
from domain.event import Event, Recorded, State
from domain.handling import Disposition
from domain.notices import NoticeDelivered, NoticeDispatched, NoticeGivenUp, NoticeOwed
from domain.recheck import Recheck
from domain.registers import Registers
from domain.world import blank
from tests.unit.machine.books import Books, day_of
from tests.unit.machine.life import SEALS, Life, Sent
from tests.unit.machine.mandates import overstepped
from tests.unit.machine.walk import settle


@dataclass(slots=True)
class Watch:
    life: Life
    books: Books = field(default_factory=Books)
    recheck: Recheck = field(default_factory=Recheck)
    unsupervised: set[str] = field(default_factory=set)
    """Cases of which a correction found that nobody was to be told."""
    registers: Registers = field(default_factory=Registers)
    states: dict[str, State] = field(default_factory=dict)
    """The log folded once more."""
    moves: Counter[str] = field(default_factory=Counter)
    """How often something happened on a stream that somebody might wait for."""
    waiting: dict[Place, tuple[Result, int]] = field(default_factory=dict)
    """Who was parked when it last looked, and how often something had happened there."""
    seen: int = 0

    def look(self) -> None:
        """Takes in what was recorded since it last looked."""
        fresh = self.life.events[self.seen :]
        self.seen = len(self.life.events)
        for _, found in groupby(fresh, key=lambda one: (one.meta.fact, one.meta.principal)):
            self._together(list(found))
        for result in self.life.results.values():
            assert result.outcome.disposition in get_args(Disposition)
            assert not any(one.rule == "internal.error" for one in result.outcome.errors), result
            if result.arrival.submission is not None and result.arrival.submission.classified:
                assert result.outcome.rule == "classified" or result.outcome.disposition in ("duplicate", "conflict")

        self._nobody_forgotten()

    def _nobody_forgotten(self) -> None:
        """Whatever happened on the stream that a parked submission waits for, it was decided again."""
        for place, result in self.life.results.items():
            if (stream := result.outcome.stream) is not None:
                before, moves = self.waiting.get(place, (None, 0))
                assert result is not before or moves == self.moves[stream], result
                self.waiting[place] = result, self.moves[stream]

    def _together(self, events: list[Event]) -> None:
        """What one fact, or one submission, brought about."""
        for event in events:
            assert not overstepped(self.books, event, events), event
            expected = self._must_hear(event)
            if expected is not None:
                owed = [one for one in events if isinstance(one, NoticeOwed) and _owes(event, one)]
                assert Counter(one.addressee for one in owed) == Counter(expected), (event, owed)
            at = self.life.times[self.recheck.events]
            assert not list(self.recheck.take(Recorded(self.recheck.events + 1, at, event))), event
            self.books.take(event)
            self._fold(event)
        assert not list(self.recheck.finish())
        offices = [code for code, one in self.books.departments.items() if "REFORM_OFFICE" in one.roles]
        assert any(not self.books.ceased(code, date.max) for code in offices), "nobody keeps the registers"
        for event in events:
            if isinstance(event, CaseCorrected):
                self._corrected(event)
        for stream in {one.originator_id for one in events if one.originator_id.startswith("case/")}:
            self._supervised(stream)

    def _must_hear(self, event: Event) -> set[str] | None:
        """Of a decision, every supervisor by the registers then; of what follows it, whoever was told, whoever is in
        charge where nobody was as the matter was routed, and the approving side; nobody of its own doing. Of a circular
        those it names, of its end whoever has their duties then."""
        if isinstance(event, CaseDecided):
            pushed = self.books.pushed(event)
            return self.books.supervisors(event.matter, event.decided_on, day_of(event)) if pushed else set()
        if isinstance(event, AudienceEvent):
            case, on = self.books.cases[event.originator_id], day_of(event)
            assert case.decision is not None
            told = {*case.told, self.books.holder(case.matter, on)}
            as_it_is = case.decision.model_copy(update={"matter": case.matter, "basis": "normal"})
            if not case.routed and self.books.pushed(as_it_is):
                told |= self.books.in_charge(case.matter, on)
            return {self.books.acting(one, on, case.matter) for one in told} - {event.meta.department}
        if isinstance(event, CircularSent):
            return {*event.main, *event.copies}
        if isinstance(event, CircularWithdrawn):
            sent, on = self.books.firsts[event.originator_id], day_of(event)
            assert isinstance(sent, CircularSent)
            return {self.books.acting(one, on, "") for one in sent.addressees} - {event.meta.department}
        return None

    def _corrected(self, event: CaseCorrected) -> None:
        """By another day or matter, whoever then had to hear of it has been told."""
        case = self.books.cases[event.originator_id]
        assert case.decision is not None
        as_corrected = case.decision.model_copy(update={"matter": case.matter})
        routed: set[str] = set()
        if self.books.pushed(as_corrected):
            routed = self.books.supervisors(case.matter, case.decided_on, day_of(event))
        if event.target in ("decided_on", "matter") and event.old != event.new:
            assert routed <= case.told, (event, case.told)
            if not routed and case.decision.basis == "normal":
                self.unsupervised.add(event.originator_id)
            else:
                self.unsupervised.discard(event.originator_id)

    def _supervised(self, stream: str) -> None:
        """A case that was pushed never loses its supervisor (a dispute lies with the reform office meanwhile)."""
        case, state = self.books.cases[stream], self.states[stream]
        assert isinstance(state, CaseState)
        for holder in state.holders:
            assert case.open.get(holder.notice) == holder.department, (stream, holder)
            assert holder.disputed or self.books.notices[holder.notice].matter == state.matter, (stream, holder)
        holding = [one.department for one in state.holders if not one.disputed]
        assert len(holding) == len(set(holding)), (stream, holding)
        if stream not in self.unsupervised:
            assert bool(case.told) <= bool(state.holders), stream

    # At the end.

    def end(self) -> None:
        settle(self.life)
        self.look()
        self.settled()
        self.serials()
        self.folded_anew()
        self.without_seals()

    def settled(self) -> None:
        """Once the steward has done its work: those who hold permits in force are there to supervise them."""
        for stream in self.life.streams("case"):
            state = self.life.world.case_at(stream)
            for holder in state.holders if state.status == "granted" else ():
                acting = self.books.acting(holder.department, self.life.today, state.matter)
                assert acting == holder.department, (stream, holder)

    def serials(self) -> None:
        """Of every ledger gapless, and each (owing fact, addressee) once."""
        owing: set[tuple[str, str, int]] = set()
        for addressee, notices in self.books.serials.items():
            assert [one.originator_version for one in notices] == list(range(1, len(notices) + 1))
            for one in notices:
                assert one.originator_id == f"ledger/{addressee}"
                pair = (addressee, one.owing_stream, one.owing_version)
                assert pair not in owing
                owing.add(pair)

    def folded_anew(self) -> None:
        """A second fold of the log gives the same registers and states."""
        assert _said(self.registers) == _said(self.life.registers)
        for stream, state in self.states.items():
            assert self.life.world.state(stream) == state

    def _fold(self, event: Event) -> None:
        self.registers.evolve(event)
        for stream in _streams(event):
            self.states[stream] = self.states.get(stream, blank(stream)).evolve(event)
            self.moves[stream] += not isinstance(event, (NoticeDispatched, NoticeDelivered, NoticeGivenUp))

    def without_seals(self) -> None:
        """Had nobody sealed anything, or demanded a seal, everything else would be as it is."""
        other = Life()
        for step in self.life.steps:
            if not (isinstance(step, Sent) and self._is_of_seals(step)):
                other.again(step)
        mine = [one for one in self.life.events if not _of_seals(one)]
        assert [one for one in mine if not self._retries_seal(one)] == other.events
        for stream in self.life.streams("case"):
            assert other.world.case_at(stream) == self.life.world.case_at(stream)

    def _is_of_seals(self, sent: Sent) -> bool:
        retried = next((one for place, one in self.life.sent.items() if str(place) == sent.retries), None)
        return sent.type in SEALS or (retried is not None and self._is_of_seals(retried))

    def _retries_seal(self, event: Event) -> bool:
        sent = next((one for one in self.life.sent.values() if "/".join(one.name) == event.meta.fact), None)
        return sent is not None and self._is_of_seals(sent)


def _said(registers: Registers) -> dict[str, Any]:
    """What registers hold, but for what they reckon from it."""
    return {name: value for name, value in vars(registers).items() if name not in ("calendar", "_dues")}


def _owes(event: Event, notice: NoticeOwed) -> bool:
    return (notice.owing_stream, notice.owing_version) == (event.originator_id, event.originator_version)


def _streams(event: Event) -> Iterator[str]:
    yield event.originator_id
    if isinstance(event, NoticeOwed):
        yield f"notice/{event.notice}"


def _of_seals(event: Event) -> bool:
    return event.TOPIC.startswith("seal.") or (event.TOPIC == "attempt.refused" and event.type in SEALS)
