"""Records fetched and not yet handed out, and where each place stands."""

from collections import deque
from collections.abc import Collection, Iterable

from adapters.kafka.records import Place, RawRecord


class Holdings:
    """The buffer between the fetches and the caller: in offset order per place, its bytes counted."""

    def __init__(self) -> None:
        self._records: deque[RawRecord] = deque()
        self._expected: dict[Place, int] = {}
        self._given: dict[Place, int] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def places(self) -> set[Place]:
        """The places that have a position."""
        return set(self._expected)

    @property
    def topics(self) -> set[str]:
        """The topics of what is held."""
        return {record.topic for record in self._records}

    @property
    def given(self) -> dict[Place, int]:
        """Per place, the offset after the last record handed out (at first, the position it was opened at)."""
        return dict(self._given)

    def open(self, place: Place, position: int) -> None:
        """Take records of the place from this offset on."""
        self._expected[place] = self._given[place] = position

    def drop(self, places: Collection[Place]) -> None:
        """Forget the places and what is held of them."""
        if not places:
            return
        gone = set(places)
        for place in gone & self._expected.keys():
            del self._expected[place], self._given[place]
        if any(record.place in gone for record in self._records):
            self._records = deque(record for record in self._records if record.place not in gone)
            self.bytes = sum(record.size for record in self._records)

    def add(self, records: Iterable[RawRecord]) -> int:
        """Take what is wanted of the records: of places that are open, and not before their position."""
        added = 0
        for record in records:
            expected = self._expected.get(record.place)
            if expected is None or record.offset < expected:
                continue  # fetched before the place was given up or set back
            self._expected[record.place] = record.offset + 1
            self._records.append(record)
            self.bytes += record.size
            added += 1
        return added

    def take(self, max_records: int, max_bytes: int) -> list[RawRecord]:
        """The oldest records, within both limits; but one record larger than `max_bytes` comes alone."""
        taken: list[RawRecord] = []
        size = 0
        while self._records and len(taken) < max_records:
            record = self._records[0]
            if taken and size + record.size > max_bytes:
                break
            self._records.popleft()
            size += record.size
            taken.append(record)
            self._given[record.place] = record.offset + 1
        self.bytes -= size
        return taken
