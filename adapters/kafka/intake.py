"""The intake's consumer: positions come from the caller, never from Kafka.

The positions are the database's (design §3): they move in the same transaction as the events. So Kafka's own commits
are not used at all, a partition is fetched only once the caller has said where, and it is asked again whenever the
partition was reassigned, given up, or its topic made anew.
"""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, Final

import structlog
from kafka import TopicPartition, errors

from adapters.kafka import clients
from adapters.kafka.alarms import PositionOutOfRange
from adapters.kafka.doubts import Doubts
from adapters.kafka.holdings import Holdings
from adapters.kafka.names import TopicNames
from adapters.kafka.rebalance import RebalanceNotes
from adapters.kafka.records import Place, RawRecord, from_client
from adapters.kafka.roster import TopicRoster

__all__ = ["IntakeSource", "Place", "PositionOutOfRange", "RawRecord"]

_log = structlog.get_logger(__name__)
_LOOKUP_MS: Final = 5_000
_ASK_AGAIN_S: Final = 1.0
_BREATHE_S, _BREATH_S = 1.0, 0.1
AHEAD: Final = 4
"""So many times the records that are handed out at once are held before only those places are fetched of which nothing
is held: a merge by time needs the next record of each. Of large records, whose bytes reach their limit first, there
are fewer."""
BRIM: Final = 6
"""So many times that is held at most, however many places there are: what they still have is merged no more."""
_FIRST_GUESS: Final = 1_024  # bytes a record, until some have been seen
_MERGE_S: Final = 0.2
"""So long a full batch waits for the places that have more at the broker and nothing here."""


