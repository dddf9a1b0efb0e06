"""Positions past the end the broker named.

Kafka names the end of a partition rightly. The embedded broker names the first offset of its last batch, plus one, and
does not refuse a fetch beyond its end; but what it says with every fetch (the high watermark) is right. So such a
position is believed until the first fetch has been answered.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from adapters.kafka.alarms import PositionOutOfRange
from adapters.kafka.records import Place

_ANSWERED_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Doubt:
    wanted: int
    first: int
    known: int | None  # the high watermark from before: it proves nothing against the position
    until: float  # by then a fetch has been answered


class Doubts:
    """The positions not yet confirmed."""

    def __init__(self) -> None:
        self._doubts: dict[Place, _Doubt] = {}

    def add(self, place: Place, wanted: int, first: int, known: int | None) -> None:
        """Watch a position."""
        self._doubts[place] = _Doubt(wanted, first, known, time.monotonic() + _ANSWERED_S)

    def drop(self, places: Iterable[Place]) -> None:
        """Watch these no longer."""
        for place in places:
            self._doubts.pop(place, None)

    def decide(self, highwater: Callable[[Place], int | None]) -> list[PositionOutOfRange]:
        """Those that turned out wrong; they, and those that turned out right, are watched no longer."""
        wrong = []
        for place, doubt in list(self._doubts.items()):
            last = highwater(place)
            if last is None or (last == doubt.known and doubt.wanted > last and time.monotonic() < doubt.until):
                continue
            del self._doubts[place]
            if doubt.wanted > last:
                wrong.append(PositionOutOfRange(*place, doubt.wanted, doubt.first, last))
        return wrong
