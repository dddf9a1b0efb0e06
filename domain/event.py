"""An immutable fact in the log, and the state folded from a stream of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.personal import Officer
from domain.signatures import Signed

Auth = Literal["none", "acl", "token", "jws", "system"]
"""How a sender was authenticated; `system` is Shenguan itself."""

EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event class by its topic."""


class Meta(BaseModel):
    """Where a fact comes from: the submission, who spoke, for whom, and when it occurred."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    id: str
    principal: str
    auth: Auth
    department: str | None = None
    officer: Officer | None = None
    occurred_at: datetime
    caller: str | None = None
    """Issuer and subject of the token by which a principal that vouches knew who spoke."""
    signed: Signed | None = None
    """By which key, and what, where it came with a signature."""

    @property
    def fact(self) -> str:
        """`source/id`: what identifies the submission that made the fact."""
        return f"{self.source}/{self.id}"


class Event(BaseModel):
    """Base of all events. `originator_id` is the stream, `originator_version` counts from 1 in it.

    The shape is the event protocol of the `eventsourcing` library. A subclass sets `TOPIC`, the name under which it
    is stored for ever; its `class_version` rises when its fields change, with an `upcast_vN_vM(state)` for each step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    originator_id: str
    originator_version: int
    meta: Meta

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "TOPIC" in cls.__dict__ and EVENT_TYPES.setdefault(cls.TOPIC, cls) is not cls:
            raise TypeError(f"two event classes claim the topic {cls.TOPIC}")

    @property
    def unique_key(self) -> str | None:
        """What may be recorded only once in a store, beside the place in its stream."""
        return None

    @property
    def effective_on(self) -> str | None:
        """The date from which the fact holds in the world (ISO 8601), where it has one of its own."""
        return None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event at its place in the log: `position` rises with `recorded_at`, gaps mean nothing."""

    position: int
    recorded_at: datetime
    event: Event


E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class State:
    """What a stream's events come to. `version` is that of the last event, 0 before the first."""

    stream: str
    version: int = 0

    def then(self, kind: type[E], meta: Meta, /, **payload: Any) -> E:
        """The stream's next event."""
        return kind(originator_id=self.stream, originator_version=self.version + 1, meta=meta, **payload)

    def evolve(self, event: Event) -> Self:
        """The state after one more event; subclasses add what they remember."""
        return replace(self, version=event.originator_version)

    def folded(self, events: Iterable[Event]) -> Self:
        """The state after these events of the stream."""
        state = self
        for event in events:
            state = state.evolve(event)
        return state
