"""The answers to the terminal's questions, and their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from adapters.postgres.log import Log
from domain.clocks import lamp
from domain.registers import Registers
from domain.submissions import local_date
from infra.explaining import awaited, explained
from infra.operations import witnesses
from infra.presentation import Column, Context, Shown, columns, moment, names_over
from projections import outcomes, statistics
from projections.approvals import Flags, find_approvals
from projections.attempts import find_attempts
from projections.page import Page
from projections.receipts import find_receipts
from projections.two_way import find_steps
from projections.working_days import CHINA

APPROVAL = columns("""
    organ | 审批部门 | organ
    number | 办件号 | case
    matter
    matter_name | 事项 | matter
    party_kind
    party_name | 相对人 | party
    uscc
    uscc_valid
    status | 状态 | status
    ended_by | 终止方式 | ended by
    outcome
    document_number | 文号 | document
    accepted_on
    decided_on | 决定日期 | decided on
    decided_by
    officer | 经办人 | officer
    officer_name | 姓名 | name
    power_since | 权力自 | power since
    power_basis | 依据 | basis
    legacy
    licence_number | 证照号 | licence
    valid_from
    valid_to | 有效期至 | valid to
    certificate
    electronic_id
    ended_on
    penalised_on | 吊销 | revoked by penalty
    suspensions
    terms
    anew | 待重作 | to decide anew
    seals | 用印 | seals
    manner
    window
    outside_window | 窗口之外 | outside window
    last_change | 最近变动 | last change
    last_change_on
    recorded_at
    decision_recorded_at
    decision_position
    last_position
""")
RECEIPT = columns("""
    notice
    department | 部门 | department
    serial | 编号 | serial
    case_stream
    case | 办件号 | case
    matter
    about | 告知 | about
    root
    origin
    returns
    status | 状态 | status
    owed_at | 应告知 | owed
    due_on
    due | 签收期限 | due
    overdue | 逾期 | overdue
    lamp | 灯 | lamp
    due_limit
    due_document
    due_calendar
    waited
    rungs | 催办督办 | pressed
    pressed_at
    channel | 渠道 | channel
    dispatched_at | 推送 | dispatched
    topic_id
    partition
    offset
    delivered_at | 送达 | delivered
    delivered_group
    given_up_channel | 放弃渠道 | channel given up
    given_up_why | 放弃缘由 | why given up
    given_up_at
    received_at | 签收 | received
    receipt_recorded_at | 签收登记 | receipt entered
    received_by | 签收人 | received by
    received_by_name | 姓名 | name
    taken_at | 纳入监管 | taken
    returned_at
    returned_to
    moved_at | 移交 | moved
    moved_to
    deemed_at | 视为接收 | deemed
""")
STEP = columns("""
    position
    recorded_at | 记录时间 | recorded
    kind | 事项 | what
    from_department | 自 | from
    to_department | 至 | to
    officer | 经办人 | officer
    officer_name | 姓名 | name
    effective_on | 生效 | effective
    occurred_at
    notice
    serial | 编号 | serial
    channel | 渠道 | channel
    summary
""")
ATTEMPT = columns("""
    position
    occurred_at | 时间 | time
    department | 部门 | department
    officer | 经办人 | officer
    principal | 接入方 | principal
    type
    rule | 拒绝理由 | refused because
    clause | 条款 | clause
    about
    fact
    recorded_at
""")
DEAD = columns("""
    number | 序号 | number
    place | 位置 | place
    topic
    principal | 接入方 | principal
    source | 来源 | source
    id | 标识 | id
    type | 类型 | type
    department | 部门 | department
    arrived_at | 到达 | arrived
    dead_at
    reason | 字段：规则（实际） | field: rule (found)
    errors
    retry_of
    retried_at | 已重试 | retried
""")
CONFLICT = columns("""
    place | 位置 | place
    topic
    principal | 接入方 | principal
    source | 来源 | source
    id | 标识 | id
    type | 类型 | type
    department | 部门 | department
    arrived_at | 到达 | arrived
    holder | 与此冲突 | conflicts with
""")
PARKED = columns("""
    place | 位置 | place
    topic
    principal | 接入方 | principal
    source | 来源 | source
    id | 标识 | id
    type | 类型 | type
    department | 部门 | department
    waits_for | 等待 | waits for
    arrived_at
    parked_at | 自 | since
    expires_at | 至 | until
    ready
""")
FOLLOWER = columns("""
    name | 跟随者 | follower
    position | 位置 | position
    behind | 落后 | behind
    alive_at | 心跳 | alive
    error | 停止原因 | stopped because
""")
READING = columns("""
    reader | 读者 | reader
    store | 库 | store
    position | 已读到 | read up to
    read_at | 读取时间 | read at
    alive_at | 心跳 | alive
    error | 停止原因 | stopped because
""")
WITNESS = columns("""
    name | 见证方 | witness
    size | 见证至 | cosigned up to
    at | 时间 | at
    error | 不予见证 | refuses because