class IntakeSource:
    """Reads every intake topic of a store, or this worker's share of them; or other topics by name. For one thread.

    Args:
        options: `bootstrap_servers`, security, tuning (`fetch_max_wait_ms`, `session_timeout_ms`, …).
        store: whose topics.
        positions: asked from within `poll`, in the caller's thread, where to begin with partitions newly assigned. A
            place it leaves out stays stopped and is asked for again. What it raises comes out of `poll`.
        group: the consumer group to share the partitions with; None reads all of them (static assignment).
        assignor: `range`, or `cooperative`, which stops only what moves (but two members taking turns in one thread
            were seen to rebalance for ever).
        refresh_s: how often to look for new topics and partitions.
        only: these topics instead of the store's intake topics; needs static assignment.

    Raises:
        clients.BrokerError: no broker answers.
    """

    def __init__(
        self,
        options: clients.Options,
        store: str,
        positions: Callable[[list[Place]], dict[Place, int]],
        *,
        group: str | None = None,
        assignor: str = "range",
        refresh_s: float = 5.0,
        only: Collection[str] | None = None,
    ) -> None:
        names = TopicNames(store)
        self._positions = positions
        self._static = group is None
        self._ask_at = self._breathe_at = 0.0
        self._held = Holdings()
        self._waiting: set[Place] = set()  # assigned, not yet placed
        self._doubts = Doubts()
        self._alarms: dict[Place, PositionOutOfRange] = {}
        self._flowing: set[Place] = set()
        self._paused = False
        self._broken: Exception | None = None
        self._mean = _FIRST_GUESS
        self._vain: dict[Place, int] = {}  # waited for at this offset in vain: an open transaction, a broker away
        self._notes = RebalanceNotes(self._stop)
        wanted = (lambda name: names.principal_of(name) is not None) if only is None else frozenset(only).__contains__
        self._roster = TopicRoster(options, wanted, refresh_s)
        try:
            self._consumer = clients.without_positions(options, group, assignor, refresh_s)
        except BaseException:
            self._roster.close()
            raise
        if not self._static:
            self._consumer.subscribe(pattern=names.intake_pattern, listener=self._notes)

    @property
    def assigned(self) -> set[Place]:
        """The places assigned to this consumer, whether they flow or not."""
        return {(each.topic, each.partition) for each in self._consumer.assignment()}

    @property
    def topic_ids(self) -> dict[str, str]:
        """The ids of the topics it reads; fresh whenever `positions` is called."""
        return dict(self._roster.ids)

    @property
    def alarms(self) -> list[PositionOutOfRange]:
        """The places stopped because their position is out of the broker's range."""
        return [self._alarms[place] for place in sorted(self._alarms)]

    def pause(self) -> None:
        """Hand out nothing more, but stay in the group as long as `poll` goes on being called."""
        self._paused = True

    def resume(self) -> None:
        """Hand out again."""
        self._paused = False

    def give_up(self, places: Iterable[Place]) -> None:
        """Forget the position of the places and what was fetched of them; the next `poll` asks where to begin."""
        mine = set(places) & self.assigned
        for place in mine:
            self._stop(TopicPartition(*place))
        self._reconsider(mine)

    def poll(self, timeout_s: float, max_records: int, max_bytes: int) -> list[RawRecord]:
        """The next records, in offset order per partition, the partitions merged by time as far as they are fetched;
        none if nothing comes within `timeout_s`.

        Their bytes (value, key and headers) sum up to at most `max_bytes`, but a record larger than that comes alone.

        Raises:
            clients.BrokerError: reading failed in a way this consumer does not get over: make a new one. (That the
                broker is away is no error: nothing comes.)
            Exception: whatever `positions` raised; calling again asks again.
        """
        if self._broken is not None:
            raise self._broken
        begun = time.monotonic()
        deadline, patience = begun + timeout_s, begun + min(timeout_s, _MERGE_S)
        while True:
            self._refresh()
            self._settle()
            behind = self._behind()
            left, left_bytes = AHEAD * max_records - len(self._held), max_bytes - self._held.bytes
            full = left <= 0 or left_bytes <= 0
            brimming = len(self._held) >= BRIM * AHEAD * max_records or self._held.bytes >= BRIM * max_bytes
            if full:
                left, left_bytes = max_records, max_bytes // AHEAD
            awaited = not brimming and len(self._held) >= max_records and any(map(self._worth_waiting, behind.items()))
            self._steer(set() if self._paused or brimming else set(behind) if full else self._held.places)
            # Also when nothing is wanted: polling is what keeps us in the group.
            until = deadline if self._paused or not len(self._held) else patience if awaited else begun
            added = self._fetch(max(0.0, until - time.monotonic()), left, left_bytes)
            now = time.monotonic()
            if self._paused:
                if now >= deadline:
                    return []
            elif awaited and now < patience:
                continue
            elif (len(self._held) and (full or not added)) or now >= deadline:
                if awaited:
                    self._vain |= self._behind()
                return self._held.take(max_records, max_bytes) if self._verified() else []

    def _behind(self) -> dict[Place, int]:
        """The places of which nothing is held though the broker has more, and the offset each is to go on at."""
        ends = ((place, offset, self._highwater(place)) for place, offset in self._held.empty())
        return {place: offset for place, offset, end in ends if end is None or end > offset}

    def _worth_waiting(self, behind: tuple[Place, int]) -> bool:
        """Not where it was waited for in vain, nor where only a transaction's marker lies before the end."""
        place, offset = behind
        if self._vain.get(place) == offset:
            return False
        end = self._highwater(place)
        with suppress(errors.IllegalStateError, KeyError):  # taken from us in the meantime
            return end is None or (self._consumer.position(TopicPartition(*place)) or 0) < end
        return False

    def _verified(self) -> bool:
        """Whether what is held is of the topics we think: they may have been made anew since we last looked.

        An id never comes back, so asking after the fetch is enough. If nobody answers, the records wait.
        """
        names = self._held.topics
        changed = self._roster.changed(names) if names else set()
        if changed:
            self._refresh(now=True)
            self.give_up(place for place in self.assigned if place[0] in changed)
        return changed is not None

    def lag(self) -> dict[Place, int]:
        """Per placed partition, how many offsets the broker holds beyond the last record handed out.

        Raises:
            clients.BrokerError: the broker did not say in time.
        """
        given = self._held.given
        partitions = {place: TopicPartition(*place) for place in given}
        ends = self._consumer.end_offsets(list(partitions.values()), timeout_ms=_LOOKUP_MS) if partitions else {}
        # The embedded broker's end is too low by its last batch; what a fetch tells is right.
        return {
            place: max(0, max(ends[partition], self._highwater(place) or 0) - given[place])
            for place, partition in partitions.items()
        }

    def close(self) -> None:
        """Leave the group and disconnect."""
        self._consumer.close(autocommit=False, timeout_ms=_LOOKUP_MS)
        self._roster.close()

    def _stop(self, partition: Any) -> None:
        """Keep a partition from being fetched until it is placed. Touches memory only: also runs on the IO thread."""
        with suppress(KeyError, ValueError):  # taken from us in the meantime
            self._consumer.pause(partition)
            # A placeholder, never fetched: without a position kafka-python would look for a commit in Kafka, find
            # none, and raise out of every poll, for all partitions.
            self._consumer.seek(partition, 0)

    def _reconsider(self, places: set[Place]) -> None:
        if places:
            self._ask_at = 0.0
        self._held.drop(places)
        self._flowing -= places
        self._waiting |= places
        self._doubts.drop(places)
        for place in places:
            self._alarms.pop(place, None)

    def _refresh(self, now: bool = False) -> None:
        """See to new topics and partitions, and to topics made anew."""
        anew = self._roster.refresh(now)
        before = self.assigned
        if self._static and self._roster.places != before:
            wanted = set(self._roster.places)
            self._consumer.assign([TopicPartition(*place) for place in sorted(wanted)])
            for place in wanted - before:
                self._stop(TopicPartition(*place))
            self._reconsider(wanted ^ before)
        if anew:
            self.give_up(place for place in self.assigned if place[0] in anew)

    def _settle(self) -> None:
        """Take note of what a rebalance did, and ask where to begin with what is new."""
        self._reconsider(self._notes.drain())
        self._waiting &= self.assigned
        if self._waiting and not self._paused and time.monotonic() >= self._ask_at:
            self._refresh(now=True)  # the caller looks its positions up by topic id
            self._place(sorted(self._waiting & self.assigned))
            self._ask_at = time.monotonic() + _ASK_AGAIN_S

    def _place(self, places: list[Place]) -> None:
        wanted = self._positions(places)
        partitions = {place: TopicPartition(*place) for place in places if place in wanted}
        if not partitions:
            return
        try:
            first = self._consumer.beginning_offsets(list(partitions.values()), timeout_ms=_LOOKUP_MS)
            last = self._consumer.end_offsets(list(partitions.values()), timeout_ms=_LOOKUP_MS)
        except clients.BrokerError as error:
            _log.warning("intake_ranges_unknown", error=type(error).__name__, places=len(partitions))
            return  # still waiting: tried again
        for place, partition in partitions.items():
            position = wanted[place]
            self._waiting.discard(place)
            if position < first[partition]:
                self._alarm(PositionOutOfRange(*place, position, first[partition], last[partition]))
                continue
            known = self._highwater(place)
            with suppress(ValueError):  # taken from us in the meantime
                self._consumer.seek(partition, position)
                self._held.open(place, position)
                if position > last[partition]:
                    self._doubts.add(place, position, first[partition], known)

    def _alarm(self, alarm: PositionOutOfRange) -> None:
        place = (alarm.topic, alarm.partition)
        self._stop(TopicPartition(*place))
        self._reconsider({place})
        self._waiting.discard(place)
        self._alarms[place] = alarm
        _log.error("intake_position_out_of_range", place=place, wanted=alarm.wanted, first=alarm.first, last=alarm.last)

    def _steer(self, wanted: set[Place]) -> None:
        """Let these be fetched, and no others."""
        for place in wanted ^ self._flowing:
            change = self._consumer.resume if place in wanted else self._consumer.pause
            with suppress(KeyError):  # taken from us in the meantime
                change(TopicPartition(*place))
        self._flowing = wanted

    def _fetch(self, wait_s: float, records: int, size: int) -> int:
        """Let kafka-python work, and keep what it has of about so many records and bytes; how many that were."""
        if not self._static and time.monotonic() >= self._breathe_at:
            # Without time to wait, kafka-python cannot even begin to rejoin its group after a rebalance.
            self._breathe_at = time.monotonic() + _BREATHE_S
            wait_s = max(wait_s, _BREATH_S)
        count = max(1, min(records, size // self._mean))
        try:
            fetched = self._consumer.poll(timeout_ms=int(wait_s * 1000), max_records=count)
        except errors.OffsetOutOfRangeError as error:
            self._out_of_range(error.args[0])
            return 0
        except errors.LogTruncationError as error:
            self._out_of_range(error.divergent_offsets)
            return 0
        except clients.BrokerError as error:
            if not (error.retriable or isinstance(error, errors.TopicAuthorizationFailedError)):
                self._broken = error
                raise
            # One topic we may not read stops nothing but itself.
            _log.warning("intake_poll_failed", error=type(error).__name__, topics=[str(each) for each in error.args])
            time.sleep(min(wait_s, _BREATH_S))
            return 0
        self._reconsider(self._notes.drain())  # what was fetched of these may be from before they were reassigned
        added = sum(
            self._held.add((partition.topic, partition.partition), map(from_client, records))
            for partition, records in fetched.items()
        )
        if added:
            self._mean = max(1, self._held.bytes // len(self._held))
        for alarm in self._doubts.decide(self._highwater):
            self._alarm(alarm)
        return added

    def _out_of_range(self, partitions: Iterable[Any]) -> None:
        for partition in partitions:
            place = (partition.topic, partition.partition)
            try:
                first = self._consumer.beginning_offsets([partition], timeout_ms=_LOOKUP_MS)[partition]
                last = self._consumer.end_offsets([partition], timeout_ms=_LOOKUP_MS)[partition]
            except clients.BrokerError:
                first = last = -1
            self._alarm(PositionOutOfRange(*place, self._held.given.get(place, -1), first, last))

    def _highwater(self, place: Place) -> int | None:
        with suppress(errors.IllegalStateError, KeyError):
            found: int | None = self._consumer.highwater(TopicPartition(*place))
            return found
        return None
