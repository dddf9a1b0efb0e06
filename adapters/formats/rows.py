"""Rows of a table in a file that others made: CSV, XLSX or JSON, told apart by content, streamed.

A table has named columns; a `Vocabulary` says which field each name means. Knows nothing of any one record's rules.
"""

import codecs
import csv
import json
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

Cell = str | int | float | date | None  # bool is an int, datetime is a date
Row = dict[str, Cell]  # field code → cell; a key PROBLEM says why the row's shape cannot be trusted

PROBLEM: Final = "*"
EXACT: Final = 1e15  # spreadsheets keep 15 digits of a number: a float from here on has lost some
_CHUNK: Final = 1 << 16
_MAX_OBJECT: Final = 1 << 20  # characters of one JSON object: real records need a fraction of it
_MAX_UNPACKED: Final = 1 << 30  # bytes inside an XLSX: more is a bomb, not a month of records
_HEADER_ROWS: Final = 5  # titles and notes may stand above the header


class FormatError(ValueError):
    """A file that cannot be read as rows; the message is Chinese and complete."""


class Vocabulary:
    """The names a table's columns may bear, and the fields it must have."""

    def __init__(self, names: Mapping[str, str], required: Mapping[str, str]) -> None:
        """`names`: code or Chinese name → field code; `required`: field code → Chinese name."""
        self._names = {self._plain(name): code for name, code in names.items()}
        self._cache: dict[str, str | None] = {}
        self._required = required

    @staticmethod
    def _plain(name: str) -> str:
        """A name whatever its width, case, spaces, stars and brackets."""
        return re.sub(r"[\s*\ufeff]", "", unicodedata.normalize("NFKC", name)).upper()

    def code_of(self, name: str) -> str | None:
        """The field a column's name means, or None."""
        if len(name) > 64:
            return None
        if name not in self._cache:
            if len(self._cache) > 4096:
                self._cache.clear()
            self._cache[name] = self._names.get(self._plain(name))
        return self._cache[name]

    def columns(self, cells: Iterable[Cell]) -> list[str | None] | None:
        """Field per column if the cells are a header (three known names), else None; FormatError if one is doubled."""
        codes = [self.code_of(cell) if isinstance(cell, str) else None for cell in cells]
        known = [code for code in codes if code is not None]
        if len(known) < 3:
            return None
        if doubled := {code for code in known if known.count(code) > 1}:
            raise FormatError(f"表头中字段重复：{'、'.join(sorted(doubled))}")
        return codes

    def missing(self, columns: Iterable[str | None]) -> list[str]:
        """The required fields that a header lacks, as people know them."""
        return [f"{code}（{title}）" for code, title in self._required.items() if code not in set(columns)]


def _blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _table(rows: Iterable[tuple[int, Sequence[Cell]]], words: Vocabulary, *, exact: bool) -> Iterator[tuple[int, Row]]:
    """Rows under their header. With `exact`, cells beyond it are a problem: in CSV they mean shifted columns."""
    columns: list[str | None] | None = None
    seen = found = 0
    for number, cells in rows:
        if all(_blank(cell) for cell in cells):
            continue
        # templates carry codes in one row and Chinese names in the next; a later row is data, whatever it says
        header = None if found else words.columns(cells)
        if columns is None:
            seen += 1
            if header is None and seen >= _HEADER_ROWS:
                break
            columns = header
            if header is not None and (missing := words.missing(header)):
                raise FormatError("表头缺少必填字段：" + "、".join(missing))
            continue
        if header is not None:
            continue
        row: Row = {code: cell for code, cell in zip(columns, cells, strict=False) if code is not None}
        if exact and not all(_blank(cell) for cell in cells[len(columns) :]):
            row[PROBLEM] = "单元格多于表头，可能有未加引号的分隔符"
        found += 1
        yield number, row
    if not seen:
        raise FormatError("文件为空")
    if columns is None:
        raise FormatError("没有找到表头：前几行应有字段代码或中文名称")
    if not found:
        raise FormatError("文件只有表头，没有数据")


def _encoding(path: Path) -> str:
    """utf-8-sig or gb18030, judged on the whole file: GB text may begin only after a megabyte of ASCII."""
    for name in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(name)()
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name
    raise FormatError("文件编码既不是 UTF-8 也不是 GB18030，或不是 CSV、XLSX、JSON 文件")


