"""The intake: Kafka records in, events out, positions with them. Stateless: kill it anywhere and start it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

import psycopg
import structlog

from adapters.kafka.records import Place
from adapters.postgres.desk import DeadLetter, dead_letters
from adapters.postgres.liveness import show_alive
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
from infra.roles.feed import Batch, Feed, LocalFeed
from infra.roles.feed_apart import FeedApart, FeedDied
from infra.store import Store

_log = structlog.get_logger("shenguan.intake")
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
POLL_SECONDS = 0.25
LOOK_SECONDS = 2.0
"""How soon an idle worker notices that an operator has rewound its topics."""


class IntakeRole:
    """One worker. Several share the partitions by a consumer group; the writer's lock lets one decide at a time."""

    def __init__(self, store: Store, on_batch: Callable[[Written], None] | None = None) -> None:
        self._store = store
        self._settings = store.settings
        self._writer = store.writer()
        self._decoder = Decoder(store.names, store.sealer(), store.auth)
        self._look_at = 0.0
        self._next: dict[Place, tuple[int, int]] = {}  # (next offset, epoch) of what comes next
        self._on_batch = on_batch
        self._more = True
        self._strange: dict[str, str] = {}  # the ids of topics made anew that nobody has accepted yet
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set. Raises what cannot be got over by waiting."""
        feed = self.feed()
        failures = 0
        try:
            while not self.stopped.is_set():
                try:
                    # Open before anybody is told where to begin, and all given up before it is opened again: a crash
                    # of the database, which may have lost keys, breaks it, and nothing sealed with those is written.
                    self._writer.open()
                    if self.turn(feed):
                        failures = 0
                except Fenced as fenced:
                    _log.warning("intake_fenced", reason=str(fenced))
                    self._give_up(feed)
                except (psycopg.OperationalError, FeedDied) as error:
                    # The database is away, full, or restarting, or the process that reads was killed: stay in the
                    # group, take nothing, ask again.
                    what = "reading_process_died" if isinstance(error, FeedDied) else "database_unavailable"
                    wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                    failures += 1
                    _log.error(what, error=first_line(error), retry_in_s=wait)
                    self._decoder.forget()
                    self._give_up(feed)
                    feed.stay(wait, self.stopped)
        finally:
            feed.close()
            self._writer.close()

    def feed(self) -> Feed:
        """What `turn` is fed with; whoever opens it closes it."""
        return (FeedApart if self._settings.reads_apart else LocalFeed)(self._store, self._positions)

    def turn(self, feed: Feed) -> bool:
        """One batch, if there is one; whether one came, and was written. Raises what `run` gets over."""
        self._look_for_epochs(feed)
        batch = feed.poll(0.0 if self._more else POLL_SECONDS)
        if batch is not None:
            arrivals = self._decoder.arrivals(batch)
            written = self._writer.write(arrivals, self._moves(batch), letters=self._letters(arrivals))
        elif self._more:
            written = self._writer.write()
        else:
            return False
        _tell(written)
        self._more = written.more
        if batch is not None and self._on_batch is not None:
            self._on_batch(written)
        return batch is not None

    def _look_for_epochs(self, feed: Feed) -> None:
        """Gives up where somebody else has opened a new epoch: where nothing comes, no batch would be fenced."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        with self._store.connect() as conn:
            show_alive(conn, {"role.intake": None})
            known = topics(conn)
        stale = [place for place, (_, epoch) in self._next.items() if place[0] in known and known[place[0]][1] != epoch]
        if stale:
            _log.warning("intake_epoch_passed", places=len(stale))
            self._give_up(feed)

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

    def _moves(self, batch: Batch) -> list[Advance]:
        ends = {(topic, partition): offset + 1 for topic, partition, offset in batch.places}
        moves = [
            Advance(batch.topic_ids[topic], partition, *self._next[topic, partition], end)
            for (topic, partition), end in ends.items()
        ]
        for place, move in zip(ends, moves, strict=True):
            self._next[place] = (move.next_offset, move.epoch)
        return moves

    def _give_up(self, feed: Feed) -> None:
        """Nothing is known of our positions any more: ask the database again before reading on."""
        self._more = True
        self._next.clear()
        feed.give_up()

    def _positions(self, places: list[Place], ids: dict[str, str]) -> dict[Place, int]:
        """Where to begin. A topic created anew is read from its start under a new epoch, once that is recorded.

        Of an external broker's that takes an operator's word (`shenguan topics accept`): until then it is left out, and
        the source asks for it again and again.
        """
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


def _tell(written: Written) -> None:
    """What became of what can be followed through the logs of several systems."""
    for arrival, outcome, released in written.results:
        if arrival.correlation and not released:
            _log.info(
                "submission_decided",
                correlation_id=arrival.correlation,
                source=arrival.source,
                id=arrival.id,
                type=arrival.type,
                disposition=outcome.disposition,
                rule=outcome.rule,
            )
