"""A read model made anew, side by side with the one in use, and put in its place when it has caught up.

Only the log is read and nothing is sent: projections write their own tables and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.errors import DeadlockDetected, LockNotAvailable

from adapters.postgres.follower import lock_position
from adapters.postgres.log import Log
from adapters.postgres.migrate import create_tables
from projections.projection import Projection

REBUILD_CLASS = 0x5245_4255
BATCH = 5000
SWAP_TRIES = 60
SWAP_LOCK_TIMEOUT = "2s"
"""Readers queue behind a swap that waits for a long query, so it waits briefly, and tries again."""


class RebuildRunning(Exception):
    """This projection is being rebuilt by somebody else."""


class SwapRefused(Exception):
    """The read model in use could not be locked: somebody reads it without end."""


def rebuild(
    migrator_url: str,
    runtime_role: str,
    reader_role: str,
    projection: Projection,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Folds the log from its start and swaps; returns the position reached. `progress` gets (position, last position).

    A projector may run meanwhile. If killed anywhere, the read model in use is untouched, and what is left over is
    dropped at the next start of a rebuild. Raises RebuildRunning and SwapRefused.
    """
    names: dict[str, sql.Composable] = {
        "runtime": sql.Identifier(runtime_role),
        "reader": sql.Identifier(reader_role),
    }
    schema = f"rebuild_{projection.name}"
    with psycopg.connect(migrator_url, autocommit=True, application_name=f"shenguan-{schema}") as conn:
        row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (REBUILD_CLASS, projection.name)).fetchone()
        if row != (True,):
            raise RebuildRunning(projection.name)
        with conn.transaction():
            conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(sql.Identifier(schema)))
            create_tables(conn, projection, schema, names)
        log = Log(conn)
        position, head = 0, log.head()
        progress(position, head)
        while True:
            reached = _fold(conn, log, projection, schema, position)
            if reached == position:
                break
            position, head = reached, max(head, reached)
            progress(position, head)
        for table in projection.tables:
            conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table)))
        position = _swap(conn, projection, schema, position)
        progress(position, position)
    return position


def _fold(
    conn: Connection[Any], log: Log, projection: Projection, schema: str, position: int, up_to: int | None = None
) -> int:
    """One batch; the position it reached, the same one at the end of the log."""
    with conn.transaction():
        conn.execute("SELECT set_config('search_path', %s, true)", (schema,))
        events = log.after(position, BATCH, up_to)
        if not events:
            return position
        projection.apply(conn, events)
    return events[-1].position


def _swap(conn: Connection[Any], projection: Projection, schema: str, position: int) -> int:
    """Holds the projector off by the lock on its position, folds what came last, and changes places."""
    for _ in range(SWAP_TRIES):
        try:
            with conn.transaction():
                conn.execute("SELECT set_config('lock_timeout', %s, true)", (SWAP_LOCK_TIMEOUT,))
                lock_position(conn, projection.name, schema)
                log = Log(conn)
                head, reached = log.head(), position
                while (after := _fold(conn, log, projection, schema, reached, head)) != reached:
                    reached = after
                _exchange(conn, projection, schema, reached)
            return reached
        except (LockNotAvailable, DeadlockDetected):
            time.sleep(0.2)  # what this turn folded is rolled back: `position` still holds
    raise SwapRefused(projection.name)


def _exchange(conn: Connection[Any], projection: Projection, schema: str, position: int) -> None:
    old = sql.SQL(", ").join(sql.Identifier("read", table) for table in projection.tables)
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(old))
    for table in projection.tables:
        conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA read").format(sql.Identifier(schema, table)))
    conn.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(schema)))
    conn.execute(
        "UPDATE shenguan.notification_tracking SET notification_id = %s WHERE application_name = %s",
        (position, projection.name),
    )
