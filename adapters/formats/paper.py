"""Official paper 公文用纸 by GB/T 9704-2012: A4, its block of 22 lines of 28 characters, its type, its page numbers.

The type is Noto Serif SC for 宋体 and 仿宋, Noto Sans SC for 黑体; 小标宋 is the serif made heavier. Of a font
only what is used goes into the file. What it lacks is written by its code, so that nothing is lost in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Literal, Self

import segno
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.fonts import TTFFont
from pylopdf_fonts_zh_cn import sans_path, serif_path

Face = Literal["song", "hei", "biaosong"]
LEFT, TOP, WIDTH, HEIGHT = 28.0, 37.0, 156.0, 225.0
"""The text block 版心, in millimetres from the page's upper left."""
LINES, CHARACTERS = 22, 28
PITCH = HEIGHT / LINES
BOTTOM = TOP + HEIGHT
POINT = 25.4 / 72
SIZE_2, SIZE_3, SIZE_4, SIZE_5 = 22.0, 16.0, 14.0, 10.5
"""二号, 三号, 四号, 五号, in points."""
CHARACTER = WIDTH / CHARACTERS
RED, BLACK = (225, 0, 15), (0, 0, 0)
_HEAVIER = 0.028  # of its size: how far a stroke of 小标宋 goes beyond that of the serif's regular weight
_ASCENT, _MIDDLE = 0.88, 0.38  # of the size: a character's upper edge and its middle above the base line
_NOT_FIRST = frozenset("，。；：、！？）》〉〕］】」』”’…—·％")
_NOT_LAST = frozenset("（《〈〔［【「『“‘")
_WORD = re.compile(r"[0-9A-Za-z._/:+%()\[\]@#&*-]+|.", re.DOTALL)


class Paper:
    """A document under way; what it shows is placed by its base line or its upper edge, in millimetres."""

    def __init__(self, title: str, author: str, made_at: datetime) -> None:
        """The same content gives the same bytes: `made_at` is what the file says of its making."""
        self.pdf = FPDF(format="A4", unit="mm")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_creation_date(made_at)
        self.pdf.set_title(title)
        self.pdf.set_author(author)
        self.pdf.set_lang("zh-CN")
        self.pdf.add_font("song", "", serif_path())
        self.pdf.add_font("hei", "", sans_path())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the fonts' files, which fpdf2 leaves open."""
        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def turn(self) -> None:
        """A new page; all but a letter's first have their number."""
        self.pdf.add_page()
        number = self.pdf.page
        if number > 1:
            text = f"— {number} —"
            width = self.width(text, SIZE_4)
            x = LEFT + CHARACTER if number % 2 == 0 else LEFT + WIDTH - CHARACTER - width
            self.put(x, BOTTOM + 7 + _MIDDLE * SIZE_4 * POINT, text, SIZE_4)

    def finish(self) -> bytes:
        """The file. Nothing can be put on it afterwards."""
        return bytes(self.pdf.output())

    def width(self, text: str, size: float, face: Face = "song") -> float:
        advances = _advances(face == "hei")
        return sum(advances.get(ord(one), 1.0) for one in text) * size * POINT

    def put(
        self,
        x: float,
        y: float,
        text: str,
        size: float = SIZE_3,
        face: Face = "song",
        colour: tuple[int, int, int] = BLACK,
        spacing: float = 0.0,
    ) -> None:
        """A line by the left end of its base line; `spacing` is added between characters."""
        pdf = self.pdf
        pdf.set_font("hei" if face == "hei" else "song", size=size)
        pdf.set_text_color(*colour)
        pdf.set_draw_color(*colour)
        pdf.set_char_spacing(spacing / POINT)
        if face == "biaosong":
            with pdf.local_context(text_mode="FILL_STROKE", line_width=size * _HEAVIER):
                pdf.text(x, y, text)
        else:
            pdf.text(x, y, text)

    def centred(
        self, middle: float, y: float, text: str, size: float, face: Face, colour: tuple[int, int, int] = BLACK
    ) -> None:
        self.put(middle - self.width(text, size, face) / 2, y, text, size, face, colour)

    def rule(self, x: float, y: float, length: float, thick: float, colour: tuple[int, int, int]) -> None:
        """A level line; `y` is its upper edge."""
        self.pdf.set_fill_color(*colour)
        self.pdf.rect(x, y, length, thick, style="F")

    def box(self, x: float, y: float, width: float, height: float) -> None:
        self.pdf.set_draw_color(*BLACK)
        self.pdf.set_line_width(0.2)
        self.pdf.rect(x, y, width, height)

    def code(self, x: float, y: float, side: float, text: str) -> None:
        """A QR code, by its upper left."""
        rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
        dot = side / len(rows)
        self.pdf.set_fill_color(*BLACK)
        for down, row in enumerate(rows):
            for run in re.finditer(rb"\x01+", row):
                self.pdf.rect(x + run.start() * dot, y + down * dot, len(run[0]) * dot, dot, style="F")

    def lines(
        self, text: str, width: float, size: float, face: Face = "song", spacing: float = 0.0, indent: float = 0.0
    ) -> list[str]:
        """The text in lines that fit; no line begins with a closing mark or ends with an opening one. `indent` is what
        the first is shorter by."""
        found: list[str] = []
        for part in printable(text).split("\n"):
            line, left = "", width - indent
            for word in _words(part, lambda one: self.width(one, size, face) > width):
                if line and self.width(line + word, size, face) + spacing * len(line + word) > left + 1e-6:
                    if word[0] in _NOT_FIRST and len(line) > 1:
                        line, word = line[:-1], line[-1] + word
                    while line and line[-1] in _NOT_LAST and len(line) > 1:
                        line, word = line[:-1], line[-1] + word
                    found.append(line)
                    line, left = "", width
                line += word
            found.append(line)
            indent = 0.0
        return found

    def paragraph(self, y: float, text: str, indent: int = 2) -> float:
        """Text in 三号 over the block's width, even on both sides; the base line after it. `y`: the first's."""
        tight = CHARACTER - SIZE_3 * POINT
        lines = self.lines(text, WIDTH, SIZE_3, spacing=tight, indent=indent * CHARACTER)
        for number, line in enumerate(lines):
            x = LEFT + (indent * CHARACTER if number == 0 else 0)
            spacing = tight
            if number < len(lines) - 1 and len(line) > 1:
                spacing = (LEFT + WIDTH - x - self.width(line, SIZE_3)) / (len(line) - 1)
                spacing = min(spacing, CHARACTER / 4)
            self.put(x, y, line, spacing=spacing)
            y += PITCH
        return y


