"""公函: notices on paper, for departments whose channels name letters, and the slip 回执 that comes back signed (2.2h).

A letter carries notices of one addressee that no letter has carried. The letters of an organ and a year are one stream,
whose version is the number: 文号 are gapless as a ledger's serials are. What the letter says is composed from the log
when it is printed; the log has none of it in clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.departments import Department
from domain.entries import Entry, entry_stream
from domain.event import Event, State
from domain.fields import EACH_ONCE, ReceiptCode
from domain.identifiers import make_receipt_code
from domain.notices import (
    NoticeDispatched,
    NoticeId,
    NoticeOwed,
    NoticeReceived,
    NoticeState,
    dispatched_in_time,
    notice_stream,
    open_notice,
    waited_for,
)
from domain.personal import Officer
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.seals import Digest
from domain.submissions import BEIJING, Code, Day, Moment, Payload, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World

MOST = 200
"""So many notices a letter carries at most."""
Mark = Annotated[str, StringConstraints(pattern=r"^[^〔〕\s/\x00-\x1f0-9]{1,20}$")]
"""机关代字, with which an organ's letter numbers begin."""
LetterNumber = Annotated[str, StringConstraints(pattern=r"^[^〔〕\s/\x00-\x1f0-9]{1,20}〔[12]\d{3}〕[1-9]\d{0,5}号$")]
"""文号, such as 呼审批函〔2026〕12号."""


class Letterhead(Entry):
    """函头: what an organ's letters bear, and where the slips go back to."""

    kind: Literal["letterhead"] = "letterhead"
    organ: Code
    mark: Mark
    address: Title
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+() -]{5,30}$")]

    def key(self) -> str:
        return self.organ


def require_letterhead(entry: Letterhead, world: World) -> None:
    """No two organs' letters may ever have the same number."""
    world.require_department(entry.organ)
    for organ, versions in world.registers.entries.get("letterhead", {}).items():
        marks = {one.entry.mark for one in versions if isinstance(one.entry, Letterhead)}
        if organ != entry.organ and entry.mark in marks:
            raise Refusal("letter.mark")


def letter_stream(organ: str, year: int) -> str:
    return f"letter/{organ}/{year}"


def place_in(number: str) -> tuple[int, int]:
    """(year, number within it) of a 文号."""
    year, _, rest = number.partition("〔")[2].partition("〕")
    return int(year), int(rest.removesuffix("号"))


class IssueLetter(Payload):
    """An organ tells a department on paper what it owes it. The number is given by the log."""

    TYPE = "letter.issue"
    addressee: Code
    issued_on: Day
    notices: Annotated[tuple[NoticeId, ...], Field(min_length=1, max_length=MOST), EACH_ONCE]

    def streams(self) -> tuple[str, ...]:
        return (self.about(), *map(notice_stream, self.notices))

    def about(self) -> str:
        return letter_stream(self.department, self.issued_on.year)


class LetterIssued(Event):
    """Its version in the stream is the number within the year; `code` is on the slip."""

    TOPIC = "letter.issued"
    number: str
    organ: str
    addressee: str
    issued_on: Day
    notices: tuple[str, ...]
    code: str

    @property
    def effective_on(self) -> str:
        return self.issued_on.isoformat()


class ReceiveLetter(Payload):
    """The organ enters the signed slip of its letter. `received_at` is what the paper says, a moment or only the day;
    without `notices` it is for all of the letter's that are still open."""

    TYPE = "letter.receive"
    organ: Code
    number: LetterNumber
    addressee: Code
    code: ReceiptCode
    signer: Officer
    received_at: Moment | Day
    scan_sha256: Digest | None = None
    scan_sm3: Digest | None = None
    notices: Annotated[tuple[NoticeId, ...], Field(max_length=MOST), EACH_ONCE] = ()

    @model_validator(mode="after")
    def _scanned(self) -> ReceiveLetter:
        if self.scan_sha256 is None and self.scan_sm3 is None:
            raise BadField("scan_sha256", "scan.missing", "须有回执扫描件的 SHA-256 或 SM3 散列值")
        return self

    def streams(self) -> tuple[str, ...]:
        return (self.about(), *map(notice_stream, self.notices))

    def about(self) -> str:
        return letter_stream(self.organ, place_in(self.number)[0])

    def part_subject(self, name: str) -> str | None:
        return f"officer/{self.addressee}/{self.signer.id}" if name == "signer" else Payload.part_subject(self, name)


@dataclass(frozen=True, slots=True)
class LettersState(State):
    """An organ's letters of a year, by number."""

    issued: Mapping[int, LetterIssued] = field(default_factory=dict)

    def evolve(self, event: Event) -> LettersState:
        assert isinstance(event, LetterIssued)
        issued = {**self.issued, event.originator_version: event}
        return replace(self, version=event.originator_version, issued=issued)


class LetterBook:
    """The letters of a log as it is read again: what is said to stand on paper stands in one of them."""

    def __init__(self) -> None:
        self._letters: dict[str, LetterIssued] = {}

    def wrong(self, event: Event) -> bool:
        """Whether it is a letter out of its place, or names one that does not carry its notice."""
        match event:
            case LetterIssued():
                self._letters[event.number] = event
                year, number = place_in(event.number)
                place = letter_stream(event.organ, year), number
                return (event.originator_id, event.originator_version) != place
            case NoticeDispatched(channel="letter", reference=number):
                return not self._carries(number, event)
            case NoticeReceived(letter=str(number)):
                return not self._carries(number, event) or event.signer is None
        return False

    def _carries(self, number: str | None, event: Event) -> bool:
        letter = self._letters.get(number or "")
        return letter is not None and event.originator_id in map(notice_stream, letter.notices)


