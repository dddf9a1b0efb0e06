"""Filling a log to a wanted size with clones of real streams, by COPY.

The pattern is a store that has taken in a year. Its rows are read once as COPY text, with a mark wherever a clone must
differ: in the serial part of submission ids, at the end of case numbers, before positions and serials. The n-th clone
is that text with the mark replaced by n, in three digits. So every clone holds the same cases under other numbers:
whole streams in valid states, notices and their lives, dispositions, read models, all with the indexes that go with
them.

What is not as intake would have written it: positions and serials have gaps between clones, sealed values keep the key
of the case they were cloned from, read models keep that case's times, nothing is parked, and no keys or deliveries are
cloned. `verify` is therefore not for a filled store.
"""

from __future__ import annotations

import re
from contextlib import suppress

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from infra.bench.ground import ScratchStore
from infra.roles.outlet import Filler
from infra.roles.publisher import LogPublisher
from projections.catalogue import PROJECTIONS

MARK = b"\x01"
CLONES_AT_MOST = 899
CASES_AT_MOST = 10_000
"""Of the pattern: four digits tell its cases apart, the three before them the clones."""
_MARKS = re.compile(
    rb'"subject"\s*:\s*"[^"]*"'  # whose key seals a value: left alone
    rb"|(?P<number>\b[0-9A-Z]{31}20\d{10}\b)"  # a case: matter, day, serial
    rb"|\b000(?P<submission>\d{4}\.\d\d\b)"  # case and place in it
    rb"|\bFK000(?P<feedback>\d{6}\b)"
)
_SPAN = 10_000_000  # positions and serials of a pattern stay below
_CLONED = ("case", "notice", "ledger", "feedback", "seal", "attempt")
_POSITIONS = {"position", "last_position", "decision_position", "owed_position", "since", "serial"}
_EVENTS = """
SELECT originator_id,
       CASE WHEN originator_id LIKE 'ledger/%' THEN {mark} || lpad(originator_version::text, 7, '0')
            ELSE originator_version::text END AS originator_version,
       topic, state, {mark} || lpad(notification_id::text, 7, '0') AS notification_id, unique_key
FROM shenguan.stored_events WHERE split_part(originator_id, '/', 1) = ANY({cloned})
ORDER BY stored_events.notification_id
"""
_SUBMISSIONS = """
SELECT topic_id || '-' || {mark} AS topic_id, partition, "offset", topic, principal, auth, source, id, type, content,
       department, occurred_at, arrived_at, decided_at, disposition, rule, stream, version, retry_of
FROM shenguan.submission WHERE disposition <> 'parked' AND id LIKE '000____.__'
"""


class Pattern:
    """The rows of a store that has taken in the cases of one year and has its read models up to date."""

    def __init__(self, store: ScratchStore) -> None:
        self._tables: dict[str, tuple[list[str], bytes]] = {}
        with psycopg.connect(store.migrator_url) as conn:
            conn.execute("SET bytea_output = 'escape'")
            row = conn.execute("SELECT max(notification_id) FROM shenguan.stored_events").fetchone()
            assert row is not None
            if row[0] >= _SPAN:
                raise ValueError("the pattern is too large")
            self._read(conn, "shenguan.stored_events", _EVENTS)
            self._read(conn, "shenguan.submission", _SUBMISSIONS)
            for projection in PROJECTIONS:
                for table in projection.tables:
                    if "matters" not in table:
                        self._read(conn, f"read.{table}", _read_model(conn, table))
        self.events = self._tables["shenguan.stored_events"][1].count(b"\n")

    def _read(self, conn: psycopg.Connection[tuple[object, ...]], table: str, query: str) -> None:
        text = sql.SQL(query).format(mark=sql.SQL("chr(1)"), cloned=sql.Literal(list(_CLONED)))
        columns = [c.name for c in conn.execute(text + sql.SQL(" LIMIT 0")).description or ()]
        with conn.cursor() as cursor, cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(text)) as copy:
            self._tables[table] = columns, _MARKS.sub(_marked, b"".join(bytes(block) for block in copy))

    def fill(self, store: ScratchStore, events: int) -> int:
        """Adds clones until the store has at least so many events, and settles it; how many events it then has."""
        with psycopg.connect(store.migrator_url) as conn:
            row = conn.execute("SELECT count(*) FROM shenguan.stored_events").fetchone()
            assert row is not None
            clones = -(-max(0, events - int(row[0])) // self.events)
            if clones > CLONES_AT_MOST:
                raise ValueError(f"{clones} clones: the pattern is too small")
            for table, (columns, rows) in self._tables.items():
                target = sql.SQL("COPY {} ({}) FROM STDIN").format(
                    sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
                )
                with conn.cursor() as cursor, cursor.copy(target) as copy:
                    for number in range(1, clones + 1):
                        copy.write(rows.replace(MARK, b"%03d" % number))
                conn.commit()
            _followers_at_head(conn)
        settle(store.migrator_url)
        return int(row[0]) + clones * self.events


def settle(url: str) -> None:
    """Statistics, visibility and a checkpoint, so that what is measured next does not pay for the filling."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")
        with suppress(InsufficientPrivilege):
            conn.execute("CHECKPOINT")


def _followers_at_head(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """The sequence and every follower go to the end of the log; the filler is not delivered to anybody."""
    conn.execute(
        "SELECT setval('shenguan.stored_events_notification_id_seq', max(notification_id)) FROM shenguan.stored_events"
    )
    names = [*(projection.name for projection in PROJECTIONS), Filler.name, LogPublisher.name]
    conn.execute(
        "INSERT INTO shenguan.notification_tracking"
        " SELECT name, (SELECT max(notification_id) FROM shenguan.stored_events)"
        " FROM unnest(%s::text[]) AS f (name)"
        " ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id",
        (names,),
    )


def _marked(found: re.Match[bytes]) -> bytes:
    if found["number"]:
        return found[0] + MARK
    if found["submission"]:
        return MARK + found["submission"]
    if found["feedback"]:
        return b"FK" + MARK + found["feedback"]
    return found[0]


def _read_model(conn: psycopg.Connection[tuple[object, ...]], table: str) -> str:
    """Every column that is not computed; positions and serials marked."""
    rows = conn.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'read' AND table_name = %s"
        " AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    )
    columns = [str(row[0]) for row in rows]
    parts = [f"{{mark}} || lpad({c}::text, 7, '0') AS {c}" if c in _POSITIONS else f'"{c}"' for c in columns]
    return f"SELECT {', '.join(parts)} FROM read.{table}"
