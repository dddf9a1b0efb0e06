"""A read model's table: rows are loaded, folded in memory and written back, a batch with one statement each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

from psycopg import Connection
from psycopg.types.json import Jsonb

Json = Any
"""Marks a row's field that is stored as jsonb."""

TYPES = {
    "str": "text",
    "int": "int8",
    "bool": "bool",
    "date": "date",
    "datetime": "timestamptz",
    "Json": "jsonb",
}

R = TypeVar("R")


class Table(Generic[R]):
    """Of dataclass rows; columns and their types are the fields', the first `key_size` of them the primary key.

    The name goes without schema, so that search_path chooses it. Reading before writing is safe, because a projection
    has one live runner, which holds the lock on its position.
    """

    def __init__(self, name: str, row: type[R], key_size: int = 1) -> None:
        self._row = row
        self._names = [field.name for field in fields(row)]  # type: ignore[arg-type]
        kinds = [str(field.type).removesuffix(" | None") for field in fields(row)]  # type: ignore[arg-type]
        types = [TYPES[kind] for kind in kinds]
        self._json = [kind == "Json" for kind in kinds]
        self._key_size = key_size
        quoted = [f'"{one}"' for one in self._names]
        columns = ", ".join(quoted)
        key = ", ".join(quoted[:key_size])
        given = ", ".join(f"%b::{kind}[]" for kind in types)
        changes = ", ".join(f"{one} = excluded.{one}" for one in quoted[key_size:])
        wanted = ", ".join(f"%b::{kind}[]" for kind in types[:key_size])
        self._load = f"SELECT {columns} FROM {name} JOIN unnest({wanted}) AS k ({key}) USING ({key})"
        self._store = (
            f"INSERT INTO {name} ({columns}) SELECT * FROM unnest({given})"
            f" ON CONFLICT ({key}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"
        )

    def load(self, conn: Connection[Any], keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], R]:
        """The rows there are, by key."""
        wanted = sorted(set(keys))
        if not wanted:
            return {}
        rows = conn.execute(self._load, [list(part) for part in zip(*wanted, strict=True)], binary=True, prepare=True)
        return {row[: self._key_size]: self._row(*row) for row in rows}

    def store(self, conn: Connection[Any], rows: Sequence[R]) -> None:
        """Inserts, or replaces what has the same key."""
        if not rows:
            return
        columns = []
        for name, is_json in zip(self._names, self._json, strict=True):
            values = [getattr(row, name) for row in rows]
            columns.append([v if v is None else Jsonb(v) for v in values] if is_json else values)
        conn.execute(self._store, columns, prepare=True)


class Fold(Generic[R]):
    """One batch over one table: rows as they were, changed as the events say."""

    def __init__(self, conn: Connection[Any], table: Table[R], keys: Iterable[tuple[Any, ...]]) -> None:
        self._conn = conn
        self._table = table
        self.rows = table.load(conn, keys)

    def row(self, key: tuple[Any, ...], new: Callable[[], R]) -> R:
        """The row with this key, made where there is none."""
        found = self.rows.get(key)
        if found is None:
            found = self.rows[key] = new()
        return found

    def save(self) -> None:
        self._table.store(self._conn, list(self.rows.values()))
