"""Followers of the log: projections, outlet, clock. One runner for all of them.

A batch is one transaction: the follower's position is locked, the events after it are read, applied, and the position
moves. The lock on the position's row is what a rebuild, and nobody else, may contend for: the lease sees to the rest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

from psycopg import Connection, OperationalError

from adapters.postgres.log import Log
from domain.event import Recorded

BATCH = 1000
KEPT = 4
"""Decoded batches that are kept for the other followers."""


class Follower(Protocol):
    """Whatever follows the log. Unqualified table names are looked for in the schema `read`."""

    @property
    def name(self) -> str: ...

    def apply(self, conn: Connection[Any], events: Sequence[Recorded]) -> None:
        """Takes in the next events; must not commit."""
        ...


class RowFollower(Protocol):
    """A follower that reads the log's rows by itself, as it needs them: nothing is decoded for it."""

    @property
    def name(self) -> str: ...

    def read(self, conn: Connection[Any], position: int, limit: int) -> Sequence[Any]:
        """At most `limit` rows after a position; each knows its `position`."""
        ...

    def apply(self, conn: Connection[Any], rows: Sequence[Any], /) -> None:
        """Takes in what it has read; must not commit."""
        ...


class PositionTaken(Exception):
    """Somebody else moved the follower's position: nothing was written."""


class Postponed(Exception):
    """What the follower needs is away, and nothing is wrong with the events: the same batch is tried again soon."""


class EventFailed(Exception):
    """A batch failed; `first` and `last` are the positions that it would have covered, where they are known."""

    def __init__(self, follower: str, first: int, last: int, cause: Exception) -> None:
        where = f"position {first}" if first == last else f"positions {first} to {last}"
        super().__init__(f"{follower}: {where}: {type(cause).__name__}: {cause}")
        self.first = first
        self.last = last


class Batches:
    """The last decoded batches by where they begin, so that several followers decode each event once.

    The log only grows at its end, so a batch once read stays true; an empty one is not kept.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._batches: OrderedDict[int, list[Recorded]] = OrderedDict()

    def after(self, conn: Connection[Any], position: int, limit: int) -> list[Recorded]:
        """At most `limit` events after the position."""
        found = self._batches.get(position)
        if found is None:
            found = Log(conn).after(position, limit)
            if found:
                self._batches[position] = found
                if len(self._batches) > self._kept:
                    self._batches.popitem(last=False)
        return found[:limit]


def position_of(conn: Connection[Any], name: str) -> int:
    """How far a follower has come, 0 before its first event."""
    row = conn.execute(
        "SELECT notification_id FROM shenguan.notification_tracking WHERE application_name = %s", (name,)
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def lock_position(conn: Connection[Any], name: str, schema: str = "read") -> int:
    """The position, held until the transaction ends; unqualified tables are those of `schema` until then."""
    query = (
        "SELECT set_config('search_path', %s, true), notification_id FROM shenguan.notification_tracking"
        " WHERE application_name = %s FOR UPDATE"
    )
    row = conn.execute(query, (schema, name), prepare=True).fetchone()
    if row is None:
        conn.execute(
            "INSERT INTO shenguan.notification_tracking VALUES (%s, 0) ON CONFLICT (application_name) DO NOTHING",
            (name,),
        )
        row = conn.execute(query, (schema, name), prepare=True).fetchone()
        assert row is not None
    return int(row[1])


def move_position(conn: Connection[Any], name: str, position: int) -> None:
    """Forward only, as the library's tracking recorder does it. Raises PositionTaken."""
    moved = conn.execute(
        "INSERT INTO shenguan.notification_tracking AS t VALUES (%s, %s)"
        " ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id"
        " WHERE t.notification_id < excluded.notification_id RETURNING t.notification_id",
        (name, position),
        prepare=True,
    )
    if moved.fetchone() is None:
        raise PositionTaken(f"{name} is already at or past position {position}")


def run_batch(
    conn: Connection[Any], follower: Follower | RowFollower, limit: int = BATCH, batches: Batches | None = None
) -> int:
    """Applies the next events in one transaction; returns how many. The connection is in autocommit.

    Raises EventFailed for whatever is wrong with the events or the follower; database errors that may pass
    (OperationalError) come as they are.
    """
    read = getattr(follower, "read", None) or (batches or Batches()).after
    with conn.transaction():
        position = lock_position(conn, follower.name)
        events: Sequence[Any] = []
        try:
            events = read(conn, position, limit)
            if not events:
                return 0
            follower.apply(conn, events)
            move_position(conn, follower.name, events[-1].position)
        except (OperationalError, PositionTaken, Postponed):
            raise
        except Exception as error:
            first, last = (events[0].position, events[-1].position) if events else (position + 1, position + limit)
            raise EventFailed(follower.name, first, last, error) from error
    return len(events)


def catch_up(conn: Connection[Any], followers: Sequence[Follower | RowFollower], limit: int = BATCH) -> int:
    """Runs followers until none has anything left to do: for tests and one-off commands, where no runner is alive."""
    batches = Batches()
    done = 0
    while applied := sum(run_batch(conn, follower, limit, batches) for follower in followers):
        done += applied
    return done
