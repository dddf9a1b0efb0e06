"""Records fetched and not yet handed out, and where each place stands."""

import time
from collections import deque
from collections.abc import Collection, Iterable
from heapq import heappop, heappush

from adapters.kafka.records import Place, RawRecord


class Holdings:
    """The buffer between the fetches and the caller: in offset order per place, the places merged by time.

    A client fetches place by place. Handed out like that, a backlog would come with each case's later submissions
    before its earlier ones wherever they lie in other topics, and most of it would have to be parked first.
    """

    def __init__(self) -> None:
        self._queues: dict[Place, deque[RawRecord]] = {}
        self._heads: list[tuple[int, int, Place]] = []  # a heap of (time, turn, place), one for each queue
        self._turn = 0
        self._expected: dict[Place, int] = {}
        self._given: dict[Place, int] = {}
        self._count = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self._count

    @property
    def places(self) -> set[Place]:
        """The places that have a position."""
        return set(self._expected)

    @property
    def topics(self) -> set[str]:
        """The topics of what is held."""
        return {topic for topic, _ in self._queues}

    @property
    def given(self) -> dict[Place, int]:
        """Per place, the offset after the last record handed out (at first, the position it was opened at)."""
        return dict(self._given)

    def empty(self) -> list[tuple[Place, int]]:
        """The places of which nothing is held, each with the offset it is to go on at."""
        return [(place, offset) for place, offset in self._expected.items() if place not in self._queues]

    def open(self, place: Place, position: int) -> None:
        """Take records of the place from this offset on."""
        self._expected[place] = self._given[place] = position

    def drop(self, places: Collection[Place]) -> None:
        """Forget the places and what is held of them."""
        gone = set(places)
        for place in gone & self._expected.keys():
            del self._expected[place], self._given[place]
        if gone & self._queues.keys():
            for place in gone & self._queues.keys():
                queue = self._queues.pop(place)
                self._count -= len(queue)
                self.bytes -= sum(record.size for record in queue)
            kept, self._heads = self._heads, []
            for head in kept:
                if head[2] in self._queues:
                    heappush(self._heads, head)

    def add(self, place: Place, records: Iterable[RawRecord]) -> int:
        """Take what is wanted of a place's records: where it is open, and not before its position."""
        expected = self._expected.get(place)
        if expected is None:
            return 0  # fetched before the place was given up
        wanted = [record for record in records if record.offset >= expected]
        if wanted:
            self._expected[place] = wanted[-1].offset + 1
            self._count += len(wanted)
            self.bytes += sum(record.size for record in wanted)
            queue = self._queues.get(place)
            if queue is None:
                self._queues[place] = deque(wanted)
                self._line_up(place, wanted[0])
            else:
                queue.extend(wanted)
        return len(wanted)

    def take(self, max_records: int, max_bytes: int) -> list[RawRecord]:
        """The oldest records, within both limits; but one record larger than `max_bytes` comes alone."""
        taken: list[RawRecord] = []
        size = 0
        while self._heads and len(taken) < max_records:
            place = self._heads[0][2]
            queue = self._queues[place]
            record = queue[0]
            if taken and size + record.size > max_bytes:
                break
            heappop(self._heads)
            queue.popleft()
            size += record.size
            taken.append(record)
            self._given[place] = record.offset + 1
            if queue:
                self._line_up(place, queue[0])
            else:
                del self._queues[place]
        self._count -= len(taken)
        self.bytes -= size
        return taken

    def _line_up(self, place: Place, record: RawRecord) -> None:
        """A time that lies ahead counts as now: a wrong clock shall not keep its records waiting for all others."""
        self._turn += 1
        heappush(self._heads, (min(record.timestamp_ms, int(time.time() * 1000)), self._turn, place))
