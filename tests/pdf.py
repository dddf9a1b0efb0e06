"""A PDF as Chromium's engine reads it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

MM = 72 / 25.4


@dataclass(frozen=True)
class PdfPage:
    """`text` without white space; `extent`: how far left and right its type goes, in millimetres, `foot`: how far down;
    `fonts`: by name, and whether they are in the file."""

    text: str
    size: tuple[int, int]
    extent: tuple[float, float]
    foot: float
    fonts: frozenset[tuple[str, bool]]


@dataclass(frozen=True)
class Pdf:
    metadata: dict[str, str]
    pages: list[PdfPage]


def read_pdf(content: bytes) -> Pdf:
    document = pdfium.PdfDocument(content)
    try:
        return Pdf(document.get_metadata_dict(), [_page(document[number]) for number in range(len(document))])
    finally:
        document.close()


def _page(page: pdfium.PdfPage) -> PdfPage:
    texts = [one for one in page.get_objects() if one.type == raw.FPDF_PAGEOBJ_TEXT]
    bounds = [one.get_bounds() for one in texts]
    found = PdfPage(
        text="".join(page.get_textpage().get_text_bounded().split()),
        size=(round(page.get_width() / MM), round(page.get_height() / MM)),
        extent=(min(one[0] for one in bounds) / MM, max(one[2] for one in bounds) / MM),
        foot=(page.get_height() - min(one[1] for one in bounds)) / MM,
        fonts=frozenset(_font(one) for one in texts),
    )
    page.close()
    return found


def _font(text: pdfium.PdfObject) -> tuple[str, bool]:
    font = raw.FPDFTextObj_GetFont(text.raw)
    name = ctypes.create_string_buffer(200)
    raw.FPDFFont_GetBaseFontName(font, name, len(name))
    return name.value.decode(), bool(raw.FPDFFont_GetIsEmbedded(font))
