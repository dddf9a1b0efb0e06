"""Read models made anew, side by side with the ones in use, and put in their place when they have caught up.

The log is read once for all that are rebuilt together. Nothing else is read and nothing is sent: projections write
their own tables and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.errors import DeadlockDetected, LockNotAvailable

from adapters.postgres.follower import lock_position
from adapters.postgres.log import Log
from adapters.postgres.migrate import create_indexes, create_tables
from projections.projection import Projection

REBUILD_CLASS = 0x5245_4255
BATCH = 40_000
"""Events: a notice whose life lies within one batch is written once. Some 200 MiB with their rows."""
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
    projections: Sequence[Projection],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Folds the log from its start and swaps one after the other; returns the position that the last one reached.

    `progress` gets (position, last position). A projector may run meanwhile. If killed anywhere, each read model in
    use is whole, the one before or the new one, and what is left over is dropped at the next start of a rebuild.
    Raises RebuildRunning before anything is done, and SwapRefused.
    """
    names: dict[str, sql.Composable] = {
        "runtime": sql.Identifier(runtime_role),
        "reader": sql.Identifier(reader_role),
    }
    with psycopg.connect(migrator_url, autocommit=True, application_name="shenguan-rebuild") as conn:
        for projection in projections:
            _lock(conn, projection)
        for projection in projections:
            with conn.transaction():
                schema = sql.Identifier(_schema(projection))
                conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(schema))
                create_tables(conn, projection, _schema(projection), names)
        position = _catch_up(conn, projections, 0, progress)
        for projection in projections:
            with conn.transaction():
                create_indexes(conn, projection, _schema(projection))
            for table in projection.tables:
                conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(_schema(projection), table)))
        position = _catch_up(conn, projections, position, progress)
        reached = position
        for projection in projections:
            reached = _swap(conn, projection, position)
        progress(reached, reached)
    return reached


def _lock(conn: Connection[Any], projection: Projection) -> None:
    """Held as long as the connection."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (REBUILD_CLASS, projection.name)).fetchone()
    if row != (True,):
        raise RebuildRunning(projection.name)


def _schema(projection: Projection) -> str:
    return f"rebuild_{projection.name}"


def _catch_up(
    conn: Connection[Any], projections: Sequence[Projection], position: int, progress: Callable[[int, int], None]
) -> int:
    """Folds until the log has nothing more; the position reached."""
    log = Log(conn)
    while (head := log.head()) > position:
        progress(position, head)
        while position < head:
            with conn.transaction():
                position = _fold(conn, log, projections, position, head)
            progress(position, head)
    return position


def _fold(conn: Connection[Any], log: Log, projections: Sequence[Projection], position: int, head: int) -> int:
    """One batch of those topics that anybody takes, up to `head`; the position it reached."""
    topics = frozenset[str]().union(*(projection.topics for projection in projections))
    events = log.after(position, BATCH, head, topics)
    for projection in projections:
        conn.execute("SELECT set_config('search_path', %s, true)", (_schema(projection),))
        projection.apply(conn, events, bulk=True)
    return events[-1].position if len(events) == BATCH else head


def _swap(conn: Connection[Any], projection: Projection, position: int) -> int:
    """Holds the projector off by the lock on its position, folds what came last, and changes places."""
    for _ in range(SWAP_TRIES):
        try:
            with conn.transaction():
                conn.execute("SELECT set_config('lock_timeout', %s, true)", (SWAP_LOCK_TIMEOUT,))
                lock_position(conn, projection.name, _schema(projection))
                log = Log(conn)
                head, reached = log.head(), position
                while reached < head:
                    reached = _fold(conn, log, [projection], reached, head)
                _exchange(conn, projection, reached)
            return reached
        except (LockNotAvailable, DeadlockDetected):
            time.sleep(0.2)  # what this turn folded is rolled back: `position` still holds
    raise SwapRefused(projection.name)


def _exchange(conn: Connection[Any], projection: Projection, position: int) -> None:
    schema = _schema(projection)
    old = sql.SQL(", ").join(sql.Identifier("read", table) for table in projection.tables)
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(old))
    for table in projection.tables:
        conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA read").format(sql.Identifier(schema, table)))
    conn.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(schema)))
    conn.execute(
        "UPDATE shenguan.notification_tracking SET notification_id = %s WHERE application_name = %s",
        (position, projection.name),
    )
