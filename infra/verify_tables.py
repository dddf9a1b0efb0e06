"""The working tables against the log: outcomes, deliveries, parked ones, dead letters, Kafka positions, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from psycopg import Connection

from domain.channels import turns, turns_after
from domain.event import Recorded
from domain.notices import NoticeGivenUp, NoticeOwed
from domain.recheck import Problem, Run
from domain.registers import Registers

OUTLET = "outlet"
_SUBJECT = re.compile(rb'"subject":"([^"\\]*(?:\\.[^"\\]*)*)","ciphertext":')
Expected = dict[tuple[str, str], tuple[int, str, int]]
"""(notice, channel) → (position, department, serial)."""


class Claims:
    """Every run of events of one fact begins at the pointer of its submission, and every submission has its run."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        self._matched = 0

    def take(self, runs: Sequence[Run]) -> Iterator[Problem]:
        """Runs of a batch, in log order."""
        metas = [run.first.event.meta for run in runs]
        rows = self._conn.execute(
            "SELECT source, id, principal, disposition, stream, version FROM shenguan.submission"
            " JOIN (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS u (source, id)) AS f USING (source, id)"
            " WHERE disposition IN ('accepted', 'refused')",
            ([m.source for m in metas], [m.id for m in metas]),
            binary=True,
        ).fetchall()
        known = {row[:2]: row[2:] for row in rows}
        for run in runs:
            event = run.first.event
            wanted = "refused" if run.refused else "accepted"
            found = known.get((event.meta.source, event.meta.id))
            if found is None or found[:2] != (event.meta.principal, wanted):
                yield Problem(
                    run.first.position,
                    event.originator_id,
                    "submission",
                    f"事件所称的提交 {event.meta.fact} 的处理结果不是 {wanted}",
                    f"the submission {event.meta.fact} that the event names is not {wanted}",
                )
                continue
            place = (event.originator_id, event.originator_version)
            if found[2:] != place:
                yield Problem(
                    run.first.position,
                    event.originator_id,
                    "fact",
                    f"提交 {event.meta.fact} 的事实记为 {found[2]} {found[3]}，此处却另有其事件 {place[0]} {place[1]}",
                    f"the fact of {event.meta.fact} is said to be {found[2]} {found[3]}, but here stands {place[0]}"
                    f" {place[1]}",
                )
                continue
            self._matched += 1
            if not run.whole:
                kinds = ", ".join(kind.TOPIC for kind in run.kinds)
                yield Problem(
                    run.first.position,
                    event.originator_id,
                    "fact",
                    f"提交 {event.meta.fact} 不会产生这样的一组事件：{kinds}",
                    f"the submission {event.meta.fact} cannot have made these events: {kinds}",
                )

    def finish(self) -> Iterator[Problem]:
        """Those whose pointer leads to what somebody else's submission made."""
        row = self._conn.execute(
            "SELECT count(*) FROM shenguan.submission WHERE disposition IN ('accepted', 'refused')"
        ).fetchone()
        if row is None or row[0] == self._matched:
            return
        unclaimed = True
        for fact, stream, version in self._conn.execute(
            "SELECT s.source || '/' || s.id, s.stream, s.version FROM shenguan.submission AS s"
            " JOIN shenguan.stored_events AS e ON e.originator_id = s.stream AND e.originator_version = s.version,"
            " LATERAL (SELECT convert_from(e.state, 'UTF8')::jsonb -> 'meta' AS meta) AS m"
            " WHERE s.disposition IN ('accepted', 'refused')"
            " AND (m.meta ->> 'source', m.meta ->> 'id') IS DISTINCT FROM (s.source, s.id) LIMIT 5"
        ):
            unclaimed = False
            zh = f"提交 {fact} 的事实 {stream} {version} 是别的提交产生的"
            yield Problem(
                0, stream, "fact", zh, f"the fact {stream} {version} of {fact} was made by another submission"
            )
        if unclaimed:  # such as a fact of registers that are another store's
            zh = f"已受理或被拒的提交 {row[0]} 件，日志中由提交产生的事实 {self._matched} 件"
            en = f"{row[0]} submissions were accepted or refused, {self._matched} facts in the log were made by some"
            yield Problem(0, "submission", "fact", zh, en)


