"""Reading the log again as a sceptic: were exactly the notices recorded that the facts owe by the registers of then?

Feed every event in log order. Registers are folded alongside, so that each fact is judged by what was known at its
position; audiences are recomputed from the cases' own histories, not taken from the events that claim them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from domain.attempts import AttemptRefused
from domain.calendars import CalendarAdopted
from domain.case_state import CaseState, hearers
from domain.cases import (
    AnewBegun,
    AudienceEvent,
    CaseAccepted,
    CaseCorrected,
    CaseDecided,
    CaseExpired,
    LicenceIssued,
)
from domain.circulars import CircularSent, CircularWithdrawn, InvitationAnswered, reached
from domain.clock_state import ClockEscalated, ClockRecomputed, ClockReminded
from domain.consultations import (
    ConsultationAnswered,
    ConsultationAsked,
    ConsultationAskedAgain,
    ConsultationClosed,
    consulting,
)
from domain.departments import DepartmentRegistered, PrincipalRegistered
from domain.erasure import ErasureOrdered, erasing_id
from domain.event import Event, Recorded
from domain.expiry import expiring_id
from domain.following import STREAM, RegistersFollowed
from domain.ladders import recomputing_id, rising_id
from domain.letters import LetterBook, LetterIssued
from domain.notices import (
    NoticeDeemed,
    NoticeDelivered,
    NoticeDispatched,
    NoticeGivenUp,
    NoticeMoved,
    NoticeOwed,
    NoticePassed,
    NoticeReceived,
    NoticeReturned,
    NoticeState,
    NoticeTaken,
    SupervisionMoved,
    SupervisorJoined,
    giving_up_id,
    ledger_stream,
    notice_stream,
    receive_clock,
)
from domain.owing import closed, owed
from domain.public_records import CaseReported
from domain.reads import ReadRecorded, inspecting, read_id, refused_by
from domain.registers import MASTERED_TOPICS, Registers
from domain.rerouting import Rerouted, reroute
from domain.submissions import local_date
from domain.subscriptions import SubscriptionBackfilled, SubscriptionStarted, joining_id
from domain.succession import Passing, SuccessionAdvanced, passing, passing_id
from domain.system import SYSTEM, EpochOpened, adopting_id


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong thing: where in the log, in which stream, which check, and what is wrong in words."""

    position: int
    stream: str
    check: str
    zh: str
    en: str


_Maker = Callable[[str, str, str], Problem]
_OF_ONE_FACT = {
    (NoticeReturned, SupervisionMoved),
    (CaseAccepted, AnewBegun),
    (CaseAccepted, CaseDecided, CaseReported),
    (CaseAccepted, CaseDecided, LicenceIssued, CaseReported),
}
"""What several events one submission makes, beside the notices that they owe, and for letters."""
_NEVER_ALONE = (NoticeReturned, CaseReported, NoticeDispatched)


@dataclass(slots=True)
class Run:
    """Events that stand together in the log and name the same submission as what made them."""

    first: Recorded
    kinds: list[type[Event]]

    @property
    def refused(self) -> bool:
        return self.kinds[0].TOPIC == "attempt.refused"

    @property
    def whole(self) -> bool:
        """Whether one submission can have made just these: else something was added, or is missing."""
        made = tuple(kind for kind in self.kinds if kind not in (NoticeOwed, NoticeMoved))
        begun = self.first.event
        if isinstance(begun, LetterIssued):
            return made[1:] == (NoticeDispatched,) * len(begun.notices)
        if isinstance(begun, NoticeReceived) and begun.letter is not None:
            return set(made) == {NoticeReceived}
        return (len(made) == 1 and made[0] not in _NEVER_ALONE) or made in _OF_ONE_FACT


class Runs:
    """The log by submissions. Facts of the system's own and followed ones come one by one and belong to none."""

    def __init__(self) -> None:
        self._last: Run | None = None

    def take(self, recorded: Recorded, followed: bool = False) -> Run | None:
        """The run that this event ends by not belonging to it. `followed`: a submission to another store made it."""
        event, last = recorded.event, self._last
        if last is not None and not followed and _submission(event) == _submission(last.first.event):
            last.kinds.append(type(event))
            return None
        self._last = None if followed or event.meta.auth == "system" else Run(recorded, [type(event)])
        return last

    def finish(self) -> Run | None:
        """The run at the end of the log."""
        last, self._last = self._last, None
        return last


def _submission(event: Event) -> tuple[str, str, str, bool]:
    return event.meta.source, event.meta.id, event.meta.principal, event.meta.auth == "system"


