"""A read model's table: rows are loaded, folded in memory and written back, a batch with one statement each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

from psycopg import Connection
from psycopg.types.json import Jsonb
from pydantic_core import to_json

Json = Any
"""Marks a row's field that is stored as jsonb: JSON text as `bytes`, or anything that pydantic makes JSON of."""

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
    has one live runner, which holds the lock on its position. `adds`: what is stored under a key that is there already
    is added to what that has.
    """

    def __init__(self, name: str, row: type[R], key_size: int = 1, adds: bool = False) -> None:
        self._row = row
        names = [field.name for field in fields(row)]  # type: ignore[arg-type]
        kinds = [str(field.type).removesuffix(" | None") for field in fields(row)]  # type: ignore[arg-type]
        self._types = [TYPES[kind] for kind in kinds]
        self._json = [number for number, kind in enumerate(kinds) if kind == "Json"]
        self._values: Callable[[R], tuple[Any, ...]] = attrgetter(*names)
        self._key_size = key_size
        quoted = [f'"{one}"' for one in names]
        columns = ", ".join(quoted)
        key = ", ".join(quoted[:key_size])
        given = ", ".join(f"%b::{kind}[]" for kind in self._types)
        changes = ", ".join(f"{one} = {f'{name}.{one} + ' if adds else ''}excluded.{one}" for one in quoted[key_size:])
        wanted = ", ".join(f"%b::{kind}[]" for kind in self._types[:key_size])
        self._load = f"SELECT {columns} FROM {name} JOIN unnest({wanted}) AS k ({key}) USING ({key})"
        self._store = (
            f"INSERT INTO {name} ({columns}) SELECT * FROM unnest({given})"
            f" ON CONFLICT ({key}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"
        )
        # jsonb in binary is the byte 1 and the text: given as bytes, it need not pass a dumper written in Python.
        self._copied = ["bytea" if kind == "jsonb" else kind for kind in self._types]
        self._copy = f"COPY {name} ({columns}) FROM STDIN (FORMAT binary)"

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
        columns = [list(column) for column in zip(*map(self._values, rows), strict=True)]
        for number in self._json:
            columns[number] = [_jsonb(value) for value in columns[number]]
        conn.execute(self._store, columns, prepare=True)

    def add(self, conn: Connection[Any], rows: Sequence[R], bulk: bool) -> None:
        """Rows whose keys the table has not; `bulk` as in `Projection.apply`."""
        if not bulk:
            self.store(conn, rows)
            return
        if not rows:
            return
        with conn.cursor() as cursor, cursor.copy(self._copy) as copy:
            copy.set_types(self._copied)
            for row in rows:
                values = self._values(row)
                if self._json:
                    changed = list(values)
                    for number in self._json:
                        if values[number] is not None:
                            changed[number] = b"\x01" + _dump(values[number])
                    copy.write_row(changed)
                else:
                    copy.write_row(values)


class Fold(Generic[R]):
    """One batch over one table: rows as they were, changed as the events say."""

    def __init__(self, conn: Connection[Any], table: Table[R], keys: Iterable[tuple[Any, ...]]) -> None:
        self._conn = conn
        self._table = table
        self.rows = table.load(conn, keys)
        self._loaded = set(self.rows)

    def save(self, bulk: bool) -> None:
        """What was loaded is replaced, what came is added; `bulk` as in `Projection.apply`."""
        if not bulk:
            self._table.store(self._conn, list(self.rows.values()))
            return
        self._table.store(self._conn, [self.rows[key] for key in self._loaded])
        self._table.add(self._conn, [row for key, row in self.rows.items() if key not in self._loaded], bulk)


def _jsonb(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value, _dump)


def _dump(value: Any) -> bytes:
    return value if isinstance(value, bytes) else to_json(value)