class Turns:
    """Which deliveries there ought to be: of an owing those whose turn it was at its position, in its addressee's
    order; of a channel given up those that came next. What was ever given up is compared at the end."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        rows = conn.execute(
            "SELECT DISTINCT substr(originator_id, 8) FROM shenguan.stored_events WHERE topic = %s",
            (NoticeGivenUp.TOPIC,),
        )
        self._turned: dict[str, tuple[set[str], Expected]] = {row[0]: (set(), {}) for row in rows}

    def take(self, recorded: Recorded, registers: Registers) -> Expected:
        """What can be compared already; `registers` are good for the event's position."""
        event = recorded.event
        if isinstance(event, NoticeGivenUp):
            self._turn(event, registers)
        if not isinstance(event, NoticeOwed) or event.addressee not in registers.departments:
            return {}
        there = (recorded.position, event.addressee, event.serial)
        found: Expected = {
            (event.notice, channel): there for channel in turns(registers.departments[event.addressee].channels)
        }
        if event.notice not in self._turned:
            return found
        self._turned[event.notice][1].update(found)
        return {}

    def _turn(self, event: NoticeGivenUp, registers: Registers) -> None:
        given_up, expected = self._turned[event.originator_id.removeprefix("notice/")]
        if not expected:  # nothing owed it, or all was given up
            return
        (notice, _), there = next(iter(expected.items()))
        expected.pop((notice, event.channel), None)
        if there[1] in registers.departments:
            for channel in turns_after(event.channel, registers.departments[there[1]].channels, given_up):
                expected.setdefault((notice, channel), there)
        given_up.add(event.channel)

    def finish(self) -> Iterator[Problem]:
        expected = {key: there for _, one in self._turned.values() for key, there in one.items()}
        yield from deliveries(self._conn, expected, self._turned)


def deliveries(conn: Connection[Any], expected: Expected, notices: Iterable[str] = ()) -> Iterator[Problem]:
    """Each has its row, as it was owed, and there is none beside them, nor of the `notices` that have none."""
    rows = conn.execute(
        "SELECT notice, channel, position, department, serial FROM shenguan.delivery WHERE notice = ANY(%s)",
        (sorted({notice for notice, _ in expected} | set(notices)),),
        binary=True,
    ).fetchall()
    found: Expected = {(notice, channel): (p, d, s) for notice, channel, p, d, s in rows}
    for notice, channel in sorted({key for key, _ in expected.items() ^ found.items()}):
        wanted, actual = expected.get((notice, channel)), found.get((notice, channel))
        zh = f"告知 {notice} 经 {channel} 的投递应为 {wanted}，实为 {actual}"
        en = f"the delivery of {notice} by {channel} should be {wanted}, is {actual}"
        yield Problem((wanted or actual or (0,))[0], f"notice/{notice}", "delivery", zh, en)


def unknown(conn: Connection[Any], names: Sequence[str]) -> list[str]:
    """Those of the subjects of whom the vault has no row, not even of a key that was destroyed."""
    rows = conn.execute(
        "SELECT name FROM unnest(%s::text[]) AS u (name)"
        " WHERE NOT EXISTS (SELECT FROM vault.subject_key WHERE subject = name) ORDER BY 1",
        (names,),
    )
    return [name for (name,) in rows]


def subjects(conn: Connection[Any], states: Sequence[bytes], position: int) -> Iterator[Problem]:
    """Every subject under whose key something is sealed has its row in the vault, be the key destroyed or not."""
    sealed = (state for state in states if b'"ciphertext":' in state)
    found = {subject for state in sealed for subject in _SUBJECT.findall(state)}
    names = [json.loads(b'"%b"' % subject) for subject in found]
    for name in unknown(conn, names)[:5]:
        zh = f"主体 {name} 的密钥不在密钥库中，也没有销毁的记载"
        yield Problem(
            position, name, "key", zh, f"no key of the subject {name} is in the vault, nor that it was destroyed"
        )


