"""`shenguan verify`: the store against itself, naming the first wrong thing. The oracle of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from adapters.postgres.log import Log
from adapters.postgres.mapper import UnknownEvent
from domain.event import Recorded
from domain.recheck import Problem, Recheck
from infra.store import Store
from projections.catalogue import PROJECTIONS
from projections.projection import Projection

BATCH = 5000
Progress = Callable[[int, int], None]
"""(events read, events in all)."""


@dataclass(slots=True)
class Verdict:
    """What was read and what is wrong; clean when `problems` is empty. `head` is the log position it speaks of."""

    events: int
    notices: int
    submissions: int
    head: int
    problems: list[Problem]


def verify(store: Store, progress: Progress = lambda _done, _all: None, most: int = 20) -> Verdict:
    """Reads everything in one snapshot; writes nothing. Stops after `most` problems."""
    with psycopg.connect(store.migrator_url) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        recheck = Recheck()
        head = Log(conn).head()
        problems: list[Problem] = []
        for problem in _checks(conn, recheck, progress):
            problems.append(problem)
            if len(problems) >= most:
                break
        row = conn.execute("SELECT count(*) FROM shenguan.submission").fetchone()
        conn.rollback()
    return Verdict(recheck.events, recheck.notices, int(row[0]) if row else 0, head, problems)


def _checks(conn: Connection[Any], recheck: Recheck, progress: Progress) -> Iterator[Problem]:
    yield from _log(conn, recheck, progress)
    yield from _dispositions(conn)
    for projection in PROJECTIONS:
        yield from _read_model(conn, projection)


def _log(conn: Connection[Any], recheck: Recheck, progress: Progress) -> Iterator[Problem]:
    """Order, versions, notices owed and recorded; and of every fact the submission that made it."""
    row = conn.execute("SELECT count(*) FROM shenguan.stored_events").fetchone()
    total = int(row[0]) if row else 0
    log, position = Log(conn), 0
    while True:
        try:
            batch = log.after(position, BATCH)
        except (UnknownEvent, ValueError) as error:
            yield Problem(position, "", "decode", f"位置 {position} 之后有无法读取的事件：{error}", str(error))
            return
        if not batch:
            break
        for recorded in batch:
            yield from recheck.take(recorded)
        yield from _claimed(conn, batch)
        position = batch[-1].position
        progress(recheck.events, total)
    yield from recheck.finish()


def _claimed(conn: Connection[Any], batch: list[Recorded]) -> Iterator[Problem]:
    """Every event not the system's own comes from an accepted or refused submission of the principal it names."""
    mine = [r for r in batch if r.event.meta.auth != "system"]
    facts = sorted({(r.event.meta.source, r.event.meta.id) for r in mine})
    rows = conn.execute(
        "SELECT source, id, principal, disposition FROM shenguan.submission"
        " JOIN unnest(%s::text[], %s::text[]) AS f (source, id) USING (source, id)"
        " WHERE disposition IN ('accepted', 'refused')",
        ([f[0] for f in facts], [f[1] for f in facts]),
    )
    known = {(source, id_): (principal, disposition) for source, id_, principal, disposition in rows}
    for recorded in mine:
        event = recorded.event
        principal, disposition = known.get((event.meta.source, event.meta.id), (None, None))
        wanted = "refused" if event.TOPIC == "attempt.refused" else "accepted"
        if principal != event.meta.principal or disposition != wanted:
            yield Problem(
                recorded.position,
                event.originator_id,
                "submission",
                f"事件所称的提交 {event.meta.fact} 的处理结果不是 {wanted}",
                f"the submission {event.meta.fact} that the event names is not {wanted}",
            )


