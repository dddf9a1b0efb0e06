"""What is done to a clock 时限, and what that comes to (2.2j): extended, suspended, resumed, recomputed, pressed.

All of it is on a stream of its own, `clock/<subject>`, whatever the clock is that of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from domain.clocks import ClockKind, Due
from domain.event import Event, State
from domain.personal import Text
from domain.submissions import Day, Payload

_PARTS = r"(/[^\s/\x00-\x1f]+)"
Subject = Annotated[
    str,
    StringConstraints(
        pattern=rf"^((feedback|consultation|case){_PARTS}{{2}}|(notice|tasks){_PARTS}{{3}}|rating{_PARTS}{{3}}/(contact|rectify|revisit))$",
        max_length=300,
    ),
]
"""The stream that has a clock; of a task, its case's tasks and its number; of a rating, the rating and the stage."""


def clock_stream(subject: str) -> str:
    return f"clock/{subject}"


class Clock(NamedTuple):
    """How something stands whose time is limited: `holders` are to do it; `running` unless done, moved or waiting;
    `overseer`: who presses them, where that is another than the reform office; `run`: by which event of its stream it
    began, of what may begin again."""

    subject: str
    kind: ClockKind
    holders: tuple[str, ...]
    due: Due
    running: bool
    case: str = ""
    matter: str = ""
    overseer: str | None = None
    run: int = 0


class OfClock(Payload):
    """Base of what is done with a clock by whoever stands above its holders."""

    clock: Subject

    def streams(self) -> tuple[str, ...]:
        return (self.clock, clock_stream(self.clock))

    def about(self) -> str:
        return self.clock

    def subject(self) -> str:
        return self.clock


class ExtendClock(OfClock):
    """延期: so many working days more."""

    TYPE = "clock.extend"
    days: Annotated[int, Field(ge=1, le=250)]
    reason: Text


class SuspendClock(OfClock):
    """中止: the time stands still from a day on."""

    TYPE = "clock.suspend"
    on: Day
    reason: Text


class ResumeClock(OfClock):
    """恢复: it runs on, later by the working days that it stood still."""

    TYPE = "clock.resume"
    on: Day


class ClockEvent(Event):
    """Base of what happens to a clock; `due` as it is from then on; `run`: the event of its stream by which it began,
    of a question or finding that may be asked again."""

    clock: str
    kind: ClockKind
    holders: tuple[str, ...]
    case: str
    matter: str
    due: Due
    run: int = 0


class ClockExtended(ClockEvent):
    TOPIC = "clock.extended"
    days: int
    reason: Text


class ClockSuspended(ClockEvent):
    TOPIC = "clock.suspended"
    on: Day
    reason: Text

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


class ClockResumed(ClockEvent):
    """`days`: the working days that it stood still."""

    TOPIC = "clock.resumed"
    on: Day
    days: int

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


class ClockRecomputed(ClockEvent):
    """Limits or calendar have changed, and with them the day."""

    TOPIC = "clock.recomputed"


class Rise(ClockEvent):
    """Base of a ladder's rung, by its number."""

    rung: int


class ClockReminded(Rise):
    """催办: the holders are reminded."""

    TOPIC = "clock.reminded"


class ClockEscalated(Rise):
    """督办: whoever is above the holders is told to press it, and they are told of that."""

    TOPIC = "clock.escalated"
    to: str


@dataclass(frozen=True, slots=True)
class ClockState(State):
    """`due`: where something has changed it; `extra` working days were given beyond what limits say, or stood still;
    `rungs` were climbed. All of one `run`: a finding that is replied to has another."""

    run: int = 0
    due: Due | None = None
    suspended_on: date | None = None
    extra: int = 0
    rungs: frozenset[int] = frozenset()
    resumed_on: date | None = None

    def evolve(self, event: Event) -> ClockState:
        if not isinstance(event, ClockEvent):
            return replace(self, version=event.originator_version)
        new = replace(self.of(event.run), version=event.originator_version)
        match event:
            case ClockExtended():
                return replace(new, due=event.due, extra=new.extra + event.days)
            case ClockSuspended():
                return replace(new, suspended_on=event.on)
            case ClockResumed():
                return replace(new, due=event.due, extra=new.extra + event.days, suspended_on=None, resumed_on=event.on)
            case ClockRecomputed():
                return replace(new, due=event.due)
            case ClockReminded() | ClockEscalated():
                return replace(new, rungs=new.rungs | {event.rung})
        return new

    def of(self, run: int) -> ClockState:
        """What concerns the clock that began by that event."""
        return self if self.run == run else ClockState(self.stream, self.version, run)
