"""Rates and quantiles."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence


class Pace:
    """How fast batches are committed. The first commit starts the clock, so that nobody's start-up is counted."""

    def __init__(self) -> None:
        self._begun = self._first = self._last = time.perf_counter()
        self._in_first = 0
        self.total = 0

    def committed(self, count: int) -> None:
        """So many more are in the database."""
        self._last = time.perf_counter()
        if not self.total:
            self._first, self._in_first = self._last, count
        self.total += count

    @property
    def rate(self) -> float:
        """Per second; where there was but one batch, its start-up included."""
        if self.total > self._in_first:
            return (self.total - self._in_first) / (self._last - self._first)
        return self.total / max(self._last - self._begun, 1e-9)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def quantiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and p99.9 in milliseconds, and of how many values."""
    found: dict[str, float] = {
        name: round(quantile(seconds, share) * 1000, 2)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
    }
    return found | {"n": len(seconds)}