_DISPOSITIONS = (
    (
        "fact",
        "提交 {0} 已受理或被拒，日志中却没有其事实 {1}",
        "the submission {0} has no fact {1} in the log",
        "SELECT s.source || '/' || s.id, s.stream || ' ' || s.version FROM shenguan.submission AS s"
        " LEFT JOIN shenguan.stored_events AS e ON e.originator_id = s.stream AND e.originator_version = s.version"
        " WHERE s.disposition IN ('accepted', 'refused') AND e.originator_id IS NULL LIMIT 5",
    ),
    (
        "parked",
        "提交 {0} 的暂存状态与暂存表不符（{1}）",
        "the submission {0} and the table of parked ones disagree ({1})",
        "SELECT coalesce(s.source || '/' || s.id, '?'), coalesce(s.disposition, '—') FROM shenguan.submission AS s"
        ' FULL JOIN shenguan.parked AS p USING (topic_id, partition, "offset")'
        " WHERE (s.disposition = 'parked') IS DISTINCT FROM (p.stream IS NOT NULL)"
        " AND (s.disposition = 'parked' OR p.stream IS NOT NULL) LIMIT 5",
    ),
    (
        "dead",
        "死信或冲突 {0} 没有保存原文（{1}）",
        "nothing was kept of the dead letter or conflict {0} ({1})",
        "SELECT s.source || '/' || s.id, s.disposition FROM shenguan.submission AS s"
        ' LEFT JOIN shenguan.dead_letter AS d USING (topic_id, partition, "offset")'
        " WHERE s.disposition IN ('dead', 'conflict') AND d.subject IS NULL LIMIT 5",
    ),
    (
        "position",
        "已处理的记录 {0} 在摄取位置 {1} 之后",
        "the record {0} was handled but lies after the intake position {1}",
        "SELECT s.topic || '/' || s.partition || '/' || max(s.\"offset\"), i.next_offset::text"
        " FROM shenguan.submission AS s JOIN shenguan.intake_topic AS t USING (topic, topic_id)"
        " JOIN shenguan.intake_position AS i USING (topic_id, partition)"
        " WHERE i.epoch = 1 AND t.epoch = 1"
        ' GROUP BY s.topic, s.partition, i.next_offset HAVING max(s."offset") >= i.next_offset LIMIT 5',
    ),
)


def _dispositions(conn: Connection[Any]) -> Iterator[Problem]:
    """Every disposition has what it stands for."""
    for check, zh, en, query in _DISPOSITIONS:
        for row in conn.execute(query):
            yield Problem(0, str(row[0]), check, zh.format(*row), en.format(*row))


def _read_model(conn: Connection[Any], projection: Projection) -> Iterator[Problem]:
    """A fresh fold of the log up to the model's position gives the very same rows."""
    row = conn.execute(
        "SELECT notification_id FROM shenguan.notification_tracking WHERE application_name = %s", (projection.name,)
    ).fetchone()
    up_to = int(row[0]) if row else 0
    scratch = f"verify_{projection.name}"
    conn.execute(sql.SQL("CREATE SCHEMA {0}; SET LOCAL search_path TO {0}").format(sql.Identifier(scratch)))
    conn.execute(projection.ddl())
    log, position = Log(conn), 0
    while batch := log.after(position, BATCH, up_to):
        projection.apply(conn, batch)
        position = batch[-1].position
    for table in projection.tables:
        for kind, first, second in (("多出", "read", scratch), ("缺少或不同", scratch, "read")):
            found = conn.execute(
                sql.SQL(
                    "SELECT to_jsonb(x) FROM (SELECT * FROM {}.{t} EXCEPT SELECT * FROM {}.{t}) AS x LIMIT 3"
                ).format(sql.Identifier(first), sql.Identifier(second), t=sql.Identifier(table))
            )
            for (values,) in found:
                name = str(
                    next((values[k] for k in ("notice", "stream", "case_stream", "position") if k in values), "")
                )
                yield Problem(up_to, name, f"read.{table}", f"读模型 {table} 有{kind}的行", f"rows differ in {table}")
    conn.execute("RESET search_path")
