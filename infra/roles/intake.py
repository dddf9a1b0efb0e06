"""The intake: Kafka records in, events out, positions with them. Stateless: kill it anywhere and start it again."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from datetime import datetime

import psycopg
import structlog

from adapters.kafka.intake import IntakeSource
from adapters.kafka.records import Place, RawRecord
from adapters.postgres.desk import DeadLetter, dead_letters
from adapters.postgres.positions import Advance, Fenced, open_epoch, positions, topics
from adapters.postgres.runner import first_line
from adapters.postgres.writer import Written
from domain import system
from domain.arrivals import Arrival
from domain.arrivals import Place as DeskPlace
from domain.deadletters import RetryDeadLetter
from domain.event import Event
from domain.world import World
from infra.roles.decoding import Decoder, record_of
from infra.roles.reading_pool import ReadingPool
from infra.store import Store

_log = structlog.get_logger("shenguan.intake")
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
POLL_SECONDS = 0.25
LOOK_SECONDS = 2.0
"""How soon an idle worker notices that an operator has rewound its topics."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Records under way to the writer. `arrivals` waits for them to be read."""

    places: list[Place]
    moves: list[Advance]
    arrivals: Callable[[], list[Arrival]]


class IntakeRole:
    """One worker. Several share the partitions by a consumer group; the writer's lock lets one decide at a time."""

    def __init__(self, store: Store, on_batch: Callable[[Written], None] | None = None) -> None:
        self._store = store
        self._settings = store.settings
        self._writer = store.writer()
        processes = self._settings.readers
        pool = ReadingPool(store, processes) if processes else None
        self._decoder = Decoder(store.names, store.sealer(), store.auth, pool)
        self._ahead: deque[_Batch] = deque()
        self._look_at = 0.0
        self._next: dict[Place, tuple[int, int]] = {}  # (next offset, epoch) after what is under way
        self._on_batch = on_batch
        self._more = True
        self._strange: dict[str, str] = {}  # the ids of topics made anew that nobody has accepted yet
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set. Raises what cannot be got over by waiting."""
        source = IntakeSource(
            self._store.kafka_options,
            self._settings.store,
            self._positions,
            group=f"shenguan.intake.{self._settings.store}" if self._settings.kafka_group else None,
        )
        self._source = source
        failures = 0
        try:
            while not self.stopped.is_set():
                try:
                    # Before anything is sealed: a crash of the database must break this connection.
                    self._writer.open()
                    self._turn(source)
                    failures = 0
                except Fenced as fenced:
                    _log.warning("intake_fenced", reason=str(fenced))
                    self._give_up(source)
                except (psycopg.OperationalError, BrokenExecutor) as error:
                    # The database is away, full, or restarting, or the process that reads was killed: stay in the
                    # group, take nothing, ask again.
                    what = "reading_process_died" if isinstance(error, BrokenExecutor) else "database_unavailable"
                    wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                    failures += 1
                    _log.error(what, error=first_line(error), retry_in_s=wait)
                    self._decoder.forget()
                    self._give_up(source)
                    self._stay(source, wait)
        finally:
            source.close()
            self._decoder.close()
            self._writer.close()

    def _turn(self, source: IntakeSource) -> None:
        """Reads on, and writes what was read before: while this process writes, others read the next batch."""
        self._look_for_epochs(source)
        wait = 0.0 if self._more or self._ahead else POLL_SECONDS
        records = source.poll(wait, self._settings.batch_max_records, self._settings.batch_max_bytes)
        if records:
            places, moves = self._moves(records, source)
            for place, move in zip(places, moves, strict=True):
                self._next[place] = (move.next_offset, move.epoch)
            self._ahead.append(_Batch(places, moves, self._decoder.start(records, source.topic_ids)))
            if source.more and len(self._ahead) <= self._settings.readers:
                return
        if self._ahead:
            self._write(self._ahead.popleft())
        elif self._more:
            self._more = self._writer.write().more

    def _write(self, batch: _Batch) -> None:
        arrivals = batch.arrivals()
        written = self._writer.write(arrivals, batch.moves, letters=self._letters(arrivals))
        self._more = written.more
        if self._on_batch is not None:
            self._on_batch(written)

    def _look_for_epochs(self, source: IntakeSource) -> None:
        """Gives up what somebody else has opened a new epoch of: where nothing comes, no batch would be fenced."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        with self._store.connect() as conn:
            known = topics(conn)
        stale = [place for place, (_, epoch) in self._next.items() if place[0] in known and known[place[0]][1] != epoch]
        if stale:
            _log.warning("intake_epoch_passed", places=len(stale))
            source.give_up(stale)
            for place in stale:
                del self._next[place]

    def _letters(self, arrivals: list[Arrival]) -> dict[DeskPlace, Arrival]:
        """The dead letters that operators ask to have decided again, opened and decoded anew."""
        wanted = [
            DeskPlace.parse(a.submission.payload.place)
            for a in arrivals
            if a.submission and isinstance(a.submission.payload, RetryDeadLetter)
        ]
        if not wanted:
            return {}
        with self._store.connect() as conn:
            letters = dead_letters(conn, wanted)
        found = {}
        for letter in letters:
            text = self._store.open(letter.kept)
            if text is not None:
                found[letter.place] = letter.parked_before(text) or self._again(letter, text)
        return found

    def _again(self, letter: DeadLetter, text: str) -> Arrival:
        record = record_of(text, letter.topic, letter.place)
        return self._decoder.decode([record], {letter.topic: letter.place.topic_id})[0]

    def _moves(self, records: list[RawRecord], source: IntakeSource) -> tuple[list[Place], list[Advance]]:
        ends = {record.place: record.offset + 1 for record in records}
        return list(ends), [
            Advance(source.topic_ids[topic], partition, *self._next[topic, partition], end)
            for (topic, partition), end in ends.items()
        ]

    def _give_up(self, source: IntakeSource) -> None:
        """Nothing is known of our positions any more: ask the database again before reading on."""
        self._more = True
        self._ahead.clear()
        source.give_up(list(self._next))
        self._next.clear()

    def _stay(self, source: IntakeSource, seconds: float) -> None:
        """Keeps polling, so that the group keeps us, and takes nothing: what is handed out does not come again."""
        source.pause()
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopped.is_set():
            handed_out = source.poll(0.1, 1, 1)
            assert not handed_out
        source.resume()

    def _positions(self, places: list[Place]) -> dict[Place, int]:
        """Where to begin. A topic created anew is read from its start under a new epoch, once that is recorded.

        Of an external broker's that takes an operator's word (`shenguan topics accept`): until then it is left out, and
        the source asks for it again and again.
        """
        ids = self._source.topic_ids
        # Where a batch is still under way the database does not know the place yet: it is asked for again.
        moving = {place for batch in self._ahead for place in batch.places}
        places = [place for place in places if place not in moving]
        with self._store.connect() as conn:
            known = topics(conn)
            for topic in {topic for topic, _ in places if topic in ids}:
                old_id, epoch = known.get(topic, ("", 0))
                if old_id == ids[topic]:
                    continue
                if old_id and not self._settings.embedded_kafka:
                    if self._strange.get(topic) != ids[topic]:
                        _log.error("intake_topic_recreated", topic=topic, known=old_id, found=ids[topic])
                        self._strange[topic] = ids[topic]
                    continue
                try:
                    self.open_epoch(topic, old_id, ids[topic], epoch + 1, "recreated" if old_id else "first")
                except Fenced:  # another intake was faster: what it recorded holds
                    known[topic] = topics(conn).get(topic, ("", 0))
                else:
                    known[topic] = (ids[topic], epoch + 1)
            wanted = [
                (ids[topic], partition, known[topic][1])
                for topic, partition in places
                if topic in ids and known.get(topic, ("", 0))[0] == ids[topic]
            ]
            found = positions(conn, wanted)
        by_id = {topic_id: topic for topic, topic_id in ids.items()}
        for (topic_id, partition), (offset, epoch) in found.items():
            self._next[by_id[topic_id], partition] = (offset, epoch)
        return {(by_id[topic_id], partition): offset for (topic_id, partition), (offset, _) in found.items()}

    def open_epoch(self, topic: str, old_id: str, new_id: str, epoch: int, reason: str) -> None:
        """Records that the topic is read from its start from now on, and fences off who still reads it.

        Raises Fenced, with nothing written, where somebody else has opened this epoch or a later one.
        """

        def fact(world: World, now: datetime) -> list[Event]:
            return system.epoch_opened(world, topic, old_id, new_id, epoch, reason, now)

        self._writer.run(lambda conn: open_epoch(conn, topic, new_id, epoch), [fact])
