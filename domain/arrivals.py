"""A submission as it arrived, and the order of business at the desk: seen, claimed, decided, parked, released."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from domain.deadletters import RetryDeadLetter
from domain.event import Auth, Event
from domain.handling import Disposition, Outcome, handle
from domain.notices import NoticeDelivered, NoticeDispatched, NoticeGivenUp, NoticeOwed, notice_stream
from domain.rules import FieldError, rejection
from domain.submissions import Submission
from domain.world import World

CLAIMING: frozenset[Disposition] = frozenset({"accepted", "refused", "parked"})
"""The dispositions that hold a submission's identity: another under it is a duplicate or a conflict."""
AWAITED = frozenset(
    {
        "blanks",
        "case",
        "circular",
        "consultation",
        "department",
        "entry",
        "feedback",
        "handover",
        "inspection",
        "letter",
        "mapping",
        "matter",
        "notice",
        "principal",
        "rating",
        "review",
        "tasks",
    }
)
"""The kinds of streams that a decider may wait for."""
RELEASES_PER_BATCH = 5_000
"""A chain of released submissions is cut here and goes on in the next batch."""


class Place(NamedTuple):
    """Where it lay in Kafka: the topic's id (not its name: a topic may be created anew), partition, offset."""

    topic_id: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic_id}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The inverse of `str`."""
        topic_id, partition, offset = text.split("/")
        return cls(topic_id, int(partition), int(offset))


@dataclass(slots=True)
class Arrival:
    """One Kafka record, decoded as far as it went. Without a `submission` there are `errors`.

    `content` is the keyed hash of the canonical content (RFC 8785); `raw` gives the record as it came,
    and is None once that is sealed; `correlation` is for logs alone.
    """

    place: Place
    topic: str
    principal: str
    auth: Auth
    arrived_at: datetime
    submission: Submission[Any] | None = None
    content: bytes = b""
    source: str = ""
    id: str = ""
    type: str = ""
    retry_of: str | None = None
    errors: tuple[FieldError, ...] = ()
    raw: Callable[[], str] | None = None
    correlation: str = ""


class Result(NamedTuple):
    """What became of an arrival; `released` if it had been parked before this batch or earlier in it."""

    arrival: Arrival
    outcome: Outcome
    released: bool = False


class Desk(Protocol):
    """What is remembered of earlier submissions."""

    def seen(self, place: Place) -> bool:
        """Whether this very record was read before."""
        ...

    def claim(self, source: str, id_: str) -> bytes | None:
        """The content of the submission that holds this identity."""
        ...

    def waiting(self, stream: str) -> list[Arrival]:
        """Arrivals parked in earlier batches for this stream, in the order of their coming."""
        ...


class Intake:
    """One batch. `take` arrivals in order; `results` say what became of each, `redelivered` which were read again.

    A parked submission is released by the very event it waits for, before the next arrival is looked at, so that the
    log does not depend on where batches end.
    """

    def __init__(self, world: World, desk: Desk, letters: Mapping[Place, Arrival] | None = None) -> None:
        self.results: list[Result] = []
        self.redelivered: list[Place] = []
        self.cut: list[Arrival] = []
        self.behind = False  # more are ready than were decided by `again`: who comes now takes its turn after them
        self._world = world
        self._desk = desk
        self._places: set[Place] = set()
        self._claims: dict[tuple[str, str], bytes | None] = {}
        self._parked: dict[str, list[Arrival]] = {}
        self._unparked: set[Place] = set()
        self._released = 0
        self._letters = dict(letters or {})

    def take(self, arrival: Arrival) -> None:
        """Gives the arrival its one disposition, and those it releases theirs."""
        if arrival.place in self._places or self._desk.seen(arrival.place):
            self.redelivered.append(arrival.place)
            return
        self._places.add(arrival.place)
        if arrival.submission is None:
            self._put(arrival, Outcome("dead", errors=arrival.errors))
            return
        payload = arrival.submission.payload
        if isinstance(payload, RetryDeadLetter) and Place.parse(payload.place) not in self._letters:
            self._put(arrival, Outcome("dead", errors=rejection("place", "deadletter.unknown", payload.place).errors))
            return
        self._claim_and_decide(arrival, released=False)
        if isinstance(payload, RetryDeadLetter) and self.results[-1].outcome.disposition == "accepted":
            self._retry(self._letters[Place.parse(payload.place)])

    def again(self, arrival: Arrival) -> None:
        """Decides a parked arrival whose turn has come (its release was cut off in an earlier batch)."""
        if arrival.place in self._unparked:
            return  # one before it, just decided, has released it anew
        if self.cut:
            self.cut.append(arrival)  # it stays ready, and takes its turn among those just cut
            return
        self._unparked.add(arrival.place)
        self._decide(arrival, released=True)

    def record(self, events: Iterable[Event]) -> None:
        """Takes facts that no submission here made, and decides those who waited for them."""
        before = len(self._world.pending)
        self._world.append(events)
        self._decide_all(deque(self._freed(before)))

    def _retry(self, letter: Arrival) -> None:
        """A dead letter's second chance; what comes of it replaces its disposition."""
        if letter.submission is None:
            self._put(letter, Outcome("dead", errors=letter.errors), released=True)
            return
        at = len(self.results)
        self._claim_and_decide(letter, released=True)
        if self.results[at].outcome.disposition != "dead":
            del self._letters[letter.place]

    def _claim_and_decide(self, arrival: Arrival, *, released: bool) -> None:
        identity = (arrival.source, arrival.id)
        claimed = self._claims[identity] if identity in self._claims else self._desk.claim(*identity)
        if claimed is not None:
            self._put(arrival, Outcome("duplicate" if claimed == arrival.content else "conflict"), released)
        elif (self.cut or self.behind) and arrival.type != RetryDeadLetter.TYPE and not _classified(arrival):
            # Those of the cut chain came first: this one takes its turn after them, in the next batch.
            self.cut.append(arrival)
            self._put(arrival, Outcome("parked", stream="ready"), released)
        else:
            self._decide(arrival, released=released)

    def _decide(self, arrival: Arrival, *, released: bool) -> None:
        self._decide_all(deque([(arrival, released)]))

    def _decide_all(self, queue: deque[tuple[Arrival, bool]]) -> None:
        """(arrival, whether it had been parked), and whom each releases in turn."""
        while queue:
            one, was_parked = queue.popleft()
            assert one.submission is not None
            before = len(self._world.pending)
            outcome = handle(one.submission, self._world)
            self._put(one, outcome, was_parked)
            if outcome.disposition == "dead":
                self._claims[one.source, one.id] = None  # it may have been parked and held its identity until now
            queue.extend(self._freed(before))

    def _freed(self, before: int) -> Iterator[tuple[Arrival, bool]]:
        """Who waited for what has been taken into the world since it held `before` events."""
        for stream in _advanced(self._world.pending[before:]):
            for waiting in self._release(stream):
                if self._released >= RELEASES_PER_BATCH:
                    self.cut.append(waiting)
                else:
                    self._released += 1
                    yield waiting, True

    def _put(self, arrival: Arrival, outcome: Outcome, released: bool = False) -> None:
        self.results.append(Result(arrival, outcome, released))
        if outcome.disposition in CLAIMING:
            self._claims[arrival.source, arrival.id] = arrival.content
        if outcome.disposition == "parked":
            assert outcome.stream is not None
            self._parked.setdefault(outcome.stream, []).append(replace(arrival, raw=None))

    def _release(self, stream: str) -> list[Arrival]:
        """Who waits for the stream. One parked anew in this batch is found here, never again at the desk."""
        earlier = [a for a in self._desk.waiting(stream) if a.place not in self._unparked]
        self._unparked.update(a.place for a in earlier)
        return earlier + self._parked.pop(stream, [])


def _classified(arrival: Arrival) -> bool:
    """Refused at once, never parked: nothing of it may be stored."""
    return arrival.submission is not None and arrival.submission.classified


def _advanced(events: list[Event]) -> list[str]:
    """The streams that somebody may have been waiting for, in order and once each."""
    streams: dict[str, None] = {}
    for event in events:
        if isinstance(event, (NoticeDispatched, NoticeDelivered, NoticeGivenUp)):
            continue  # no decision depends on how a notice travels
        stream = notice_stream(event.notice) if isinstance(event, NoticeOwed) else event.originator_id
        if stream.partition("/")[0] in AWAITED:
            streams[stream] = None
    return list(streams)