_CHECKS = (
    (
        "fact",
        "提交 {0} 已受理或被拒，日志中却没有其事实 {1}",
        "the submission {0} has no fact {1} in the log",
        "SELECT s.source || '/' || s.id, coalesce(s.stream || ' ' || s.version, '?') FROM shenguan.submission AS s"
        " LEFT JOIN shenguan.stored_events AS e ON e.originator_id = s.stream AND e.originator_version = s.version"
        " WHERE s.disposition IN ('accepted', 'refused') AND e.originator_id IS NULL LIMIT 5",
    ),
    (
        "parked",
        "提交 {0} 的暂存状态与暂存表不符（{1}）",
        "the submission {0} and the table of parked ones disagree ({1})",
        "SELECT coalesce(s.source || '/' || s.id, '?'), coalesce(s.disposition, '—') || ': '"
        " || coalesce(s.stream, '—') || ' / ' || coalesce(p.stream, '—') FROM shenguan.submission AS s"
        ' FULL JOIN shenguan.parked AS p USING (topic_id, partition, "offset")'
        " WHERE (s.disposition = 'parked' OR p.stream IS NOT NULL)"
        " AND (s.disposition IS DISTINCT FROM 'parked' OR s.stream IS DISTINCT FROM p.stream) LIMIT 5",
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
        "key",
        "死信 {0} 的密钥不在密钥库中",
        "no key of the dead letter {0} is in the vault",
        "SELECT d.subject FROM shenguan.dead_letter AS d LEFT JOIN vault.subject_key AS k USING (subject)"
        " WHERE k.subject IS NULL LIMIT 5",
    ),
    (
        "erasure",
        "主体 {0} 的密钥已销毁（{1}），日志中却没有销毁的命令",
        "the key of {0} was destroyed ({1}), and no order to is on record",
        "SELECT k.subject, coalesce(k.destroyed_at::text, '?') FROM vault.subject_key AS k WHERE k.wrapped IS NULL"
        " AND NOT EXISTS (SELECT FROM shenguan.stored_events AS e WHERE e.originator_id = 'erasure/' || k.subject)"
        " LIMIT 5",
    ),
    (
        "erasure",
        "已命令销毁 {0} 的密钥，密钥却还在（{1} 所立）",
        "the key of {0} was to be destroyed, but is there (made {1})",
        "SELECT k.subject, k.created_at::text FROM shenguan.stored_events AS e JOIN vault.subject_key AS k"
        f" ON k.subject = substr(e.originator_id, {len('erasure/') + 1})"
        " WHERE e.originator_id >= 'erasure/' AND e.originator_id < 'erasure0' AND k.wrapped IS NOT NULL LIMIT 5",
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
    (
        # In any epoch: a topic that is read again has been read further before, or not at all.
        "position",
        "摄取位置 {0} 之前有未处理的记录：已处理到 {1}",
        "there are records before the intake position {0} that were not handled: only those before {1} were",
        "SELECT i.topic_id || '/' || i.partition || '/' || i.next_offset, coalesce(s.ended, 0)::text"
        ' FROM shenguan.intake_position AS i LEFT JOIN (SELECT topic_id, partition, max("offset") + 1 AS ended'
        " FROM shenguan.submission GROUP BY topic_id, partition) AS s USING (topic_id, partition)"
        " WHERE i.next_offset > coalesce(s.ended, 0) LIMIT 5",
    ),
    (
        "delivery",
        "投递 {0}（{1}）没有应告知的事实",
        "nothing owes the delivery {0} ({1})",
        "SELECT d.notice, d.channel FROM shenguan.delivery AS d"
        " LEFT JOIN shenguan.stored_events AS e ON e.unique_key = d.notice WHERE e.unique_key IS NULL LIMIT 5",
    ),
    *(
        (
            mark,
            f"投递 {{0}}（{{1}}）{zh}，日志中却没有 {topic}",
            f"the delivery {{0}} ({{1}}) is marked {mark}, but the log has no {topic}",
            f"SELECT d.notice, d.channel FROM shenguan.delivery AS d WHERE d.{mark}_at IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM shenguan.stored_events AS e"
            f" WHERE e.originator_id = 'notice/' || d.notice AND e.topic = '{topic}'"
            " AND convert_from(e.state, 'UTF8')::jsonb ->> 'channel' = d.channel) LIMIT 5",
        )
        for mark, topic, zh in (
            ("sent", "notice.dispatched", "标为已推送"),
            ("delivered", "notice.delivered", "标为已送达"),
        )
    ),
    *(
        # What was dispatched and is to be sent again is not sent at present; what was delivered stays so. A letter may
        # carry what was owed before its addressee was told by letter.
        (
            mark,
            f"日志称 {{0}} {zh}（{{1}}），却没有这样的投递",
            f"the log says that {{0}} was {mark} ({{1}}), but there is no such delivery",
            f"SELECT e.originator_id, e.channel FROM (SELECT originator_id, convert_from(state, 'UTF8')::jsonb"
            f" ->> 'channel' AS channel FROM shenguan.stored_events WHERE topic = '{topic}') AS e"
            " LEFT JOIN shenguan.delivery AS d"  # by its key: where nothing is known of sizes it may be a nested loop
            f" ON d.notice = substr(e.originator_id, {len('notice/') + 1}) AND d.channel = e.channel"
            f" WHERE {missing} AND NOT EXISTS (SELECT FROM shenguan.stored_events AS g"
            " WHERE g.originator_id = e.originator_id AND g.topic = 'notice.given_up'"
            " AND convert_from(g.state, 'UTF8')::jsonb ->> 'channel' = e.channel) LIMIT 5",
        )
        for mark, topic, zh, missing in (
            ("dispatched", "notice.dispatched", "已推送", "d.notice IS NULL AND e.channel <> 'letter'"),
            ("delivered", "notice.delivered", "已送达", "d.delivered_at IS NULL"),
        )
    ),
)


def tables(conn: Connection[Any]) -> Iterator[Problem]:
    """Every disposition, position and mark has what it stands for."""
    for check, zh, en, query in _CHECKS:
        for row in conn.execute(query):
            yield Problem(0, str(row[0]), check, zh.format(*row), en.format(*row))
