"""Pictures as numbers: where the parts of a chart lie, for templates that draw them as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

WIDTH, HEIGHT = 1200, 180
LEFT, BOTTOM, TOP = 40, 24, 12


class Bar(NamedTuple):
    """A column of a day, with the value's height and the line's height above the ground, and its mark beneath."""

    day: date
    x: float
    width: float
    y: float
    height: float
    value: int
    line_x: float
    line_y: float
    line_value: int
    mark: str


class Trend(NamedTuple):
    """Columns and a line over the same days. `ticks`: values of the scale and where they lie."""

    bars: list[Bar]
    ticks: list[tuple[int, float]]
    points: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    ground: int = HEIGHT - BOTTOM


def trend(days: Mapping[date, Mapping[str, int]], columns: str, line: str) -> Trend:
    """Of two counters by day."""
    top = _nice(max((max(row[columns], row[line]) for row in days.values()), default=0))
    step = (WIDTH - LEFT) / max(len(days), 1)
    tall = HEIGHT - BOTTOM - TOP

    def above(value: int) -> float:
        return round(HEIGHT - BOTTOM - max(value, 0) * tall / top, 1)

    bars = []
    for number, (day, row) in enumerate(days.items()):
        x = LEFT + number * step
        mark = f"{day:%m-%d}" if number % 5 == len(days) % 5 - 1 or number == len(days) - 1 else ""
        y = above(row[columns])
        bars.append(
            Bar(
                day=day,
                x=round(x + step * 0.15, 1),
                width=round(step * 0.7, 1),
                y=y,
                height=round(HEIGHT - BOTTOM - y, 1),
                value=row[columns],
                line_x=round(x + step / 2, 1),
                line_y=above(row[line]),
                line_value=row[line],
                mark=mark,
            )
        )
    ticks = [(value, above(value)) for value in sorted({0, top // 2, top})]
    return Trend(bars, ticks, " ".join(f"{bar.line_x},{bar.line_y}" for bar in bars))


def _nice(most: int) -> int:
    """A round number that is not below."""
    size = 1
    while True:
        for factor in (2, 4, 10):
            if factor * size >= most:
                return factor * size
        size *= 10


class Span(NamedTuple):
    """A piece of a band: who, from when, until when, and where it lies of 1000."""

    who: str
    since: date | None
    until: date | None
    x: float
    width: float
    first: bool


def band(changes: Sequence[tuple[date, str]], before: str, since: date, until: date) -> list[Span]:
    """Who it was over time: `before` until the first change, then whom each change names."""
    days = max((until - since).days, 1)
    pieces = [(since, None, before), *((day, day, who) for day, who in changes if day <= until)]
    spans = []
    for number, (begins, said, who) in enumerate(pieces):
        ends = pieces[number + 1][0] if number + 1 < len(pieces) else until
        x, width = max((begins - since).days, 0) * 1000 / days, max((ends - max(begins, since)).days, 0) * 1000 / days
        if width > 0:
            last = ends - timedelta(days=1) if number + 1 < len(pieces) else None
            spans.append(Span(who, said, last, round(x, 1), round(width, 1), who == before))
    return spans