class Recheck:
    """Folds the log once. Memory grows with the number of cases and notices, not with events."""

    def __init__(self) -> None:
        self.registers = Registers()
        self.events = 0
        self.notices = 0
        self._versions: dict[str, int] = {}
        self._cases: dict[str, CaseState] = {}
        self._open: dict[str, NoticeState] = {}
        self._ledgers: dict[str, list[str]] = {}  # notices by their addressee, in the order of their serials
        self._through: dict[str, int] = {}
        self._circulars: dict[str, CircularSent] = {}
        self._consultations: dict[str, ConsultationAsked] = {}
        self._subscriptions: dict[str, SubscriptionStarted] = {}
        self._letters = LetterBook()
        self._expected: deque[tuple[int, type[Event], dict[str, object]]] = deque()
        self._last_at: datetime | None = None
        self._last_position = 0

    def take(self, recorded: Recorded) -> Iterator[Problem]:
        """What is wrong with this event, given all before it."""
        event, position = recorded.event, recorded.position
        self.events += 1
        stream = event.originator_id

        def problem(check: str, zh: str, en: str) -> Problem:
            return Problem(position, stream, check, zh, en)

        if position <= self._last_position or (self._last_at is not None and recorded.recorded_at <= self._last_at):
            yield problem("order", "位置或登记时间没有递增", "position or record time does not rise")
        self._last_position, self._last_at = position, recorded.recorded_at
        expected_version = self._versions.get(stream, 0) + 1
        if event.originator_version != expected_version:
            yield problem(
                "version",
                f"版本应为 {expected_version}，实为 {event.originator_version}",
                f"version {event.originator_version} where {expected_version} follows",
            )
        self._versions[stream] = event.originator_version
        if event.meta.auth == "system" and not _of_system(event):
            yield problem("system", f"{event.TOPIC} 不是系统自身的事实", f"{event.TOPIC} is no fact of the system's")
        begun = not self.registers.empty or self.registers.master is not None
        if isinstance(event, RegistersFollowed) and (begun or stream != STREAM):
            yield problem(
                "follow", "已有登记簿之后又跟随别的库", "registers are followed where there had been others before"
            )
        yield from self._owing(event, problem)
        yield from self._due(recorded, problem)
        yield from self._audience(event, problem)
        if self._letters.wrong(event):
            yield problem("letter", "没有此文号的公函载明此告知", "no letter of that number carries the notice")
        for notice in owed(event, self.registers):
            self._expected.append((position, NoticeOwed, notice.fields()))
            if notice.origin is not None:
                self._expect_moved(position, notice.origin, notice.id, notice.about)
        ending = closed(event)
        if ending is not None:
            self._expect_moved(position, *ending)
        self._evolve(event)

    def _expect_moved(self, position: int, origin: str, to: str, reason: str) -> None:
        moved: dict[str, object] = {"originator_id": notice_stream(origin), "to": to, "reason": reason}
        self._expected.append((position, NoticeMoved, moved))

    def followed(self, event: Event) -> bool:
        """Whether the event, last taken or next, is another store's: of its registers, where a store follows them."""
        return self.registers.master is not None and event.TOPIC in MASTERED_TOPICS

    def owing(self, stream: str) -> NoticeOwed | None:
        """What owed the notice of that stream, if anything did."""
        return self._open[stream].owed if stream in self._open else None

    def finish(self) -> Iterator[Problem]:
        """What the end of the log still owes."""
        for position, kind, fields in self._expected:
            name = str(fields.get("notice") or fields.get("originator_id"))
            yield Problem(position, name, "owed", f"应有 {kind.TOPIC} 而没有", f"{kind.TOPIC} is missing")

    def final(self) -> dict[str, tuple[NoticeOwed, str]]:
        """Every notice and its final state: outstanding, deemed received, received, taken or moved."""
        found = {}
        for name, state in self._open.items():
            assert state.owed is not None
            steps = (
                ("moved", state.moved),
                ("taken", state.taken),
                ("received", state.received),
                ("deemed", state.deemed),
            )
            found[name] = (state.owed, next((step for step, reached in steps if reached), "outstanding"))
        return found

    def _owing(self, event: Event, problem: _Maker) -> Iterator[Problem]:
        """The notices that a fact owes come right after it, and no others come."""
        if not self._expected:
            if isinstance(event, NoticeOwed):
                yield problem("owed", f"没有事实应产生告知 {event.notice}", f"no fact owes the notice {event.notice}")
            if isinstance(event, NoticeMoved):
                yield problem("moved", "没有事实使此告知移交", "no fact moves this notice")
            return
        position, kind, fields = self._expected[0]
        actual = {name: getattr(event, name, None) for name in fields}
        if type(event) is kind and actual == fields:
            self._expected.popleft()
            if isinstance(event, NoticeOwed):
                self.notices += 1
                if event.originator_id != ledger_stream(event.addressee):
                    yield problem(
                        "ledger", "告知不在其收件部门的编号簿上", "the notice is not on its addressee's ledger"
                    )
            return
        self._expected.clear()
        name = str(fields.get("notice") or fields.get("originator_id"))
        yield problem(
            "owed",
            f"位置 {position} 的事实应产生 {kind.TOPIC}（{name}），此处却是 {event.TOPIC}",
            f"the fact at {position} owes {kind.TOPIC} ({name}), here stands {event.TOPIC}",
        )

    def _due(self, recorded: Recorded, problem: _Maker) -> Iterator[Problem]:
        """A notice is to be received by the day that limits and calendar gave as it was recorded."""
        event = recorded.event
        if not isinstance(event, NoticeOwed):
            return
        clock, addressee = receive_clock(event.about), self.registers.departments.get(event.addressee)
        due = None
        if clock is not None and addressee is not None:
            since = local_date(recorded.recorded_at)
            due = self.registers.due(clock, since, region=addressee.region, matter=event.matter)
        if due != event.due:
            yield problem(
                "due", f"期限应为 {due}，所记为 {event.due}", f"due {due} by the rules, recorded is {event.due}"
            )

    def _audience(self, event: Event, problem: _Maker) -> Iterator[Problem]:
        case = self._cases.get(event.originator_id)
        told: object = None
        claimed: object = None
        if isinstance(event, CaseDecided):
            pushed = self.registers.matters[event.matter].entry.tells(event.outcome, event.manner)
            told_on = local_date(event.meta.occurred_at)
            supervisors = self.registers.supervisors(event.matter, event.decided_on, told_on)
            told = tuple(s.department for s in supervisors) if pushed and event.basis == "normal" else ()
            claimed = event.supervisors
        elif isinstance(event, AudienceEvent) and case is not None:
            told, claimed = hearers(case, self.registers, event.meta), event.audience
        elif isinstance(event, NoticePassed):
            told = self._passing(event.origin, local_date(event.meta.occurred_at))
            claimed = Passing(event.to, event.disputed, event.joins)
        elif isinstance(event, SupervisorJoined):
            told, claimed = self._joining(event), (event.department, event.matter)
        elif isinstance(event, ReadRecorded):
            vouched = event.meta.department if event.meta.caller is not None else None
            told = inspecting(self.registers, event.principal, local_date(event.meta.occurred_at), vouched)
            claimed = event.department
        elif isinstance(event, SuccessionAdvanced):
            told, claimed = (), self._left_behind(event)
        elif isinstance(event, (CircularWithdrawn, InvitationAnswered)):
            told, claimed = self._of_circular(event)
        elif isinstance(event, (ConsultationAnswered, ConsultationAskedAgain, ConsultationClosed)):
            asked = self._consultations.get(event.originator_id)
            told = consulting(asked, self.registers, local_date(event.meta.occurred_at)) if asked else None
            claimed = event.model_dump(include={"department", "to", "case", "matter"})
        elif isinstance(event, CaseCorrected) and case is not None:
            on = local_date(event.meta.occurred_at)
            told = reroute(case, self.registers, event.target, event.new, on)
            claimed = Rerouted(event.matter, event.holders, event.joining, event.leaving)
        if told != claimed:
            yield problem(
                "audience", f"应告知 {told}，所记为 {claimed}", f"{told} are to be told, recorded are {claimed}"
            )

    def _of_circular(self, event: CircularWithdrawn | InvitationAnswered) -> tuple[object, object]:
        """Who must hear of its withdrawal, or of an answer to it, and who is said to."""
        sent, on = self._circulars.get(event.originator_id), local_date(event.meta.occurred_at)
        claimed = event.audience if isinstance(event, CircularWithdrawn) else (event.to, event.department)
        if sent is None:
            return None, claimed
        if isinstance(event, CircularWithdrawn):
            return reached(sent, self.registers, on, but=event.meta.department or ""), claimed
        invited = event.meta.department in reached(sent, self.registers, on, but="")
        return (self.registers.acting(sent.department, on, ""), event.meta.department if invited else None), claimed

    def _passing(self, notice: str, on: date) -> Passing | None:
        """How a notice has to pass on that day."""
        state = self._open.get(notice_stream(notice))
        if state is None or state.owed is None:
            return None
        case = self._cases.get(state.owed.case)

        def told(other: str) -> bool:
            twin = self._open.get(notice_stream(other))
            return twin is not None and not twin.moved

        return passing(state, case, self.registers, on, told)

    def _joining(self, event: SupervisorJoined) -> tuple[str, str] | None:
        """Who, and of which matter, a subscription lets be told of the case."""
        started = self._subscriptions.get(event.subscription)
        case = self._cases.get(event.originator_id)
        if started is None or case is None or case.matter not in started.matters:
            return None
        department = self.registers.acting(started.department, local_date(event.meta.occurred_at), case.matter)
        return department, case.matter

    def _left_behind(self, event: SuccessionAdvanced) -> tuple[str, ...]:
        """The notices below a serial that ought to have passed on by then and did not."""
        ledger = self._ledgers.get(event.old, [])
        begun = self._through.get(event.originator_id, 0)
        self._through[event.originator_id] = event.through
        on = local_date(event.meta.occurred_at)
        return tuple(name for name in ledger[begun : event.through] if self._passing(name, on) is not None)

    def _evolve(self, event: Event) -> None:
        self.registers.evolve(event)
        stream = event.originator_id
        if stream.startswith("case/"):
            state = self._cases.get(stream) or CaseState(stream)
            self._cases[stream] = state.evolve(event)
        elif isinstance(event, NoticeOwed):
            name = notice_stream(event.notice)
            self._open[name] = NoticeState(name).evolve(event)
            self._ledgers.setdefault(event.addressee, []).append(event.notice)
        elif isinstance(event, CircularSent):
            self._circulars[stream] = event
        elif isinstance(event, ConsultationAsked):
            self._consultations[stream] = event
        elif isinstance(event, SubscriptionStarted):
            self._subscriptions[stream] = event
        elif isinstance(event, (NoticeReceived, NoticeDeemed, NoticeTaken, NoticeMoved)) and stream in self._open:
            self._open[stream] = self._open[stream].evolve(event)