""")
FIGURES = columns("""
    kind | 项目 | figure
    count | 数 | count
""")


def department_names(context: Context) -> dict[str, str]:
    """As the registers have them now."""
    registers = Registers()
    with closing(context.connect()) as conn:
        Log(conn).refresh(registers, 0)
    return {code: entry.name for code, entry in registers.departments.items()}


def approvals(
    context: Context,
    shown: Shown,
    department: str | None,
    matter: str | None,
    since: str | None,
    limit: int,
    flags: Flags,
) -> None:
    with closing(context.connect_reader()) as conn:
        found = find_approvals(
            conn,
            department=department,
            matter=matter,
            since=moment(since).astimezone(CHINA).date() if since else None,
            flags=flags,
            limit=limit,
        )
    shown.page(("审批台账", "Approvals"), APPROVAL, _named(context, shown, found, ["organ", "decided_by"]))


def receipts(
    context: Context,
    shown: Shown,
    department: str | None,
    matter: str | None,
    since: str | None,
    outstanding: bool,
    limit: int,
) -> None:
    with closing(context.connect_reader()) as conn:
        found = find_receipts(
            conn,
            department=department,
            matter=matter,
            since=moment(since) if since else None,
            outstanding=outstanding,
            limit=limit,
        )
    found = Page(found.total, with_due(found.rows, datetime.now(UTC)))
    shown.page(("签收台账", "Receipts"), RECEIPT, _named(context, shown, found, ["department"]))


def with_due(rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Adds `case`, `overdue` (null where nothing runs, or the calendar is not published), the `lamp`, and, for people,
    `due`."""
    made = []
    for row in rows:
        extra: dict[str, Any] = {
            "case": row["case_stream"].rpartition("/")[2],
            "due": None,
            "lamp": None,
            "overdue": None,
        }
        if row["due_limit"] is not None:
            on, held = row["due_on"], row["held_until"] and local_date(row["held_until"])
            shows = lamp(on, row["yellow_on"], held, local_date(now))
            extra |= {"due": on.isoformat() if on else "unknown", "overdue": on and shows == "red"}
            extra["lamp"] = "paused" if row["suspended_on"] and held is None else shows
        made.append(row | extra)
    return made


def case(context: Context, shown: Shown, number: str, organ: str | None) -> None:
    with closing(context.connect_reader()) as conn:
        cases = [r for r in find_approvals(conn, number=number, limit=1000).rows if organ in (None, r["organ"])]
        the_one = single(shown, number, [r["organ"] for r in cases])
        row = next(r for r in cases if r["organ"] == the_one)
        stream = row["stream"]
        notices = with_due(find_receipts(conn, case=stream, limit=10_000).rows, datetime.now(UTC))
        steps = find_steps(conn, stream, limit=10_000).rows
        about = [stream, *(f"notice/{n['notice']}" for n in notices)]
        attempts = find_attempts(conn, about=about, limit=1000).rows
    if shown.as_json:
        shown.json(
            {
                "case": _pick(APPROVAL, row),
                "notices": [_pick(RECEIPT, r) for r in notices],
                "steps": [_pick(STEP, r) for r in steps],
                "attempts": [_pick(ATTEMPT, r) for r in attempts],
            }
        )
        return
    names = department_names(context)
    shown.table((f"办件 {number}", f"Case {number}"), APPROVAL, names_over([row], ["organ"], names))
    shown.table(("告知与签收", "Notices and receipts"), RECEIPT, names_over(notices, ["department"], names))
    shown.table(("双向记录", "Two-way record"), STEP, names_over(steps, ["from_department", "to_department"], names))
    if attempts:
        shown.table(("被拒绝的尝试", "Refused attempts"), ATTEMPT, names_over(attempts, ["department"], names))


def single(shown: Shown, number: str, organs: Sequence[str]) -> str:
    """The one organ that has a case of this number; else says what is wrong and ends."""
    if not organs:
        raise shown.fail(f"没有办件 {number}。", f"No case {number}.", organs=[])
    if len(organs) > 1:
        listed = sorted(organs)
        raise shown.fail(
            f"办件号 {number} 在几个部门都有：{'、'.join(listed)}；请用 --organ 指明。",
            f"Several departments have a case {number}: {', '.join(listed)}; choose with --organ.",
            organs=listed,
        )
    return organs[0]


def deadletters(context: Context, shown: Shown, department: str | None, limit: int) -> None:
    with closing(context.connect()) as conn:
        dead = outcomes.find_dead(conn, department=department, limit=limit)
        conflicts = outcomes.find_conflicts(conn, department=department, limit=limit)
    for row in dead.rows:
        row["reason"] = ("；" if shown.zh else "; ").join(explained(error, shown.zh) for error in row["errors"])
    if shown.as_json:
        shown.json(
            {
                "total": dead.total,
                "shown": len(dead.rows),
                "items": [_pick(DEAD, r) for r in dead.rows],
                "conflicts": {
                    "total": conflicts.total,
                    "shown": len(conflicts.rows),
                    "items": [_pick(CONFLICT, r) for r in conflicts.rows],
                },
            }
        )
        return
    shown.page(("死信", "Dead letters"), DEAD, dead)
    if conflicts.rows:
        shown.page(("冲突：同一标识，不同内容", "Conflicts: same id, other content"), CONFLICT, conflicts)


