"""A statement 对账函 as a PDF in the letter's form of GB/T 9704-2012: the letter, its notices, feedback, the proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from adapters.formats.letter_form import PAGE, attachment, red_head, signature
from adapters.formats.paper import (
    BOTTOM,
    CHARACTER,
    LEFT,
    PITCH,
    POINT,
    SIZE_2,
    SIZE_5,
    TOP,
    WIDTH,
    Paper,
    under,
)

_SMALL = 9.0
"""小五, in points."""
_PAD = 1.0
_CENTRED = frozenset(("编号", "灯"))
NOTICES = (
    ("编号", 12.0),
    ("告知内容", 19.0),
    ("事项", 26.0),
    ("办件号", 26.0),
    ("告知时间", 20.5),
    ("送达时间", 20.5),
    ("结果", 22.0),
    ("灯", 10.0),
)
FEEDBACK = (("编号", 30.0), ("办件号", 32.0), ("事项", 34.0), ("提出时间", 20.0), ("处理", 20.0), ("处理时间", 20.0))
Table = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class StatementPage:
    """All that a statement says on paper. `figures` and `proof`: name and value; `notices`, `feedback`: cells by row,
    as `NOTICES` and `FEEDBACK` have them; `code` is what the QR code holds."""

    organ: str
    number: str
    title: str
    addressee: str
    body: tuple[str, ...]
    issued_on: date
    made_at: datetime
    figures: tuple[tuple[str, str], ...]
    notices: tuple[tuple[str, ...], ...]
    feedback: tuple[tuple[str, ...], ...]
    proof: tuple[tuple[str, str], ...]
    code: str
    how: str


def statement_pdf(page: StatementPage) -> bytes:
    """The same statement gives the same bytes."""
    with Paper(page.title, page.organ, page.made_at) as paper:
        titles = ["告知事项清单", *(["监管反馈清单"] if page.feedback else []), "核对凭据"]
        _front(paper, page, titles)
        y = _figures(paper, attachment(paper, 1, titles[0]), page.figures)
        if page.notices:
            _table(paper, y + 4.0, NOTICES, page.notices)
        if page.feedback:
            _table(paper, attachment(paper, 2, titles[1]), FEEDBACK, page.feedback)
        _proof(paper, attachment(paper, len(titles), titles[-1]), page)
        return paper.finish()


def _front(paper: Paper, page: StatementPage, titles: Sequence[str]) -> None:
    paper.turn()
    y = red_head(paper, page.organ)
    paper.put(LEFT + WIDTH - paper.width(page.number, 16.0), y, page.number)
    y += PITCH * 3
    paper.centred(PAGE / 2, y, page.title, SIZE_2, "biaosong")
    y = paper.paragraph(y + PITCH * 2, f"{page.addressee}：", indent=0)
    for text in page.body:
        y = paper.paragraph(y, text)
    y += PITCH
    for number, title in enumerate(titles, 1):
        paper.put(
            LEFT + (2 if number == 1 else 5) * CHARACTER, y, f"{'附件：' if number == 1 else ''}{number}. {title}"
        )
        y += PITCH
    signature(paper, page.organ, page.issued_on, y + PITCH * 2)


def _figures(paper: Paper, y: float, figures: Sequence[tuple[str, str]]) -> float:
    """Name and value, three pairs a line."""
    step = SIZE_5 * POINT * 1.35
    name, value = 23.0, 29.0
    for at in range(0, len(figures), 3):
        for column, (key, text) in enumerate(figures[at : at + 3]):
            x = LEFT + column * (name + value)
            paper.box(x, y, name, step + 2 * _PAD)
            paper.box(x + name, y, value, step + 2 * _PAD)
            base = under(y + _PAD + 0.4, SIZE_5)
            paper.centred(x + name / 2, base, key, SIZE_5, "hei")
            paper.centred(x + name + value / 2, base, text, SIZE_5, "song")
        y += step + 2 * _PAD
    return y


def _table(paper: Paper, y: float, columns: Table, rows: Sequence[Sequence[str]]) -> None:
    """A row stays on one page; every page has the heads again."""
    y = _heads(paper, y, columns)
    step = _SMALL * POINT * 1.3
    for row in rows:
        cells = [
            paper.lines(text, width - 2 * _PAD, _SMALL) if text else []
            for text, (_, width) in zip(row, columns, strict=True)
        ]
        height = max(map(len, cells)) * step + 2 * _PAD
        if y + height > BOTTOM:
            paper.turn()
            y = _heads(paper, TOP, columns)
        x = LEFT
        for lines, (name, width) in zip(cells, columns, strict=True):
            paper.box(x, y, width, height)
            edge = y + (height - len(lines) * step) / 2 + 0.3
            for number, line in enumerate(lines):
                at = (width - paper.width(line, _SMALL)) / 2 if name in _CENTRED else _PAD
                paper.put(x + at, under(edge + number * step, _SMALL), line, _SMALL)
            x += width
        y += height


def _heads(paper: Paper, y: float, columns: Table) -> float:
    height = SIZE_5 * POINT * 1.35 + 2 * _PAD
    x = LEFT
    for name, width in columns:
        paper.box(x, y, width, height)
        paper.centred(x + width / 2, under(y + _PAD + 0.4, SIZE_5), name, SIZE_5, "hei")
        x += width
    return y + height


def _proof(paper: Paper, y: float, page: StatementPage) -> None:
    step, label, side = SIZE_5 * POINT * 1.4, 40.0, 52.0
    for name, text in page.proof:
        lines = paper.lines(text, WIDTH - label - 2 * _PAD, SIZE_5)
        height = len(lines) * step + 2 * _PAD
        paper.box(LEFT, y, label, height)
        paper.box(LEFT + label, y, WIDTH - label, height)
        paper.put(LEFT + _PAD, under(y + _PAD + 0.4, SIZE_5), name, SIZE_5, "hei")
        for number, line in enumerate(lines):
            paper.put(LEFT + label + _PAD, under(y + _PAD + 0.4 + number * step, SIZE_5), line, SIZE_5)
        y += height
    y += 6.0
    if y + side > BOTTOM:
        paper.turn()
        y = TOP
    paper.code(LEFT, y, side, page.code)
    for number, line in enumerate(paper.lines(page.how, WIDTH - side - 8.0, SIZE_5)):
        paper.put(LEFT + side + 8.0, under(y + number * step, SIZE_5), line, SIZE_5)