def may_send(owed: NoticeOwed, sender: Department, registers: Registers, on: date) -> bool:
    """Whether it is for this organ to tell of the notice on paper: of its own cases and facts; the reform office of
    anybody's. Nobody writes to itself."""
    if owed.addressee == sender.code:
        return False
    if "REFORM_OFFICE" in sender.roles:
        return True
    organ = owed.case.split("/")[1] if owed.case else owed.meta.department
    return organ is not None and registers.acting(organ, on, owed.matter) == sender.code


@decides(IssueLetter)
def issue_letter(submission: Submission[IssueLetter], world: World) -> list[Event]:
    payload, registers = submission.payload, world.registers
    sender = world.require_role(submission, "APPROVAL", "REFORM_OFFICE")
    if "letter" not in world.require_department(payload.addressee).channels:
        raise Refusal("letter.channel")
    if payload.issued_on > submission.occurred_on:
        raise rejection("issued_on", "date.future", payload.issued_on)
    head = registers.version("letterhead", payload.department, payload.issued_on)
    if head is None or not isinstance(head.entry, Letterhead):
        raise Waiting(entry_stream("letterhead", payload.department))
    letters = world.letters(payload.department, payload.issued_on.year)
    if letters.version and payload.issued_on < letters.issued[letters.version].issued_on:
        raise rejection("issued_on", "date.order", payload.issued_on)  # the numbers rise with the days
    dispatched: list[Event] = []
    number = f"{head.entry.mark}〔{payload.issued_on.year}〕{letters.version + 1}号"
    for notice in payload.notices:
        state, owed = open_notice(notice, payload.addressee, world)
        if state.received:
            raise Refusal("notice.already")
        if "letter" in state.dispatched:
            raise Refusal("letter.carried")
        if not may_send(owed, sender, registers, submission.occurred_on):
            raise Refusal("letter.not_yours")
        if local_date(owed.meta.occurred_at) > payload.issued_on:
            raise rejection("issued_on", "date.order", payload.issued_on)
        dispatched.append(
            state.then(
                NoticeDispatched,
                submission.meta,
                channel="letter",
                reference=number,
                in_time=dispatched_in_time(state, world),
            )
        )
    issued = letters.then(
        LetterIssued,
        submission.meta,
        number=number,
        organ=payload.department,
        addressee=payload.addressee,
        issued_on=payload.issued_on,
        notices=payload.notices,
        code=make_receipt_code(f"{number} {submission.meta.fact}"),
    )
    return [issued, *dispatched]


@decides(ReceiveLetter)
def receive_letter(submission: Submission[ReceiveLetter], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    if world.registers.acting(payload.organ, submission.occurred_on, "") != payload.department:
        raise Refusal("letter.not_sender")
    letter = _letter(payload, world)
    if payload.addressee != letter.addressee:
        raise Refusal("notice.not_addressee")
    if payload.code != letter.code:
        raise Refusal("letter.code")
    if not set(payload.notices) <= set(letter.notices):
        raise Refusal("letter.not_listed")
    at, day_only = _moment(payload.received_at)
    if at > submission.occurred_at:
        raise rejection("received_at", "date.future", payload.received_at.isoformat())
    if local_date(at) < local_date(letter.meta.occurred_at):  # whatever day the letter bears, it was not there before
        raise rejection("received_at", "date.order", payload.received_at.isoformat())
    received: list[Event] = [
        state.then(
            NoticeReceived,
            submission.meta,
            received_at=at,
            waited=waited_for(owed, at, world),
            day_only=day_only,
            letter=letter.number,
            signer=payload.signer,
            scan_sha256=payload.scan_sha256,
            scan_sm3=payload.scan_sm3,
        )
        for state, owed in _signed_for(payload, letter, world)
    ]
    if not received:
        raise Refusal("notice.already")
    return received


def _letter(payload: ReceiveLetter, world: World) -> LetterIssued:
    """Waits where there is none of that number."""
    year, number = place_in(payload.number)
    found = world.letters(payload.organ, year).issued.get(number)
    if found is None or found.number != payload.number:
        raise Waiting(letter_stream(payload.organ, year))
    return found


def _signed_for(payload: ReceiveLetter, letter: LetterIssued, world: World) -> list[tuple[NoticeState, NoticeOwed]]:
    """The notices named, each of which must be open; or all of the letter's that are."""
    world.prefetch(map(notice_stream, letter.notices))
    if payload.notices:
        named = [open_notice(notice, payload.addressee, world) for notice in payload.notices]
        if any(state.received for state, _ in named):
            raise Refusal("notice.already")
        return named
    states = map(world.notice, letter.notices)
    return [(one, one.owed) for one in states if one.owed is not None and not (one.received or one.moved)]


def _moment(received: Moment | Day) -> tuple[datetime, bool]:
    """A day counts from its beginning in Beijing; whether it is only a day."""
    if isinstance(received, datetime):
        return received, False
    return datetime.combine(received, time(), BEIJING), True
