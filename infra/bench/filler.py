"""Filling a log to a wanted size with clones of real streams, so that `verify` finds it clean.

The pattern is a store that has taken in a year, has dispatched and delivered its notices and has its read models up to
date. Its rows are staged in a schema of the store that is to be filled, with a mark wherever a clone must differ: in
the serial part of submission ids, at the end of case numbers and of those whose keys seal something. The n-th clone is
the staged rows with the mark replaced by n in three digits, positions, record times and serials moved on. So every
clone holds the same cases under other numbers, with all that goes with them: notices on gapless ledgers and their
lives, dispositions, dead letters, deliveries, keys, read models. Counters cannot be cloned: they are folded from the
log.

What is old is settled: stories with a notice outstanding are left out, and so is what is parked. So are those that
enter something in the registers, which the clones share. What is not as intake would have written it: a key of one
clone is a key of all and unwraps under none of their names, hashes of contents are those of the pattern, topics have an
id of their own in every clone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from adapters.postgres.follower import catch_up
from adapters.postgres.publication import DEAD_LETTERS
from infra.bench.ground import Ground, ScratchStore
from infra.bench.mix import Mix, take_in
from infra.bench.settled import deliver
from infra.rebuilding import rebuild_all
from infra.roles.outlet import Filler
from infra.roles.publisher import LogPublisher
from projections.catalogue import PROJECTIONS
from projections.daily import DailyCounters
from projections.projection import Projection
from projections.risks import Risks

MARK = "\x01"
CLONES_AT_MOST = 999
CASES_AT_MOST = 10_000
"""Of the pattern: four digits tell its cases apart, the three before them the clones."""
_MARKS = re.compile(
    rb"(?P<number>\b[0-9A-Z]{31}20\d{6}(?P<a>\d{4})\b)"  # a case: matter, day, serial
    rb"|\b000(?P<submission>(?P<b>\d{4})\.\d\d\b)"  # case and place in it
    rb"|\bFK000(?P<feedback>(?P<c>\d{4})\d\d\b)"
    rb"|(?P<person>\bperson/[0-9a-f]{24}\b)"
    rb"|(?P<officer>\bofficer/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+)"
    rb"|(?P<letter>\bdeadletter/[0-9a-f-]{36}\b)"
)
_STAGE = "bench_pattern"
_CLONED = ("case", "notice", "ledger", "feedback", "seal", "attempt")
_FROM = {
    "shenguan.stored_events": "split_part(originator_id, '/', 1) = ANY({cloned}) ORDER BY notification_id",
    "shenguan.submission": "id NOT LIKE 'register.%' AND disposition <> 'parked'",
    "shenguan.dead_letter": "true",
    "shenguan.delivery": "true",
    "vault.subject_key": "split_part(subject, '/', 1) IN ('case', 'person', 'officer', 'deadletter')"
    " OR subject ~ '^submission/.*/\\d{{7}}\\.\\d\\d$'",
}
_POSITIONS = {"notification_id", "position", "last_position", "decision_position", "owed_position", "since"}
_RECORDED = {"recorded_at", "decision_recorded_at", "owed_at", "receipt_recorded_at", "moved_at"}
"""Record times, as they are in the log."""


class Pattern:
    """The rows of a store that has taken in the cases of one year, by table, marked."""

    def __init__(self, store: ScratchStore) -> None:
        self._tables: dict[str, tuple[list[tuple[str, str]], bytes]] = {}
        with psycopg.connect(store.migrator_url) as conn:
            self._unwanted = _unwanted(conn)
            for table, where in [*_FROM.items(), *((f"read.{name}", "true") for name in _read_models())]:
                self._read(conn, table, where)
        self.events = self._tables["shenguan.stored_events"][1].count(b"\n")

    @classmethod
    def of_year(cls, ground: Ground, mix: Mix) -> Pattern:
        """Takes the year in for it."""
        store = ground.store("pattern", mix.store)
        take_in(store, mix.submissions)
        deliver(store)
        made = cls(store)
        ground.drop(store.migrator_url)
        return made

    def _read(self, conn: Connection[Any], table: str, where: str) -> None:
        columns = _columns(conn, table)
        query = sql.SQL("COPY (SELECT {} FROM {} WHERE " + where + ") TO STDOUT").format(
            sql.SQL(", ").join(_staged(name) for name, _ in columns),
            _named(table),
            cloned=sql.Literal(list(_CLONED)),
        )
        with conn.cursor() as cursor, cursor.copy(query) as copy:
            rows = b"".join(bytes(block) for block in copy).splitlines(keepends=True)
        self._tables[table] = columns, b"".join(_MARKS.sub(_marked, row) for row in rows if self._wanted(row))

    def _wanted(self, row: bytes) -> bool:
        """Every row belongs to one story, or to none."""
        found = next((m for m in _MARKS.finditer(row) if m["a"] or m["b"] or m["c"]), None)
        return found is None or (found["a"] or found["b"] or found["c"]) not in self._unwanted

    def fill(self, store: ScratchStore, events: int) -> int:
        """Adds clones until the store, which has registers only, has at least so many events, and settles it; how many
        events it then has."""
        with store.connect() as conn:
            catch_up(conn, [*PROJECTIONS, Filler()])
        with psycopg.connect(store.migrator_url) as conn:
            conn.execute("SET synchronous_commit TO off")
            conn.execute("SET work_mem TO '256MB'")  # a clone is sorted by position
            before = _count(conn)
            clones = -(-max(0, events - before) // self.events)
            if clones > CLONES_AT_MOST:
                raise ValueError(f"{clones} clones: the pattern is too small")
            statements = self._stage(conn)
            conn.commit()
            for number in range(1, clones + 1):
                for statement in statements:
                    conn.execute(statement, {"n": number - 1, "mark": f"{number:03d}"})
                conn.commit()
            conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_STAGE)))
            followers_at_head(conn)
        with store.connect() as conn:
            catch_up(conn, [Risks()])
        rebuild_all(store, DailyCounters.name, lambda _done, _total: None)
        settle(store.migrator_url)
        return before + clones * self.events

    def _stage(self, conn: Connection[Any]) -> list[sql.Composed]:
        """Brings the rows over, as those of the first clone; the statements that add a clone."""
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_STAGE)))
        for table, (columns, rows) in self._tables.items():
            fields: list[sql.Composable] = [
                sql.SQL("{} " + _stage_type(name, kind)).format(sql.Identifier(name)) for name, kind in columns
            ]
            if _is_serial(columns):
                fields.append(sql.SQL("held bigint"))  # how many the ledger has
            conn.execute(sql.SQL("CREATE TABLE {} ({})").format(_stage(table), sql.SQL(", ").join(fields)))
            names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
            with conn.cursor() as cursor:
                with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(_stage(table), names)) as copy:
                    copy.write(rows)
        _renumber(conn, {table: columns for table, (columns, _) in self._tables.items()})
        row = conn.execute(
            sql.SQL("SELECT max(notification_id) - min(notification_id) + 1 FROM {}").format(
                _stage("shenguan.stored_events")
            )
        ).fetchone()
        assert row is not None
        return [_clone(table, columns, int(row[0] or 0)) for table, (columns, _) in self._tables.items()]


def settle(url: str) -> None:
    """Statistics, visibility and a checkpoint, so that what is measured next does not pay for the filling."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")
        with suppress(InsufficientPrivilege):
            conn.execute("CHECKPOINT")


