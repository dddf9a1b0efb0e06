"""Blanks 空白证照: asked for from above or printed by oneself, and every serial number used up once (2.5).

A series is a run of serial numbers of one department; its stream knows every number of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.cases import case_stream
from domain.event import Event, State
from domain.rules import BadField, Refusal, Waiting
from domain.submissions import Code, Number, Payload, Submission, Title, decides

if TYPE_CHECKING:
    from domain.world import World

Fate = Literal["issued", "spoiled", "voided"]
"""What became of a number: 核发, 作废 in printing, 注销 unused."""
First = Annotated[int, Field(ge=0, le=999_999_999)]
Copies = Annotated[int, Field(ge=1, le=100_000)]


def blanks_stream(department: str, series: str) -> str:
    return f"blanks/{department}/{series}"


class OfSeries(Payload):
    """Base of what its department does with a series."""

    series: Code

    def streams(self) -> tuple[str, ...]:
        return (blanks_stream(self.department, self.series),)

    def about(self) -> str:
        return blanks_stream(self.department, self.series)


class RequestBlanks(OfSeries):
    """An approval department asks a higher authority for blanks 申领 (2.5a)."""

    TYPE = "blanks.request"
    certificate: Title
    copies: Copies
    to: Code


class AssistBlanks(Payload):
    """The competent department assists a request 协助申领."""

    TYPE = "blanks.assist"
    requester: Code
    series: Code

    def streams(self) -> tuple[str, ...]:
        return (blanks_stream(self.requester, self.series),)

    def about(self) -> str:
        return blanks_stream(self.requester, self.series)


class ReceiveBlanks(OfSeries):
    """Blanks asked for have come: their numbers, from the first on."""

    TYPE = "blanks.receive"
    first: First
    copies: Copies


class PrintBlanks(OfSeries):
    """A department prints its own 自行印制 (2.5b)."""

    TYPE = "blanks.print"
    certificate: Title
    first: First
    copies: Copies


class UseBlank(OfSeries):
    """One number is used up: issued in a case, spoiled, or voided (2.5c)."""

    TYPE = "blanks.use"
    serial_number: First
    fate: Fate
    number: Number | None = None

    def streams(self) -> tuple[str, ...]:
        case = () if self.number is None else (case_stream(self.department, self.number),)
        return (blanks_stream(self.department, self.series), *case)

    @model_validator(mode="after")
    def _issued_in_a_case(self) -> UseBlank:
        if (self.fate == "issued") != (self.number is not None):
            raise BadField("number", "blanks.number", "核发须有办件号，作废、注销不得有")
        return self


class BlanksRequested(Event):
    TOPIC = "blanks.requested"
    certificate: str
    copies: int
    to: str


class BlanksAssisted(Event):
    TOPIC = "blanks.assisted"


class BlanksReceived(Event):
    TOPIC = "blanks.received"
    first: int
    copies: int


class BlanksPrinted(Event):
    TOPIC = "blanks.printed"
    certificate: str
    first: int
    copies: int


class BlankUsed(Event):
    """`number` is that of the case in which it was issued."""

    TOPIC = "blanks.used"
    serial_number: int
    fate: Fate
    number: str | None


class Run(NamedTuple):
    """Numbers from `first` on; bit *n* of `used` is set where `first + n` is used up."""

    first: int
    copies: int
    used: int = 0

    def has(self, serial: int) -> bool:
        return self.first <= serial < self.first + self.copies

    def overlaps(self, first: int, copies: int) -> bool:
        return first < self.first + self.copies and self.first < first + copies


@dataclass(frozen=True, slots=True)
class BlanksState(State):
    """`due`: how many that were asked for have not come; `assisted`: that request was; and what became of numbers."""

    certificate: str = ""
    due: int = 0
    assisted: bool = False
    runs: tuple[Run, ...] = ()
    issued: int = 0
    spoiled: int = 0
    voided: int = 0

    @property
    def left(self) -> int:
        return sum(run.copies for run in self.runs) - self.issued - self.spoiled - self.voided

    def evolve(self, event: Event) -> BlanksState:
        new = replace(self, version=event.originator_version)
        match event:
            case BlanksRequested():
                return replace(new, certificate=event.certificate, due=event.copies, assisted=False)
            case BlanksAssisted():
                return replace(new, assisted=True)
            case BlanksReceived():
                due = max(0, self.due - event.copies)
                return replace(new, due=due, runs=(*self.runs, Run(event.first, event.copies)))
            case BlanksPrinted():
                return replace(new, certificate=event.certificate, runs=(*self.runs, Run(event.first, event.copies)))
            case BlankUsed():
                runs = tuple(
                    run._replace(used=run.used | 1 << (event.serial_number - run.first))
                    if run.has(event.serial_number)
                    else run
                    for run in self.runs
                )
                return replace(new, runs=runs, **{event.fate: getattr(self, event.fate) + 1})
        return new


@decides(RequestBlanks)
def request_blanks(submission: Submission[RequestBlanks], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "APPROVAL")
    world.require_department(payload.to, "HIGHER_AUTHORITY")
    state = world.blanks(payload.department, payload.series)
    if state.due:
        raise Refusal("blanks.requested")
    return [
        state.then(
            BlanksRequested, submission.meta, certificate=payload.certificate, copies=payload.copies, to=payload.to
        )
    ]


@decides(AssistBlanks)
def assist_blanks(submission: Submission[AssistBlanks], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "SUPERVISION")
    state = world.blanks(payload.requester, payload.series)
    if not state.version:
        raise Waiting(blanks_stream(payload.requester, payload.series))
    if not state.due or state.assisted:
        raise Refusal("blanks.not_requested")
    return [state.then(BlanksAssisted, submission.meta)]


@decides(ReceiveBlanks)
def receive_blanks(submission: Submission[ReceiveBlanks], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state = world.blanks(payload.department, payload.series)
    if not state.version:
        raise Waiting(blanks_stream(payload.department, payload.series))
    if not state.due:
        raise Refusal("blanks.not_requested")
    _require_new(state, payload.first, payload.copies)
    return [state.then(BlanksReceived, submission.meta, first=payload.first, copies=payload.copies)]


@decides(PrintBlanks)
def print_blanks(submission: Submission[PrintBlanks], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "APPROVAL")
    state = world.blanks(payload.department, payload.series)
    _require_new(state, payload.first, payload.copies)
    return [
        state.then(
            BlanksPrinted,
            submission.meta,
            certificate=payload.certificate,
            first=payload.first,
            copies=payload.copies,
        )
    ]


@decides(UseBlank)
def use_blank(submission: Submission[UseBlank], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state = world.blanks(payload.department, payload.series)
    if not state.runs:
        raise Waiting(blanks_stream(payload.department, payload.series))
    run = next((run for run in state.runs if run.has(payload.serial_number)), None)
    if run is None:
        raise Refusal("blanks.unknown")
    if run.used >> (payload.serial_number - run.first) & 1:
        raise Refusal("blanks.used")
    if payload.number is not None:
        case = world.case(payload.department, payload.number)
        if not case.status:
            raise Waiting(case.stream)
        if case.status != "granted":
            raise Refusal("case.state")
    return [
        state.then(
            BlankUsed,
            submission.meta,
            serial_number=payload.serial_number,
            fate=payload.fate,
            number=payload.number,
        )
    ]


def _require_new(state: BlanksState, first: int, copies: int) -> None:
    """No number comes twice."""
    if any(run.overlaps(first, copies) for run in state.runs):
        raise Refusal("blanks.twice")