def first_line(line: int = 0) -> float:
    """The base line of a line of the block, the first being 0."""
    return TOP + line * PITCH + PITCH / 2 + _MIDDLE * SIZE_3 * POINT


def under(edge: float, size: float) -> float:
    """The base line of characters whose upper edge is there."""
    return edge + _ASCENT * size * POINT


def printable(text: str) -> str:
    """The text with the code of each character that the font lacks in its place."""
    glyphs = _advances(False)
    shown = ("\n" if one in "\r\n" else one if ord(one) in glyphs else _by_code(one) for one in text)
    return re.sub(r"\n+", "\n", "".join(shown)).strip("\n")


def _by_code(one: str) -> str:
    return " " if one.isspace() or not one.isprintable() else f"[U+{ord(one):04X}]"


def _words(text: str, too_long: object) -> Iterator[str]:
    """What stays together: runs of letters and digits, unless longer than a line; else single characters."""
    assert callable(too_long)
    for found in _WORD.finditer(text):
        if len(found[0]) > 1 and too_long(found[0]):
            yield from found[0]
        else:
            yield found[0]


@cache
def _advances(hei: bool) -> dict[int, float]:
    """What a font has, by code point, and how wide each is, of its size."""
    with TTFont(sans_path() if hei else serif_path(), lazy=True) as font:
        widths, unit = font["hmtx"], float(font["head"].unitsPerEm)
        return {code: widths[glyph][0] / unit for code, glyph in font.getBestCmap().items()}


def ranges(numbers: Sequence[int]) -> str:
    """`1—3、5` of 1, 2, 3, 5."""
    found: list[list[int]] = []
    for one in sorted(numbers):
        if found and found[-1][1] == one - 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    return "、".join(str(a) if a == b else f"{a}—{b}" for a, b in found)