def _unwanted(conn: Connection[Any]) -> set[bytes]:
    """The stories that enter something in the registers, and those in which a notice is outstanding."""
    rows = conn.execute(
        "SELECT DISTINCT id FROM shenguan.submission WHERE id NOT LIKE 'register.%%' AND disposition = 'accepted'"
        " AND split_part(stream, '/', 1) <> ALL(%s)"
        " UNION SELECT notice FROM read.receipts WHERE status = 'outstanding'",
        (list(_CLONED),),
    )
    return {found["b"] for row in rows if (found := _MARKS.search(row[0].encode())) is not None}


def _renumber(conn: Connection[Any], tables: dict[str, list[tuple[str, str]]]) -> None:
    """Without the stories that were left out: dense serials, and record times a microsecond apart per position, which
    leaves room for all clones between the last event of the store and now."""
    log = _stage("shenguan.stored_events")
    conn.execute(sql.SQL("CREATE INDEX ON {} (unique_key)").format(log))
    conn.execute(sql.SQL("CREATE UNIQUE INDEX ON {} (recorded_at)").format(log))
    conn.execute(
        sql.SQL(
            "UPDATE {log} AS e SET originator_version = r.rank, held = r.held FROM (SELECT notification_id,"
            " row_number() OVER (PARTITION BY originator_id ORDER BY originator_version) AS rank,"
            " count(*) OVER (PARTITION BY originator_id) AS held FROM {log} WHERE originator_id LIKE 'ledger/%') AS r"
            " WHERE r.notification_id = e.notification_id"
        ).format(log=log)
    )
    row = conn.execute(
        sql.SQL(
            "SELECT max(e.notification_id) + 1, max(e.recorded_at) + interval '1 microsecond',"
            " (SELECT min(notification_id) FROM {}) FROM shenguan.stored_events AS e"
        ).format(log)
    ).fetchone()
    assert row is not None
    first, begun, old = row
    conn.execute(
        sql.SQL(
            "CREATE TABLE {} AS SELECT recorded_at AS old,"
            " %s + (notification_id - %s) * interval '1 microsecond' AS new FROM {}"
        ).format(_stage(".times"), log),
        (begun, old),
    )
    conn.execute(sql.SQL("CREATE INDEX ON {} (old)").format(_stage(".times")))
    conn.execute(
        sql.SQL(
            'DELETE FROM {} AS d WHERE NOT EXISTS (SELECT FROM {} AS s WHERE (s.topic_id, s.partition, s."offset") ='
            ' (d.topic_id, d.partition, d."offset"))'
        ).format(_stage("shenguan.dead_letter"), _stage("shenguan.submission"))
    )
    for table, columns in tables.items():
        if table == "shenguan.stored_events" or not _is_serial(columns):
            continue
        conn.execute(
            sql.SQL(
                "UPDATE {} AS t SET serial = e.originator_version, held = e.held FROM {} AS e"
                " WHERE e.unique_key = t.notice"
            ).format(_stage(table), log)
        )
    for table, columns in tables.items():
        for name in (name for name, _ in columns if name in _RECORDED):
            conn.execute(
                sql.SQL("UPDATE {t} SET {c} = new FROM {times} WHERE {c} = old").format(
                    t=_stage(table), c=sql.Identifier(name), times=_stage(".times")
                )
            )
        for name in (name for name, _ in columns if name in _POSITIONS):
            conn.execute(
                sql.SQL("UPDATE {t} SET {c} = {c} + %s").format(t=_stage(table), c=sql.Identifier(name)),
                (first - old,),
            )