def parked(context: Context, shown: Shown, department: str | None, limit: int) -> None:
    with closing(context.connect()) as conn:
        found = outcomes.find_parked(conn, department=department, limit=limit)
    if not shown.as_json:
        found = Page(found.total, [r | {"waits_for": awaited(r["waits_for"], shown.zh)} for r in found.rows])
    shown.page(("等待中的提交", "Parked submissions"), PARKED, found)


def status(context: Context, shown: Shown) -> None:
    now = datetime.now(UTC)
    with closing(context.connect()) as conn:
        head = Log(conn).head()
        recorded = conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events ORDER BY notification_id DESC LIMIT 1"
        ).fetchone()
        rows = conn.execute(
            "SELECT coalesce(t.application_name, f.name), coalesce(t.notification_id, 0), f.alive_at, f.error,"
            " (SELECT count(*) FROM (SELECT FROM shenguan.stored_events"
            "  WHERE notification_id > coalesce(t.notification_id, 0) LIMIT 100000) AS behind)"
            " FROM shenguan.notification_tracking AS t FULL JOIN shenguan.follower AS f ON f.name = t.application_name"
            " WHERE coalesce(t.application_name, f.name) <> 'deadletters'"  # follows the dead letters, not the log
            # others' logs; queues, see `channels`; what follows checkpoints
            " AND coalesce(f.name, '') !~ '^(registrar|region|outlet|role|witness)[.]|^checkpoints$'"
            " ORDER BY 1"
        ).fetchall()
        readings = log_readings(conn)
        submissions = outcomes.counts(conn)
        seen = witnesses(conn)
    followers = [dict(zip(("name", "position", "alive_at", "error", "behind"), row, strict=True)) for row in rows]
    with closing(context.connect_reader()) as conn:
        notices = statistics.notices_of_decisions(conn)
        decided = statistics.decisions(conn)
        seals = statistics.seals(conn)
        overdue = statistics.overdue(conn, local_date(now))
    if shown.as_json:
        shown.json(
            {
                "log": {"head": head, "recorded_at": recorded[0] if recorded else None},
                "followers": followers,
                "readings": readings,
                "witnesses": seen,
                "submissions": submissions,
                "notices": notices,
                "overdue": overdue,
                "decisions": decided,
                "seals": seals,
            }
        )
        return
    last = shown.text("", recorded[0]) if recorded else "—"
    shown.say(f"日志位置 {head}，最后记录于 {last}。", f"Log position {head}, last recorded at {last}.")
    shown.table(("跟随者", "Followers"), FOLLOWER, followers)
    if readings:
        shown.table(("读取其他库的日志", "Other stores' logs"), READING, readings)
    if seen:
        shown.table(("见证方", "Witnesses"), WITNESS, seen)
    shown.table(("提交", "Submissions"), FIGURES, _figures(submissions))
    shown.table(("审批决定的告知", "Notices of decisions"), FIGURES, _figures(notices))
    late = "工作日历未公布" if overdue is None else str(overdue)
    late_en = "calendar not published" if overdue is None else str(overdue)
    shown.say(
        f"决定 {decided} 件；逾期未签收 {late}；用印 {seals['applied']} 次，拒绝 {seals['refused']} 次。",
        f"{decided} decisions; overdue: {late_en}; seals applied {seals['applied']}, refused {seals['refused']}.",
    )


def log_readings(conn: Connection[Any], reader: str | None = None) -> list[dict[str, Any]]:
    """How far each other store's log was read, when something was last read of it, and why it stands still."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT coalesce(r.reader, split_part(f.name, '.', 1)) AS reader,"
            " coalesce(r.store, split_part(f.name, '.', 2)) AS store, coalesce(r.position, 0) AS position, r.read_at,"
            " f.alive_at, f.error FROM shenguan.log_reading AS r"
            " FULL JOIN (SELECT * FROM shenguan.follower WHERE name ~ '^(registrar|region)[.]') AS f"
            " ON f.name = r.reader || '.' || r.store"
            " WHERE coalesce(r.reader, split_part(f.name, '.', 1)) = coalesce(%s, r.reader, split_part(f.name, '.', 1))"
            " ORDER BY 1, 2",
            (reader,),
        ).fetchall()


def _figures(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"kind": name, "count": count} for name, count in counts.items()]


def _pick(shape: Sequence[Column], row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.key: row.get(column.key) for column in shape}


def _named(context: Context, shown: Shown, found: Page, keys: Sequence[str]) -> Page:
    """Names instead of codes, for people only: JSON keeps the codes."""
    return found if shown.as_json else Page(found.total, names_over(found.rows, keys, department_names(context)))