def _csv(path: Path, words: Vocabulary) -> Iterator[tuple[int, Sequence[Cell]]]:
    with path.open(encoding=_encoding(path), newline="") as file:
        head = [file.readline(_CHUNK) for _ in range(_HEADER_ROWS)]
        file.seek(0)
        # the delimiter is the mark between the most known names
        known = {
            mark: max(
                sum(words.code_of(cell.strip('" \r\n')) is not None for cell in line.split(mark)) for line in head
            )
            for mark in ",\t;"
        }
        number = 0
        try:
            # strict: an unclosed quote would otherwise swallow the rows after it without a word
            for cells in csv.reader(file, delimiter=max(known, key=lambda mark: known[mark]), strict=True):
                number += 1
                yield number, cells
        except csv.Error as error:
            raise FormatError(f"第 {number + 1} 行不是合规的 CSV：引号未配对，或单元格过长") from error


def _xlsx_cell(value: object) -> Cell:
    if isinstance(value, int) and abs(value) >= EXACT:
        return float(value)  # marks it: the sheet has already lost the digits beyond the fifteenth
    return value if isinstance(value, str | int | float | date | None) else str(value)


def _xlsx(path: Path, words: Vocabulary) -> Iterator[tuple[int, Sequence[Cell]]]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MAX_UNPACKED:
                raise FormatError("XLSX 解压后过大，请拆分后再导入")
        with warnings.catch_warnings():  # about styles and validations, which do not matter here
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # some writers declare a smaller sheet than they write
                rows = enumerate((tuple(map(_xlsx_cell, row)) for row in sheet.iter_rows(values_only=True)), 1)
                head: list[tuple[int, Sequence[Cell]]] = []
                for row in rows:
                    head.append(row)
                    if len(head) >= _HEADER_ROWS:
                        break
                # a sheet of instructions may come first
                if sheet is book.worksheets[-1] or any(words.columns(cells) for _, cells in head):
                    yield from chain(head, rows)
                    return
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, EOFError, SyntaxError, zlib.error) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("XLSX 文件已损坏，或不是工作簿") from error


class _Pairs(list[tuple[str, object]]):
    """A JSON object with its names in order, doubled ones included."""


def _objects(file: TextIO) -> Iterator[object]:
    """Elements of a JSON array, or of JSON Lines, without holding more than one of them."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs)
    buffer, array, first, ended = "", False, True, False
    while True:
        buffer = buffer.lstrip(" \t\r\n,")
        if not buffer:
            buffer = file.read(_CHUNK)
            if buffer:
                continue
            if array and not ended:
                raise FormatError("JSON 文件不完整：数组没有结束")
            return
        if first and buffer[0] == "[":
            array, first, buffer = True, False, buffer[1:]
            continue
        if array and not ended and buffer[0] == "]":
            ended, buffer = True, buffer[1:]
            continue
        first = False
        if ended or buffer[0] != "{":
            raise FormatError("JSON 应为对象的数组，或每行一个对象")
        try:
            value, end = decoder.raw_decode(buffer)
        except (ValueError, RecursionError) as error:  # ValueError also for a number of thousands of digits
            chunk = "" if len(buffer) > _MAX_OBJECT else file.read(_CHUNK)
            if not chunk:
                raise FormatError("JSON 格式不正确，或文件不完整") from error
            buffer += chunk
            continue
        yield value
        buffer = buffer[end:]


def _json(path: Path, words: Vocabulary) -> Iterator[tuple[int, Row]]:
    number = 0
    with path.open(encoding=_encoding(path)) as file:
        for number, value in enumerate(_objects(file), 1):
            pairs = value if isinstance(value, _Pairs) else _Pairs()
            if number == 1 and words.columns([name for name, _ in pairs]) is None:
                raise FormatError("JSON 对象中没有认识的字段代码或中文名称")
            row: Row = {}
            for name, cell in pairs:
                code = words.code_of(name)
                if code is None:
                    continue
                if code in row or not isinstance(cell, str | int | float | None):
                    row[PROBLEM] = "字段重复，或字段的值不是文本、数字"
                else:
                    row[code] = cell
            yield number, row
    if not number:
        raise FormatError("文件为空")


def read_rows(path: Path, words: Vocabulary) -> Iterator[tuple[int, Row]]:
    """Stream (row number, row) of a CSV (UTF-8, GB18030), XLSX or JSON file, told apart by content.

    Row numbers count from 1 as a spreadsheet shows them, header included; in JSON they count objects. Unknown columns
    are left out. Raises FormatError at the first `next` for a bad file, later only where it breaks off (the rows before
    are good); OSError if it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"PK\x03\x04"):
        return (yield from _table(_xlsx(path, words), words, exact=False))
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FormatError("旧版 .xls 文件请另存为 .xlsx 或 CSV")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head:
        raise FormatError("不是 UTF-8 或 GB18030 的 CSV、XLSX、JSON 文件，请另存为其中一种")
    if head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{"):
        return (yield from _json(path, words))
    return (yield from _table(_csv(path, words), words, exact=True))
