"""A statement 对账函 as a PDF in the letter's form of GB/T 9704-2012: the letter, its notices, feedback, the proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from adapters.formats.letter_form import LINE, Columns, Table, attachment, first_page
from adapters.formats.paper import (
    BOTTOM,
    LEFT,
    POINT,
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
        first_page(paper, page, page.title, page.body, titles)
        y = _figures(paper, attachment(paper, 1, titles[0]), page.figures)
        if page.notices:
            _table(paper, y + 4.0, NOTICES, page.notices)
        if page.feedback:
            _table(paper, attachment(paper, 2, titles[1]), FEEDBACK, page.feedback)
        _proof(paper, attachment(paper, len(titles), titles[-1]), page)
        return paper.finish()


def _figures(paper: Paper, y: float, figures: Sequence[tuple[str, str]]) -> float:
    """Name and value, three pairs a line."""
    height = LINE + 2 * _PAD
    name, value = 23.0, 29.0
    for at in range(0, len(figures), 3):
        for column, (key, text) in enumerate(figures[at : at + 3]):
            x = LEFT + column * (name + value)
            paper.box(x, y, name, height)
            paper.box(x + name, y, value, height)
            base = under(y + _PAD + 0.4, SIZE_5)
            paper.centred(x + name / 2, base, key, SIZE_5, "hei")
            paper.centred(x + name + value / 2, base, text, SIZE_5, "song")
        y += height
    return y


def _table(paper: Paper, y: float, columns: Columns, rows: Sequence[Sequence[str]]) -> None:
    """A row stays on one page; every page has the heads again."""
    table = Table(columns, _CENTRED, size=_SMALL, step=_SMALL * POINT * 1.3, pad=_PAD, drop=0.3)
    y = table.heads(paper, y)
    for row in rows:
        cells, height = table.cells(paper, row)
        if y + height > BOTTOM:
            y = table.turned(paper)
        y = table.row(paper, y, cells, height)


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
