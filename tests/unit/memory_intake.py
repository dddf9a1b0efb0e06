"""An intake in memory: the domain's own order of business, without Kafka, database or real keys. An oracle for tests.

Records are read as the real intake reads them and go through `domain.arrivals.Intake` in batches. Every batch begins in
a fresh world that reads the stored events, as after a restart.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785

from adapters.crypto.jws import ATTRIBUTE, verify_compact, verify_detached
from adapters.formats.workdays import published
from adapters.kafka.cloudevents import MalformedEvent, decode
from adapters.postgres.mapper import EventMapper
from domain import catalogue
from domain.arrivals import Arrival, Intake, Place, Result
from domain.departments import Department
from domain.event import Event, Recorded
from domain.handling import Outcome
from domain.leaves import Row, leaf, microseconds
from domain.merkle import leaf_hash
from domain.notices import NoticeOwed, notice_stream
from domain.personal import Sealed, seal
from domain.registers import Registers
from domain.rules import FieldError, Rejection
from domain.signatures import Signature
from domain.submissions import Payload, Submission, read_header, read_payload
from domain.system import calendar_adopted, found
from domain.world import TICK, World

assert catalogue.DECIDERS
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STORE = "150000"


class FakeSealer:
    """Seals by turning the value around: good enough to see that nothing stays as it was."""

    def seal(self, subject: str, value: str) -> Sealed:
        return Sealed(subject=subject, ciphertext=value[::-1], commitment="0" * 64)

    def pseudonym(self, value: str) -> str:
        return value[::-1]


@dataclass(frozen=True, slots=True)
class Record:
    """A record in a principal's intake topic."""

    principal: str
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


def read(record: Record, place: Place) -> Arrival:
    """The record, decoded as far as it goes; the content is the canonical text itself."""
    source = id_ = type_ = ""
    content = b""
    errors: tuple[FieldError, ...] = ()
    submission = None
    try:
        envelope = decode(record.value, record.headers)
        source, id_ = str(envelope.attributes["source"]), str(envelope.attributes["id"])
        header = read_header(dict(envelope.attributes), record.principal)
        signature = None
        if ATTRIBUTE in envelope.attributes and not header.classified:
            jws = str(envelope.attributes[ATTRIBUTE])
            good = verify_detached(jws, envelope.attributes, STORE, envelope.data)
            signature = Signature(**good._asdict(), subjects=("x",), ciphertext="")
        type_ = header.type
        if header.classified:
            content, payload = b"classified", Payload(department="classified")
        else:
            said = {"type": header.type, "time": header.occurred_at.isoformat(), "data": json.loads(envelope.data)}
            content, payload = rfc8785.dumps(said), read_payload(header.type, envelope.data)
        for field_name, jws in payload.statements().items():
            verify_compact(jws, field_name)
        sealed = seal(payload, FakeSealer(), payload.subject() or f"submission/{source}/{id_}")
        about = source, id_, header.occurred_at, record.principal
        submission = Submission(*about, "acl", sealed, header.classified, header.caller, signature)
    except MalformedEvent as error:
        errors = (FieldError(error.field, error.rule, error.message, ""),)
    except Rejection as rejection:
        errors = rejection.errors
    except (json.JSONDecodeError, UnicodeDecodeError):
        errors = (FieldError("data", "json.invalid", "", ""),)
    return Arrival(
        place, record.principal, record.principal, "acl", NOW, submission, content, source, id_, type_, errors=errors
    )


