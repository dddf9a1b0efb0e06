"""Between domain events and the stored columns. The state's bytes are what proofs hash: made once, never rewritten."""

from __future__ import annotations

from typing import Any

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from pydantic_core import from_json

from domain.catalogue import EVENT_TYPES
from domain.event import Event

_ADDRESS = {"originator_id", "originator_version"}


class UnknownEvent(Exception):
    """The log holds an event of a topic or version that this program does not know."""


class EventMapper(Mapper[str]):
    """Topics are the events' own names, not Python paths; old versions are upcast on reading."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(transcoder=JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        assert isinstance(domain_event, Event)
        state = domain_event.__pydantic_serializer__.to_json(domain_event, exclude=_ADDRESS)
        version = type(domain_event).class_version
        if version > 1:
            state = b'{"class_version":%d,' % version + state[1:]
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, domain_event.TOPIC, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        return self.read(
            str(stored_event.originator_id), stored_event.originator_version, stored_event.topic, stored_event.state
        )

    def read(self, stream: str, version: int, topic: str, state: bytes) -> Event:
        """The event of one row. Raises UnknownEvent."""
        kind = EVENT_TYPES.get(topic)
        if kind is None:
            raise UnknownEvent(f"{stream} {version}: topic {topic}")
        fields = from_json(state)
        stored_version = fields.pop("class_version", 1)
        if stored_version > kind.class_version:
            raise UnknownEvent(f"{stream} {version}: {topic} of version {stored_version}")
        for step in range(stored_version, kind.class_version):
            getattr(kind, f"upcast_v{step}_v{step + 1}")(fields)
        fields["originator_id"] = stream
        fields["originator_version"] = version
        return kind.__pydantic_validator__.validate_python(fields)  # type: ignore[no-any-return]
