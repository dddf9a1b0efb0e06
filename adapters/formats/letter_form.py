"""The letter's form 信函格式 of GB/T 9704-2012: its first page, its attachments and the tables in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from adapters.formats.paper import (
    CHARACTER,
    LEFT,
    PITCH,
    POINT,
    RED,
    SIZE_2,
    SIZE_3,
    SIZE_5,
    TOP,
    WIDTH,
    Paper,
    first_line,
    printable,
    under,
)

Columns = tuple[tuple[str, float], ...]
"""Of a table: what stands at the head of each, and its width in millimetres."""
_PAGE, _HEIGHT = 210.0, 297.0
LINE = SIZE_5 * POINT * 1.35
"""From line to line in a table in 五号, in millimetres."""


class Letter(Protocol):
    """What the first page of every letter says, next to its title and its text."""

    @property
    def organ(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def addressee(self) -> str: ...
    @property
    def issued_on(self) -> date: ...


def first_page(paper: Paper, letter: Letter, title: str, body: Sequence[str], attachments: Sequence[str]) -> None:
    """`body`: a paragraph each; `attachments`: their titles."""
    paper.turn()
    y = _red_head(paper, letter.organ)
    paper.put(LEFT + WIDTH - paper.width(letter.number, SIZE_3), y, letter.number)
    y += PITCH * 3
    paper.centred(_PAGE / 2, y, title, SIZE_2, "biaosong")
    y = paper.paragraph(y + PITCH * 2, f"{letter.addressee}：", indent=0)
    for text in body:
        y = paper.paragraph(y, text)
    y += PITCH
    for number, name in enumerate(attachments, 1):
        said = f"{number}. {name}"
        paper.put(LEFT + (2 if number == 1 else 5) * CHARACTER, y, f"附件：{said}" if number == 1 else said)
        y += PITCH
    _signature(paper, letter.organ, letter.issued_on, y + PITCH * 2)


def _red_head(paper: Paper, organ: str) -> float:
    """On a page that has just begun; the base line of the number beneath."""
    organ = printable(organ)
    size = min(40.0, WIDTH / max(len(organ), 1) / POINT / 1.02)
    paper.centred(_PAGE / 2, under(30.0, size), organ, size, "biaosong", RED)
    line = 30.0 + size * POINT + 4.0
    edge = (_PAGE - 170.0) / 2
    paper.rule(edge, line, 170.0, 1.0, RED)
    paper.rule(edge, line + 1.7, 170.0, 0.35, RED)
    paper.rule(edge, _HEIGHT - 20.0 - 1.7, 170.0, 0.35, RED)
    paper.rule(edge, _HEIGHT - 20.0 - 1.0, 170.0, 1.0, RED)
    gap = SIZE_3 * POINT * 7 / 8
    return under(line + 2.05 + gap, SIZE_3)


def _signature(paper: Paper, organ: str, day: date, y: float) -> None:
    """The date four characters from the right, the organ centred over it unless it is too long."""
    said, organ = spoken(day), printable(organ)
    long, short = paper.width(organ, SIZE_3), paper.width(said, SIZE_3)
    right = LEFT + WIDTH
    middle = min(right - 4 * CHARACTER - short / 2, right - 2 * CHARACTER - long / 2)
    paper.put(middle - long / 2, y, organ)
    paper.put(middle - short / 2, y + PITCH, said)


def attachment(paper: Paper, number: int, title: str) -> float:
    """A page of its own; where what follows the title may begin."""
    paper.turn()
    paper.put(LEFT, first_line(0), f"附件{number}", face="hei")
    paper.centred(LEFT + WIDTH / 2, first_line(2), title, SIZE_2, "biaosong")
    return TOP + 3.5 * PITCH


@dataclass(frozen=True, slots=True)
class Table:
    """A table under its heads. `centred`: the columns that are, by head; `size`: of a row's type, in points; and in
    millimetres `step`, from line to line, `pad`, between a box and its text, and `drop`, how far below their box's
    middle lines stand."""

    columns: Columns
    centred: frozenset[str]
    size: float
    step: float
    pad: float
    drop: float

    def heads(self, paper: Paper, y: float) -> float:
        """What follows may begin at what this gives."""
        height = LINE + 2 * self.pad
        x = LEFT
        for name, width in self.columns:
            paper.box(x, y, width, height)
            paper.centred(x + width / 2, under(y + self.pad + 0.4, SIZE_5), name, SIZE_5, "hei")
            x += width
        return y + height

    def turned(self, paper: Paper) -> float:
        """Goes on on a new page, under the same heads."""
        paper.turn()
        return self.heads(paper, TOP)

    def cells(self, paper: Paper, row: Sequence[str]) -> tuple[list[list[str]], float]:
        """A row's lines by column, and how high it will be."""
        cells = [
            paper.lines(text, width - 2 * self.pad, self.size) if text else []
            for text, (_, width) in zip(row, self.columns, strict=True)
        ]
        return cells, max(map(len, cells)) * self.step + 2 * self.pad

    def row(self, paper: Paper, y: float, cells: Sequence[Sequence[str]], height: float) -> float:
        x = LEFT
        for lines, (name, width) in zip(cells, self.columns, strict=True):
            paper.box(x, y, width, height)
            edge = y + (height - len(lines) * self.step) / 2 + self.drop
            for number, line in enumerate(lines):
                at = (width - paper.width(line, self.size)) / 2 if name in self.centred else self.pad
                paper.put(x + at, under(edge + number * self.step, self.size), line, self.size)
            x += width
        return y + height


def spoken(day: date) -> str:
    """2026年4月9日."""
    return f"{day.year}年{day.month}月{day.day}日"
