"""What the machine could do: the very rows that ours wrote, copied into the same tables, nothing checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, sql

from infra.store import Store

Rows = dict[str, list[tuple[Any, ...]]]
_KEYS = """
SELECT n.nspname || '.' || c.relname, array_agg(a.attname::text ORDER BY k.place)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE n.nspname IN ('shenguan', 'vault') AND c.relkind = 'r' GROUP BY 1 ORDER BY 1
"""


def copied_rows(store: Store, before: Store) -> Rows:
    """Of every working table the rows that the store has and `before`, the template it was made from, has not; the log
    in its order."""
    found: Rows = {}
    with psycopg.connect(store.migrator_url) as conn, psycopg.connect(before.migrator_url) as old:
        for table, key in conn.execute(_KEYS).fetchall():
            names = sql.SQL(", ").join(map(sql.Identifier, key))
            known = set(old.execute(sql.SQL("SELECT {} FROM {}").format(names, _table(table))).fetchall())
            order = sql.SQL("ORDER BY notification_id") if table.endswith("stored_events") else sql.SQL("")
            cursor = conn.cursor(binary=True)
            cursor.execute(sql.SQL("SELECT {} FROM {} {}").format(_written(conn, table), _table(table), order))
            assert cursor.description is not None
            at = [[column.name for column in cursor.description].index(name) for name in key]
            if rows := [row for row in cursor if tuple(row[i] for i in at) not in known]:
                found[table] = rows
    return found


@contextmanager
def pour(store: Store, rows: Rows, submissions: int) -> Iterator[Callable[[int], None]]:
    """A function that commits the rows of the next so many of all the submissions; the last call gets the rest."""
    with psycopg.connect(store.migrator_url, autocommit=True) as conn:
        types = {table: _types(conn, table) for table in rows}
        names = {table: _written(conn, table) for table in rows}
        done = 0

        def put(count: int) -> None:
            nonlocal done
            with conn.transaction(), conn.cursor() as cursor:
                for table, found in rows.items():
                    part = found[len(found) * done // submissions : len(found) * (done + count) // submissions]
                    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(_table(table), names[table])
                    with cursor.copy(command) as copy:
                        copy.set_types(types[table])
                        for row in part:
                            copy.write_row(row)
            done += count

        yield put


def _types(conn: Connection[Any], table: str) -> list[int]:
    cursor = conn.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(_written(conn, table), _table(table)))
    assert cursor.description is not None
    return [column.type_code for column in cursor.description]


def _written(conn: Connection[Any], table: str) -> sql.Composable:
    """Its columns but those that PostgreSQL computes."""
    rows = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' ORDER BY attnum",
        (table,),
    )
    return sql.SQL(", ").join(sql.Identifier(name) for (name,) in rows)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
