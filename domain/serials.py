"""An addressee's check that no notice was withheld: serials without a gap, each notice once."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 100_000


@dataclass(slots=True)
class SerialWatch:
    """Remembers what was read in one run. `missing`: serials passed over and not seen yet."""

    last: int | None = None
    missing: set[int] = field(default_factory=set)
    _seen: dict[str, None] = field(default_factory=dict)

    def seen(self, notice: str) -> bool:
        """Whether the notice is among the last ones read; from now on it is."""
        if notice in self._seen:
            return True
        self._seen[notice] = None
        if len(self._seen) > KEPT:
            del self._seen[next(iter(self._seen))]
        return False

    def take(self, serial: int) -> range:
        """The serials that this one shows to be missing; the first one read may be any."""
        self.missing.discard(serial)
        if self.last is None or serial <= self.last:
            self.last = max(self.last or 0, serial)
            return range(0)
        gap = range(self.last + 1, serial)
        self.missing.update(gap)
        self.last = serial
        return gap
