"""Lists as files: CSV, XLSX and JSON Lines, written row by row while they are read, and sent once they are whole."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, Literal

from fastapi.responses import StreamingResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from starlette.types import Receive, Scope, Send

from adapters.http.problems import Fault, Problem

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
IN_MEMORY = 1024 * 1024
"""Bytes of a file; what is longer lies on disk until it is sent."""
MOST_XLSX = 1_048_575
"""Rows of a worksheet, besides the headings."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    form: Form, name: str, keys: Sequence[str], headings: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingResponse:
    """`rows` are plain values in the order of `keys`; JSON Lines have the keys, the others the headings. All are read
    before there is an answer: however slowly it is fetched, nothing waits for it. Raises Problem where there are
    too many for a workbook."""
    match form:
        case "csv":
            content = _csv(headings, rows)
        case "xlsx":
            content = _xlsx(headings, rows)
        case "jsonl":
            content = (
                (json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False) + "\n").encode() for row in rows
            )
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  closed once it is sent
    try:
        for block in content:
            file.write(block)
    except BaseException:
        file.close()
        raise
    length = file.tell()
    file.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    headers["Content-Length"] = str(length)
    return _Sent(file, MEDIA_TYPES[form], headers)


class _Sent(StreamingResponse):
    """Closes the file however the sending ends, even before it begins."""

    def __init__(self, file: IO[bytes], media_type: str, headers: dict[str, str]) -> None:
        super().__init__(iter(lambda: file.read(BLOCK), b""), media_type=media_type, headers=headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


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
    for number, row in enumerate(rows):
        if number == MOST_XLSX:
            sheet.close()
            sheet._writer.cleanup()  # else its rows stay on disk until the process ends
            raise Problem(
                422,
                "行数超过一个 XLSX 工作表所能容纳，请改用 csv 或 jsonl",
                "more rows than a worksheet holds: ask for csv or jsonl",
                faults=[Fault(field="query.format", rule="xlsx.rows", message=f"at most {MOST_XLSX} rows")],
            )
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
