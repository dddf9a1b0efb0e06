"""The first rows of an answer and how many there are in all, so that nobody takes a cut list for the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts all that match, `rows` are the first of them."""

    total: int
    rows: list[dict[str, Any]]

    @property
    def cut(self) -> bool:
        return len(self.rows) < self.total


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of an ordered answer; `more`: whether others may come after them; `scanned`: how many were looked at,
    where that is more than these; `after`: the key of the last one that was looked at, where the search stopped there
    and not at the last of these."""

    rows: list[dict[str, Any]]
    more: bool
    scanned: int | None = None
    after: Sequence[Any] | None = None


def slice_after(
    conn: Connection[Any],
    source: str,
    conditions: Mapping[str, Any],
    key: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
    *,
    descending: bool = True,
    columns: str = "*",
) -> Slice:
    """Rows in the order of `key`, whose columns together are unique and never null, from after the values of one.

    Conditions and texts as for `page`.
    """
    used = {text: value for text, value in conditions.items() if value is not None}
    values = [value for text, value in used.items() if "%s" in text]
    wheres = list(used)
    if after is not None:
        sign = "<" if descending else ">"
        wheres.append(f"({', '.join(key)}) {sign} ({', '.join(['%s'] * len(key))})")
        values += after
    order = ", ".join(f"{column} DESC" if descending else column for column in key)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT {columns} FROM {source} WHERE {' AND '.join(wheres) or 'true'} ORDER BY {order} LIMIT %s",
            [*values, limit + 1],
        ).fetchall()
    return Slice(rows[:limit], len(rows) > limit)


def page(
    conn: Connection[Any],
    source: str,
    conditions: Mapping[str, Any],
    order: str,
    limit: int,
    columns: str = "*",
    total: str = "count(*)",
) -> Page:
    """Rows of `source` under conditions such as `{"matter = %s": code}`; a condition whose value is None is left out.

    A condition that takes no value is given True; `total` counts what matches. All these texts come from this
    package's code, never from people.
    """
    used = {text: value for text, value in conditions.items() if value is not None}
    where = " AND ".join(used) or "true"
    values = [value for text, value in used.items() if "%s" in text]
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT {columns} FROM {source} WHERE {where} ORDER BY {order} LIMIT %s",
            [*values, limit],
        ).fetchall()
        if len(rows) < limit:
            return Page(len(rows), rows)
        counted = cursor.execute(f"SELECT {total} AS n FROM {source} WHERE {where}", values).fetchone()
    assert counted is not None
    return Page(counted["n"], rows)
