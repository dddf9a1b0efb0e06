"""Read models as files that others can read (2.6c): CSV, XLSX or JSON Lines, in bounded memory.

Persons stay masked, as on the terminal; there is no way to have them in clear. A file that is there is left alone.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from psycopg.rows import dict_row

from infra.answers import APPROVAL, RECEIPT, with_due
from infra.presentation import Column, Context, Shown

Row = Mapping[str, Any]
Put = Callable[[Row], None]
BATCH = 2000
SHEET_ROWS = 1_048_576
"""Of a sheet at most, its heading included (ECMA-376 applications)."""


Complete = Callable[[Sequence[dict[str, Any]]], Sequence[dict[str, Any]]]
KINDS: dict[str, tuple[tuple[Column, ...], str, Complete]] = {
    "approvals": (APPROVAL, "stream", lambda rows: rows),
    "receipts": (RECEIPT, "department, serial", lambda rows: with_due(rows, datetime.now(UTC))),
}
"""Columns, the order of rows, and what is added to them, by the read model."""


def export(context: Context, shown: Shown, kind: str, file: Path, department: str | None) -> None:
    if kind not in KINDS:
        raise typer.BadParameter(f"须是 {'、'.join(KINDS)} 之一", param_hint="KIND")
    shape, order, more = KINDS[kind]
    with _counted(context, kind, order, department, more) as (total, rows):
        save(shown, file, shape, total, rows)


def save(shown: Shown, file: Path, shape: Sequence[Column], total: int, rows: Iterable[Row]) -> None:
    """Writes a file of the kind that its name says, whole or not at all, and says how many rows it has. What an
    inspector takes along is on record before anything of it is on the disk."""
    write = WRITERS.get(file.suffix.lower())
    if write is None:
        raise typer.BadParameter(f"须以 {'、'.join(WRITERS)} 之一结尾", param_hint="FILE")
    if file.exists():
        raise shown.fail(f"{file} 已存在，不覆盖。", f"{file} is there already and is not written over.")
    shown.settle(total)
    part = file.with_name(f".{file.name}.part")
    try:
        with write(part, shape, shown) as put:
            for row in rows:
                put(row)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    shown.say(f"已导出 {total} 条到 {file}。", f"{total} rows exported to {file}.")
    if shown.as_json:
        shown.json({"file": str(file), "rows": total})


@contextmanager
def _counted(
    context: Context,
    kind: str,
    order: str,
    department: str | None,
    more: Complete,
) -> Iterator[tuple[int, Iterator[Row]]]:
    """How many rows there are, and these, in one snapshot."""
    wanted = f"FROM read.{kind} WHERE department = coalesce(%s, department)"
    with (
        closing(context.connect_reader()) as conn,
        conn.transaction(),
        conn.cursor(name="export", row_factory=dict_row) as cursor,
    ):
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        counted = conn.execute(f"SELECT count(*) {wanted}", (department,)).fetchone()
        assert counted is not None
        cursor.execute(f"SELECT * {wanted} ORDER BY {order}", (department,))
        yield counted[0], (row for rows in iter(lambda: cursor.fetchmany(BATCH), []) for row in more(rows))


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def as_cell(text: str) -> str:
    """Text that a spreadsheet shows and never runs: applicants choose names, and `=` begins a formula."""
    shown = _CONTROL.sub("\ufffd", text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@", "\t", "\r")) else shown


@contextmanager
def _csv(file: Path, shape: Sequence[Column], shown: Shown) -> Iterator[Put]:
    """For spreadsheets: UTF-8 with its mark, the columns that people read."""
    wanted = [c for c in shape if c.zh]
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([c.zh if shown.zh else c.en for c in wanted])
        yield lambda row: writer.writerow([as_cell(shown.text(c.key, row.get(c.key))) for c in wanted])


@contextmanager
def _xlsx(file: Path, shape: Sequence[Column], shown: Shown) -> Iterator[Put]:
    from openpyxl import Workbook

    wanted = [c for c in shape if c.zh]
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([c.zh if shown.zh else c.en for c in wanted])
    written = 1

    def put(row: Row) -> None:
        nonlocal written
        written += 1
        if written > SHEET_ROWS:
            raise shown.fail("超过一张表的行数，请改用 CSV。", "More rows than a sheet holds: use CSV.")
        sheet.append([as_cell(shown.text(c.key, row.get(c.key))) for c in wanted])

    yield put
    book.save(file)


@contextmanager
def _jsonl(file: Path, shape: Sequence[Column], shown: Shown) -> Iterator[Put]:
    """For programs: every key, a row a line."""
    with file.open("w", encoding="utf-8") as stream:

        def put(row: Row) -> None:
            values = {c.key: shown.plain(row.get(c.key)) for c in shape}
            stream.write(json.dumps(values, ensure_ascii=False) + "\n")

        yield put


WRITERS: dict[str, Callable[[Path, Sequence[Column], Shown], AbstractContextManager[Put]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".jsonl": _jsonl,
}