def _of_system(event: Event) -> bool:
    """Whether Shenguan itself records such a fact, and under this id."""
    match event:
        case NoticeDispatched(channel=channel):
            id_ = f"dispatched.{channel}.{event.originator_id.removeprefix('notice/')}".replace("/", ".")
        case NoticeDelivered(channel=channel):
            id_ = f"delivered.{channel}.{event.originator_id.removeprefix('notice/')}".replace("/", ".")
        case NoticeGivenUp(channel=channel, originator_version=version):
            id_ = giving_up_id(event.originator_id.removeprefix("notice/"), channel, version)
        case EpochOpened(topic=topic, epoch=epoch):
            id_ = f"epoch.{topic}.{epoch}"
        case CalendarAdopted(edition=edition):
            id_ = adopting_id(edition)
        case ClockReminded() | ClockEscalated() | NoticeDeemed():
            id_ = rising_id(event)
        case ClockRecomputed(clock=clock, originator_version=version):
            id_ = recomputing_id(clock, version)
        case CaseExpired(term=term):
            id_ = expiring_id(event.originator_id, term)
        case RegistersFollowed(store=store):
            id_ = f"follow.{store}"
        case DepartmentRegistered(entry=entry):
            id_ = f"found.{entry.code}"
        case PrincipalRegistered(principal=principal):
            id_ = f"found.{principal}"
        case NoticePassed(origin=origin):
            id_ = passing_id(origin)
        case SupervisorJoined(subscription=subscription):
            id_ = joining_id(subscription, event.originator_id)
        case SuccessionAdvanced(through=through):
            id_ = f"{event.originator_id}.{through}".replace("/", ".")
        case SubscriptionBackfilled(originator_version=version):
            id_ = f"{event.originator_id}.{version}".replace("/", ".")
        case ReadRecorded(originator_version=version):
            id_ = read_id(event.originator_id, version)
        case ErasureOrdered(subject=subject):
            id_ = erasing_id(subject)
        case AttemptRefused(about=about) if refused_by(event.meta, about):
            id_ = event.meta.id
        case NoticeOwed() | NoticeMoved():
            id_ = event.meta.id  # whether a fact owes it is looked at by itself
        case _:
            return False
    return (event.meta.source, event.meta.principal, event.meta.id) == (SYSTEM, SYSTEM, id_)
