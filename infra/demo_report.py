"""What the demo shows of the store: the questions its users ask, answered from the read models."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from rich.console import Console

from infra.answers import department_names
from infra.presentation import Shown, columns, names_over
from infra.store import Store
from projections import outcomes
from projections.two_way import find_steps

APPROVED = columns("""
number | 办件 | Case
matter_name | 事项 | Matter
party_name | 当事人 | Party
organ | 审批部门 | Organ
officer | 承办人 | Officer
decided_on | 决定日期 | Decided on
status | 状态 | Status
""")
UNRECEIVED = columns("""
department | 监管部门 | Supervisor
outstanding | 未签收 | Outstanding
delivered | 其中系统已取走 | of these delivered
since | 最早自 | Since
""")
STEPS = columns("""
recorded_at | 登记时间 | Recorded at
kind | 事项 | What
from_department | 自 | From
to_department | 至 | To
serial | 编号 | Serial
effective_on | 生效日期 | Effective on
""")
REFUSED = columns("""
occurred_at | 发生时间 | Occurred at
department | 部门 | Department
about | 关于 | About
clause | 条款 | Clause
rule | 拒绝理由 | Rule
""")
DEAD = columns("""
principal | 接入方 | Principal
id | 编号 | Id
field | 字段 | Field
message | 规则 | Rule
found | 所见 | Found
""")
WENT_IN = columns("""
disposition | 结果 | Disposition
count | 件数 | Count
""")
BUSY_CASE = """
SELECT case_stream FROM read.two_way WHERE kind IN ('feedback.disposed', 'notice.received', 'seal.applied')
GROUP BY case_stream HAVING count(DISTINCT kind) = 3 ORDER BY count(*) DESC, case_stream LIMIT 1
"""


def report(store: Store, console: Console, figures: dict[str, Any]) -> None:
    """Prints tables in the configured language; personal data masked."""
    shown = Shown(store, None, as_json=False, reveal=False, console=console)
    names = department_names(store)
    submissions = figures["submissions"]
    counted = [{"disposition": name, "count": submissions[name]} for name in outcomes.DISPOSITIONS]
    shown.table((f"一、提交 {submissions['in']} 件的去向", "1. What became of the submissions"), WENT_IN, counted)
    with closing(store.connect()) as conn:
        approved = _rows(
            conn,
            "SELECT number, matter_name, party_name, organ, officer, decided_on, status FROM read.approvals"
            " WHERE decided_on IS NOT NULL ORDER BY decided_on DESC, number LIMIT 6",
        )
        shown.table(
            ("二、谁审批了什么（最近 6 件）", "2. Who approved what"), APPROVED, names_over(approved, ["organ"], names)
        )
        notices = figures["notices"]
        shown.say(
            f"三、决定的告知：应发 {notices['owed']}，已送 {notices['dispatched']}，系统已取 {notices['delivered']}，"
            f"已签收 {notices['received']}，视为接收 {notices['deemed']}，已移交 {notices['moved']}，"
            f"未签收 {notices['outstanding']}",
            f"3. Notices of decisions: {notices}",
        )
        unreceived = _rows(
            conn,
            "SELECT department, count(*) AS outstanding, count(delivered_at) AS delivered, min(owed_at) AS since"
            " FROM read.receipts WHERE status = 'outstanding' GROUP BY department"
            " ORDER BY count(*) DESC, department LIMIT 8",
        )
        title = ("谁尚未签收、自何时起（前 8 个部门）", "Who has not received, since when")
        shown.table(title, UNRECEIVED, names_over(unreceived, ["department"], names))
        for case in _rows(conn, BUSY_CASE):
            stream = case["case_stream"]
            steps = names_over(find_steps(conn, stream).rows, ["from_department", "to_department"], names)
            shown.table((f"四、办件 {stream} 的双向记录", f"4. Two-way record of {stream}"), STEPS, steps)
        refused = _rows(
            conn,
            "SELECT occurred_at, department, about, clause, rule FROM read.attempts WHERE rule LIKE 'seal.%'"
            " ORDER BY position LIMIT 4",
        )
        title = ("五、被拒绝的用印", "5. Refused seals")
        shown.table(title, REFUSED, names_over(refused, ["department"], names))
        dead = outcomes.find_dead(conn, limit=8)
        letters = [{**row, **row["errors"][0]} for row in dead.rows if row["errors"]]
        shown.table((f"六、死信 {dead.total} 件（前 8 件）", f"6. {dead.total} dead letters"), DEAD, letters)


def _rows(conn: Connection[Any], query: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
