"""Lists as files: CSV, XLSX and JSON Lines, written row by row while they are read."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from fastapi.responses import StreamingResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Form = Literal["csv", "xlsx", "jsonl"]
MEDIA_TYPES: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl; charset=utf-8",
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}}
}
"""For OpenAPI: an answer may be a file."""
BLOCK = 64 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    form: Form, name: str, keys: Sequence[str], headings: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingResponse:
    """`rows` are plain values in the order of `keys`; JSON Lines have the keys, the others the headings."""
    match form:
        case "csv":
            content = _csv(headings, rows)
        case "xlsx":
            content = _xlsx(headings, rows)
        case "jsonl":
            content = (
                (json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False) + "\n").encode() for row in rows
            )
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(content, media_type=MEDIA_TYPES[form], headers=headers)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """With a byte order mark, by which spreadsheet programs know UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > BLOCK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _xlsx(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(headings))
    for row in rows:
        sheet.append([_allowed(_cell(value)) for value in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def _allowed(value: Any) -> Any:
    """Without the control characters that a workbook cannot hold."""
    return ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is kept from being one (OWASP: CSV injection)."""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
