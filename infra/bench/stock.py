"""The stock way: a plain `eventsourcing` application that makes the same decisions, with one `save` per submission.

Its decisions are the domain's own, so that nothing but the way of storing differs. Storing is as the library's
documentation shows it: `Application` with its PostgreSQL factory, JSONTranscoder with a transcoding for each value
type, aggregates with `@event` methods, `repository.get` for the streams a decision reads, `save` of what changed.

In its favour: it remembers in memory which submissions it has seen, who is parked, the registers and the last serial of
each ledger; it moves no Kafka positions, and seals no dead letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import JSONTranscoder, Transcoding
from psycopg import conninfo

from domain.arrivals import Arrival, Intake, Place
from domain.catalogue import EVENT_TYPES
from domain.event import Event, State
from domain.notices import NoticeOwed, notice_stream
from domain.registers import Registers
from domain.world import World


class Stream(Aggregate):
    """A case, a notice, a seal, …: its facts in order."""

    @event("Begun")
    def __init__(self, stream: str, fact: Event) -> None:
        self.stream = stream
        self.facts = [fact]

    @event("Recorded")
    def record(self, fact: Event) -> None:
        self.facts.append(fact)

    @staticmethod
    def create_id(stream: str, **_: Any) -> UUID:
        return uuid5(NAMESPACE_URL, stream)


class Disposition(Aggregate):
    """What became of a submission."""

    @event("Given")
    def __init__(self, place: str, principal: str, type_: str, content: str, outcome: str, errors: list[Any]) -> None:
        self.place = place
        self.principal = principal
        self.type = type_
        self.content = content
        self.outcome = outcome
        self.errors = errors


class StockApplication(Application[UUID]):
    """Takes decoded submissions one by one."""

    def __init__(self, url: str, registers: Registers) -> None:
        parts = conninfo.conninfo_to_dict(url)
        super().__init__(
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": str(parts["dbname"]),
                "POSTGRES_HOST": str(parts.get("host") or "127.0.0.1"),
                "POSTGRES_PORT": str(parts.get("port") or 5432),
                "POSTGRES_USER": str(parts["user"]),
                "POSTGRES_PASSWORD": str(parts.get("password") or ""),
            }
        )
        self._states: dict[str, State] = {}
        self._streams: dict[str, Stream] = {}
        self._world = World(registers, self._read, datetime.now(UTC), self._states)
        self._intake = Intake(self._world, _Memory())

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        for topic, kind in EVENT_TYPES.items():
            transcoder.register(_fact_transcoding(topic, kind))

    def take(self, arrival: Arrival) -> None:
        """Decides one submission, and those it releases, and saves what comes of it."""
        events, results = len(self._world.pending), len(self._intake.results)
        self._intake.take(arrival)
        for fact in self._world.pending[events:]:
            self._keep(fact)
        dispositions = [
            Disposition(
                str(result.arrival.place),
                result.arrival.principal,
                result.arrival.type,
                result.arrival.content.hex(),
                result.outcome.disposition,
                [[e.field, e.rule, e.message, e.found] for e in result.outcome.errors],
            )
            for result in self._intake.results[results:]
        ]
        self.save(*self._streams.values(), *dispositions)
        # Nothing but the ledgers' serials is kept: the next decision reads its streams again.
        for name in [name for name in self._states if not name.startswith("ledger/")]:
            del self._states[name]
        self._streams.clear()

    def _keep(self, fact: Event) -> None:
        """A notice's first fact is that it is owed; the ledger is a number in it."""
        name = notice_stream(fact.notice) if isinstance(fact, NoticeOwed) else fact.originator_id
        known = self._streams.get(name)
        if known is None:
            self._streams[name] = Stream(name, fact)
        else:
            known.record(fact)

    def _read(self, wanted: Iterable[str]) -> dict[str, list[Event]]:
        found = {}
        for name in wanted:
            if name.startswith("ledger/"):
                continue
            try:
                aggregate: Stream = self.repository.get(Stream.create_id(name))
            except AggregateNotFoundError:
                continue
            self._streams[name] = aggregate
            found[name] = list(aggregate.facts)
        return found


class _Memory:
    """Nothing came before this run."""

    def seen(self, _place: Place) -> bool:
        return False

    def claim(self, _source: str, _id: str) -> bytes | None:
        return None

    def waiting(self, _stream: str) -> list[Arrival]:
        return []


def _fact_transcoding(topic: str, kind: type[Event]) -> Transcoding:
    class Fact(Transcoding):
        name = topic
        type = kind

        def encode(self, obj: Event) -> dict[str, Any]:
            return obj.model_dump(mode="json")

        def decode(self, data: dict[str, Any]) -> Event:
            return kind.model_validate(data)

    return Fact()