def _clone(table: str, columns: list[tuple[str, str]], span: int) -> sql.Composed:
    """Adds the clone numbered %(n)s from 0, marked %(mark)s."""
    values = [sql.SQL(_value(table, name, kind)).format(c=sql.Identifier(name), span=span) for name, kind in columns]
    order = sql.SQL(" ORDER BY notification_id" if table == "shenguan.stored_events" else "")
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}{}").format(
        _named(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        sql.SQL(", ").join(values),
        _stage(table),
        order,
    )


def _value(table: str, name: str, kind: str) -> str:
    marked = f"replace({{c}}, '{MARK}', %(mark)s)"
    if name in _POSITIONS:
        return "{c} + %(n)s * {span}"
    if name in _RECORDED and kind.startswith("timestamp"):
        return "{c} + %(n)s * {span} * interval '1 microsecond'"
    if name == "serial" or (table, name) == ("shenguan.stored_events", "originator_version"):
        return "{c} + %(n)s * coalesce(held, 0)"
    if name == "number" and kind == "bigint":
        return "nextval('shenguan.dead_letter_number_seq')"
    if name == "topic_id" and table in ("shenguan.submission", "shenguan.dead_letter"):
        return "{c} || '-' || %(mark)s"
    if name == "state":
        return f"convert_to({marked}, 'UTF8')"
    if kind == "jsonb":
        return f"{marked}::jsonb"
    return marked if kind == "text" else "{c}"


def followers_at_head(conn: Connection[Any]) -> None:
    """The sequence and every follower go to the end of the log, and what is dead counts as published."""
    conn.execute(
        "SELECT setval('shenguan.stored_events_notification_id_seq', max(notification_id)) FROM shenguan.stored_events"
    )
    names = [*(projection.name for projection in _cloned()), Filler.name, LogPublisher.name]
    conn.execute(
        "INSERT INTO shenguan.notification_tracking"
        " SELECT name, (SELECT max(notification_id) FROM shenguan.stored_events) FROM unnest(%s::text[]) AS f (name)"
        " UNION SELECT %s, coalesce(max(number), 0) FROM shenguan.dead_letter"
        " ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id",
        (names, DEAD_LETTERS),
    )


def _marked(found: re.Match[bytes]) -> bytes:
    mark = MARK.encode()
    if found["submission"]:
        return mark + found["submission"]
    if found["feedback"]:
        return b"FK" + mark + found["feedback"]
    if found["letter"]:
        return found[0] + b"-" + mark  # as the topic's id
    return found[0] + mark


def _read_models() -> Iterable[str]:
    """Those that hold cases and notices; names of matters come from the registers."""
    return (table for projection in _cloned() for table in projection.tables if table != "approval_matters")


def _cloned() -> list[Projection]:
    """Not what is counted across cases: that follows the log of the clones."""
    return [projection for projection in PROJECTIONS if not isinstance(projection, (Risks, DailyCounters))]


def _columns(conn: Connection[Any], table: str) -> list[tuple[str, str]]:
    """Name and type of every column that is not computed."""
    schema, name = table.split(".")
    return conn.execute(
        "SELECT column_name::text, data_type::text FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (schema, name),
    ).fetchall()


def _staged(name: str) -> sql.Composed:
    return sql.SQL("convert_from({}, 'UTF8')" if name == "state" else "{}").format(sql.Identifier(name))


def _stage_type(name: str, kind: str) -> str:
    """What may hold a mark is text."""
    return "text" if kind == "jsonb" or name == "state" else kind


def _is_serial(columns: list[tuple[str, str]]) -> bool:
    return any(name in ("serial", "originator_version") for name, _ in columns)


def _count(conn: Connection[Any]) -> int:
    row = conn.execute("SELECT count(*) FROM shenguan.stored_events").fetchone()
    assert row is not None
    return int(row[0])


def _named(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _stage(table: str) -> sql.Identifier:
    return sql.Identifier(_STAGE, table.split(".")[1])
