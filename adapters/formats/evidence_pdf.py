"""A case's summary as a PDF on official paper: what it is, what happened, who was told, how that is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.formats.paper import (
    BLACK,
    BOTTOM,
    LEFT,
    POINT,
    RED,
    SIZE_2,
    SIZE_4,
    SIZE_5,
    TOP,
    WIDTH,
    Paper,
    under,
)

TITLE = "办件证据摘要"
_STEP = SIZE_5 * POINT * 1.4
_PAD = 1.2
_LABEL = 30.0
_CODE = 26.0
_HEADING = 9.0


@dataclass(frozen=True, slots=True)
class Section:
    """A table: its columns with their widths, which make up the block's together."""

    title: str
    columns: tuple[tuple[str, float], ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """All that the summary says. `code`: what its QR code holds; `made_at`: of the checkpoint."""

    subtitle: str
    author: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    notes: Sequence[str]
    code: str
    made_at: datetime


def evidence_pdf(page: EvidencePage) -> bytes:
    """The same content gives the same bytes."""
    with Paper(f"{TITLE} {page.subtitle}", page.author, page.made_at) as paper:
        y = _front(paper, page)
        for section in page.sections:
            y = _section(paper, section, y + 5.0)
        _notes(paper, page.notes, y + 5.0)
        return paper.finish()


def _front(paper: Paper, page: EvidencePage) -> float:
    paper.turn()
    side = _CODE
    middle = LEFT + WIDTH / 2
    paper.centred(middle, under(TOP, SIZE_2), TITLE, SIZE_2, "biaosong", RED)
    line = TOP + SIZE_2 * POINT + 4.0
    for number, text in enumerate(paper.lines(page.subtitle, WIDTH - 2 * side - 4 * _PAD, SIZE_5)):
        paper.centred(middle, under(line + number * 6.0, SIZE_5), text, SIZE_5, "song")
    rule = TOP + side + 2.0
    paper.code(LEFT + WIDTH - side, TOP - 1.0, side, page.code)
    paper.rule(LEFT, rule, WIDTH, 0.9, RED)
    paper.rule(LEFT, rule + 1.5, WIDTH, 0.3, RED)
    y = rule + 6.0
    for name, text in page.facts:
        y = _fact(paper, name, text, y)
    return y


def _fact(paper: Paper, name: str, text: str, y: float) -> float:
    lines = paper.lines(text, WIDTH - _LABEL - 4 * _PAD, SIZE_5) or [""]
    height = len(lines) * _STEP + 3 * _PAD
    if y + height > BOTTOM:
        y = _turn(paper)
    paper.box(LEFT, y, _LABEL, height)
    paper.box(LEFT + _LABEL, y, WIDTH - _LABEL, height)
    paper.centred(LEFT + _LABEL / 2, _base(y, height, 1, 0), name, SIZE_5, "hei")
    for number, line in enumerate(lines):
        paper.put(LEFT + _LABEL + 2 * _PAD, _base(y, height, len(lines), number), line, SIZE_5)
    return y + height


def _section(paper: Paper, section: Section, y: float) -> float:
    if y + _HEADING + 4 * _STEP > BOTTOM:
        y = _turn(paper)
    paper.put(LEFT, under(y, SIZE_4), section.title, SIZE_4, "hei")
    y = _heads(paper, section, y + _HEADING)
    for row in section.rows:
        y = _row(paper, section, row, y)
    return y


def _heads(paper: Paper, section: Section, y: float) -> float:
    height = _STEP + 2 * _PAD
    x = LEFT
    for name, width in section.columns:
        paper.box(x, y, width, height)
        paper.centred(x + width / 2, _base(y, height, 1, 0), name, SIZE_5, "hei")
        x += width
    return y + height


def _row(paper: Paper, section: Section, row: tuple[str, ...], y: float) -> float:
    """On one page, unless it is longer than one: then its lines go on under the headings."""
    cells = [
        paper.lines(text, width - 2 * _PAD, SIZE_5) if text else []
        for text, (_, width) in zip(row, section.columns, strict=True)
    ]
    most = int((BOTTOM - TOP - 2 * _STEP - 4 * _PAD) / _STEP)
    while True:
        count = min(max(map(len, cells)), most)
        height = count * _STEP + 2 * _PAD
        if y + height > BOTTOM:
            y = _heads(paper, section, _turn(paper))
        x = LEFT
        for lines, (_, width) in zip(cells, section.columns, strict=True):
            paper.box(x, y, width, height)
            for number, line in enumerate(lines[:count]):
                paper.put(x + _PAD, _base(y, height, min(len(lines), count), number), line, SIZE_5)
            x += width
        y += height
        cells = [lines[count:] for lines in cells]
        if not any(cells):
            return y


def _notes(paper: Paper, notes: Sequence[str], y: float) -> None:
    for text in notes:
        lines = paper.lines(text, WIDTH, SIZE_5, indent=2 * SIZE_5 * POINT)
        for number, line in enumerate(lines):
            if y + _STEP > BOTTOM:
                y = _turn(paper)
            paper.put(LEFT + (0.0 if number else 2 * SIZE_5 * POINT), under(y, SIZE_5), line, SIZE_5, colour=BLACK)
            y += _STEP
        y += 1.0


def _turn(paper: Paper) -> float:
    paper.turn()
    return TOP


def _base(y: float, height: float, lines: int, number: int) -> float:
    """The base line of one of several lines in the middle of a box."""
    return under(y + (height - lines * _STEP) / 2 + number * _STEP + 0.6, SIZE_5)
