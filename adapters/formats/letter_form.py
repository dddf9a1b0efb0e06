"""The letter's form 信函格式 of GB/T 9704-2012: red head, signature, attachments."""

from __future__ import annotations

from datetime import date

from adapters.formats.paper import (
    CHARACTER,
    LEFT,
    PITCH,
    POINT,
    RED,
    SIZE_2,
    SIZE_3,
    TOP,
    WIDTH,
    Paper,
    first_line,
    printable,
    under,
)

PAGE, _HEIGHT = 210.0, 297.0


def red_head(paper: Paper, organ: str) -> float:
    """On a page that has just begun; the base line of the number beneath."""
    organ = printable(organ)
    size = min(40.0, WIDTH / max(len(organ), 1) / POINT / 1.02)
    paper.centred(PAGE / 2, under(30.0, size), organ, size, "biaosong", RED)
    line = 30.0 + size * POINT + 4.0
    edge = (PAGE - 170.0) / 2
    paper.rule(edge, line, 170.0, 1.0, RED)
    paper.rule(edge, line + 1.7, 170.0, 0.35, RED)
    paper.rule(edge, _HEIGHT - 20.0 - 1.7, 170.0, 0.35, RED)
    paper.rule(edge, _HEIGHT - 20.0 - 1.0, 170.0, 1.0, RED)
    gap = SIZE_3 * POINT * 7 / 8
    return under(line + 2.05 + gap, SIZE_3)


def signature(paper: Paper, organ: str, day: date, y: float) -> None:
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


def spoken(day: date) -> str:
    """2026年4月9日."""
    return f"{day.year}年{day.month}月{day.day}日"