@dataclass(slots=True)
class MemoryIntake:
    """One store. `submit` takes a batch in and releases what waited for it; `results` are current, by place."""

    registers: Registers = field(default_factory=Registers)
    events: list[Event] = field(default_factory=list)
    results: dict[Place, Result] = field(default_factory=dict)
    now: datetime = NOW
    store: str = STORE
    times: list[datetime] = field(default_factory=list)
    """When each event was recorded."""
    _offsets: Counter[str] = field(default_factory=Counter)
    _streams: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    _owing: dict[str, Event] = field(default_factory=dict)
    _claims: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _parked: dict[str, dict[Place, Arrival]] = field(default_factory=dict)
    _cut: list[Arrival] = field(default_factory=list)

    def found(self, founding: dict[str, Any]) -> None:
        """Founds the store as the generator's founding.json says."""
        office = Department.model_validate_json(json.dumps(founding["reform_office"]))
        principals = {name: tuple(codes) for name, codes in founding["principals"].items()}
        now = datetime(2025, 1, 1, tzinfo=UTC)
        self.record(lambda world: found(world, office, principals, founding["operator"], now, founding.get("vouching")))
        self.record(lambda world: calendar_adopted(world, published(), now))

    @property
    def world(self) -> World:
        """As the stored events tell it."""
        return World(self.registers, self._load, max([self.now, *self.times[-1:]]), leaf=self.leaf)

    def leaf(self, stream: str, version: int) -> str | None:
        """Its leaf's hash, as if the events lay in a table one after the other."""
        events = self._streams.get(stream, [])
        if version > len(events):
            return None
        at = next(n for n, one in enumerate(self.events) if one is events[version - 1])
        row = EventMapper().to_stored_event(self.events[at])
        given = at + 1, microseconds(self.times[at]), stream.encode(), version, row.topic.encode(), row.state
        return leaf_hash(leaf(Row(*given))).hex()

    @property
    def recorded(self) -> list[Recorded]:
        """All that is recorded, at its place and time."""
        return [Recorded(n, self.times[n - 1], event) for n, event in enumerate(self.events, 1)]

    def record(self, fact: Callable[[World], Iterable[Event]]) -> None:
        """A fact that no submission made, decided against the world."""
        world = self.world
        intake = Intake(world, self)
        intake.record(fact(world))
        self._keep(world, intake)

    def hand_in(self, record: Record) -> Outcome:
        """A batch of one; what became of it."""
        return self.submit(record)[0].outcome

    def submit(self, *records: Record) -> list[Result]:
        """Takes one batch in; what became of each arrival, and of those it released, in order."""
        world = self.world
        intake = Intake(world, self)
        ready, self._cut = self._cut, []
        for arrival in ready:
            intake.again(arrival)
        for record in records:
            place = Place(record.principal, 0, self._offsets[record.principal])
            self._offsets[record.principal] += 1
            intake.take(read(record, place))
        self._keep(world, intake)
        return intake.results

    # The desk that `Intake` asks.

    def seen(self, place: Place) -> bool:
        return place in self.results

    def claim(self, source: str, id_: str) -> bytes | None:
        return self._claims.get((source, id_))

    def waiting(self, stream: str) -> list[Arrival]:
        return list(self._parked.get(stream, {}).values())

    # What tests look at.

    @property
    def dispositions(self) -> list[tuple[str, str, str, str]]:
        """(principal, source, id, current disposition) of every record."""
        return [(*_named(one.arrival), one.outcome.disposition) for one in self.results.values()]

    @property
    def rules(self) -> list[tuple[str, str, str, str]]:
        """(principal, source, id, rule) of every record that is refused, or dead by its first error."""
        found = ((one.arrival, _rule(one.outcome)) for one in self.results.values())
        return [(*_named(arrival), rule) for arrival, rule in found if rule is not None]

    @property
    def owed(self) -> list[NoticeOwed]:
        """Every notice owed, in the order of the log."""
        return [event for event in self.events if isinstance(event, NoticeOwed)]

    @property
    def notices(self) -> list[tuple[str, str, str, str]]:
        """(id, addressee, about, outstanding | received | taken | moved) of every notice."""
        world = self.world
        rows: list[tuple[str, str, str, str]] = []
        for event in self.owed:
            state = world.notice(event.notice)
            steps = (("moved", state.moved), ("taken", state.taken), ("received", state.received))
            final = next((name for name, reached in steps if reached), "outstanding")
            rows.append((event.notice, event.addressee, event.about, final))
        return rows

    def _keep(self, world: World, intake: Intake) -> None:
        self.times += [world.now + TICK * n for n in range(1, len(world.pending) + 1)]
        self._store(world.pending)
        self._cut += intake.cut
        for result in intake.results:
            self._note(result)

    def _note(self, result: Result) -> None:
        arrival, outcome = result.arrival, result.outcome
        place, identity = arrival.place, (arrival.source, arrival.id)
        if (before := self.results.get(place)) is not None and before.outcome.stream is not None:
            self._parked[before.outcome.stream].pop(place, None)
            del self._claims[identity]
        self.results[place] = result
        if outcome.disposition in ("accepted", "refused", "parked"):
            self._claims[identity] = arrival.content
        if outcome.stream is not None:
            self._parked.setdefault(outcome.stream, {})[place] = arrival

    def _store(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            stream = self._streams[event.originator_id]
            assert event.originator_version == len(stream) + 1
            stream.append(event)
            if isinstance(event, NoticeOwed):
                self._owing[notice_stream(event.notice)] = event

    def _load(self, streams: Iterable[str]) -> dict[str, list[Event]]:
        return {stream: self._read(stream) for stream in streams}

    def _read(self, stream: str) -> list[Event]:
        events = self._streams.get(stream, [])
        if stream.startswith("ledger/"):
            return events[-1:]
        owing = self._owing.get(stream)
        return [owing, *events] if owing else events


def _named(arrival: Arrival) -> tuple[str, str, str]:
    return arrival.principal, arrival.source, arrival.id


def _rule(outcome: Outcome) -> str | None:
    return outcome.errors[0].rule if outcome.errors else outcome.rule
