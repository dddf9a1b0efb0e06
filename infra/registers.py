"""The registers asked by date: where matters stand, what the lists hold and lack of each other, handovers (1.2–2.1).

Two time axes: `as_true_at` is the date for which the answer is to hold, `as_known_at` the moment whose record gives it.
"""

from __future__ import annotations

import csv
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import typer

from adapters.postgres.log import Log
from domain.entries import Entry
from domain.guides import unlike
from domain.lists import mismatches
from domain.reform import Deferral, Proposal, standing
from domain.registering import Kind
from domain.registers import Registers
from domain.seal_registry import Seal
from domain.submissions import local_date
from infra.exporting import as_cell
from infra.presentation import Context, Shown, columns, known_at, moment
from infra.register_rows import blanks_rows, handover_rows, placement_rows
from projections.page import Page
from projections.working_days import CHINA

MATTER = columns("""
    code | 事项编码 | matter
    name | 名称 | name
    standing | 状态 | standing
    holder | 权力归属 | held by
    since | 自 | since
    basis | 依据 | basis
    batch | 批次 | batch
    supervisors | 监管部门 | supervisors
    reason | 暂缓原因 | deferred because
    review_on | 复核日期 | review date
    review_due | 复核到期 | review due
""")
ENTRY = columns("""
    key | 编码 | key
    kind
    matter | 事项编码 | matter
    name | 名称 | name
    organ | 实施部门 | organ
    lead | 牵头部门 | lead
    granted_by | 授权部门 | granted by
    granted_to | 被授权部门 | granted to
    legal_basis | 设定依据 | legal basis
    duties | 责任事项 | duties
    published_on | 公布日期 | published on
    batch | 批次 | batch
    reason | 原因 | reason
    review_on | 复核日期 | review date
    matters | 事项 | matters
    elements | 要素 | elements
    steps | 环节 | steps
    promised_days | 承诺工作日 | promised working days
    work | 业务 | work
    party | 责任方 | carried out by
    required | 必需 | required
    section | 科室 | section
    in_hall | 进驻大厅 | in the hall
    windows | 授权窗口 | authorised windows
    online | 网上办理 | online
    monitored | 电子监察 | monitored
    signal | 信号 | signal
    value | 阈值 | threshold
    period | 期间 | period
    relation | 关系 | relation
    department | 部门 | department
    from_department | 自 | from
    to_department | 至 | to
    description | 内容 | what
    number | 文号 | number
    title | 标题 | title
    issuer | 发文机关 | issuer
    issued_on | 印发日期 | issued
    repealed_on | 废止日期 | repealed
    document | 文件 | document
    responsible | 责任部门 | responsible
    overseer | 督办部门 | overseer
    due_on | 完成期限 | due
    done | 已完成 | done
    cost_item | 支出项目 | cost
    payer | 负担 | paid by
    budget | 预算级次 | budget
    amount | 金额（元） | amount, yuan
    clock | 时限 | clock
    region | 地区 | region
    days | 工作日 | working days
    yellow | 转黄提前 | yellow before
    ladder | 催办督办 | ladder
    deemed_after | 逾期视为接收 | deemed received after
    year | 年 | year
    off | 放假日 | days off
    worked | 上班日 | days worked
    seal_kind | 印章种类 | kind of seal
    owners | 所有部门 | owners
    delegated_to | 授权用印部门 | delegated to
    certificate_serial | 证书序列号 | certificate
    certificate_from | 证书有效期自 | certificate from
    certificate_to | 证书有效期至 | certificate to
    mark | 机关代字 | mark
    address | 地址 | address
    phone | 电话 | telephone
    principal | 接入方 | principal
    type | 信息类型 | type
    algorithm | 算法 | algorithm
    public_key | 公钥 | public key
    until | 有效至 | until
    valid_from | 自 | since
    basis | 依据 | basis
""")
SEAL = columns("""
    key | 印章编码 | seal
    name | 名称 | name
    seal_kind | 种类 | kind
    owners | 所有部门 | owners
    delegated_to | 授权用印部门 | delegated to
    certificate_serial | 证书序列号 | certificate
    certificate_from | 证书有效期自 | certificate from
    certificate_to | 证书有效期至 | certificate to
    status | 证书状态 | certificate is
    valid_from | 自 | since
    basis | 依据 | basis
""")
MISMATCH = columns("""
    matter | 事项编码 | matter
    name | 名称 | name
    wanting | 缺 | lacks
    item | 监管事项 | supervision item
""")
HANDOVER = columns("""
    matter | 事项编码 | matter
    name | 名称 | name
    giver | 移交方 | giver
    taker | 接收方 | taker
    progress | 交接 | handover
    number | 交接单 | number
    signed | 已签认 | signed by
    items | 清单 | items
    approval | 审批职责 | approval answers for
    supervision | 监管职责 | supervision answers for
""")
BLANKS = columns("""
    department | 部门 | department
    series | 系列 | series
    certificate | 证照 | certificate
    total | 登记数 | registered
    issued | 核发 | issued
    spoiled | 作废 | spoiled
    voided | 注销 | voided
    left | 结存 | left
    requested | 申领未到 | asked for
    runs
""")
UNLIKE = columns("""
    base | 基本编码 | base code
    differs | 不一致 | differs in
    matters | 事项 | matters
""")
PLACED = columns("""
    matter | 事项编码 | matter
    name | 名称 | name
    holder | 权力归属 | held by
    pilot | 试点地区 | pilot region
    section | 科室 | section
    in_hall | 进驻大厅 | in the hall
    windows | 授权窗口 | authorised windows
    online | 网上办理 | online
    monitored | 电子监察 | monitored
    wanting | 尚缺 | wanting
""")
TITLES = {
    "power_item": ("权力清单", "Power list"),
    "supervision_item": ("监管清单", "Supervision list"),
    "proposal": ("拟划转事项", "Matters proposed for transfer"),
    "deferral": ("暂缓划转事项", "Matters deferred"),
    "bundle": ("办成一件事", "Bundles"),
    "guide": ("办事指南", "Guides"),
    "work_capability": ("关联业务登记", "Associated work"),
    "placement": ("三集中三到位", "Where matters are handled"),
    "risk_threshold": ("廉政风险阈值", "Thresholds of integrity-risk signals"),
    "innovation": ("试点创新", "Innovations of the pilot"),
    "relation": ("部门关系", "Relations of departments"),
    "duty": ("改革任务", "Tasks of the reform"),
    "document": ("政策文件", "Policy documents"),
    "seal": ("印章登记", "Register of seals"),
    "letterhead": ("公函函头", "Letterheads"),
    "system_access": ("上级系统权限", "Access to systems above"),
    "time_limit": ("时限", "Time limits"),
    "calendar": ("工作日历", "Calendars"),
    "public_key": ("签名公钥", "Public keys"),
    "signing": ("签名要求", "Who must sign"),
    "stores": ("信息库清单", "Stores"),
}


_DEPARTMENTS = (
    *("organ", "lead", "granted_by", "granted_to", "department", "from_department", "to_department"),
    *("responsible", "overseer"),
)
"""The columns that are a department's code."""


def registers_at(context: Context, as_known_at: str | None) -> Registers:
    """As the log knew them at that moment; a mere date means its end."""
    registers = Registers()
    with closing(context.connect()) as conn:
        Log(conn).refresh(registers, 0, known_at=known_at(as_known_at))
    return registers


def day(text: str | None) -> date:
    """The date asked for, in Beijing; today where none is. Raises BadParameter."""
    return local_date(moment(text)) if text else datetime.now(CHINA).date()


def matters(
    context: Context,
    shown: Shown,
    wanted: str | None,
    batch: str | None,
    code: str | None,
    as_true_at: str | None,
    as_known_at: str | None,
) -> None:
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    if code is not None and code not in registers.matters:
        raise shown.fail("没有登记此事项", "no such matter is registered", matter=code)
    rows = [_matter(registers, one, on, shown) for one in ([code] if code else sorted(registers.matters))]
    rows = [row for row in rows if wanted in (None, row["standing"]) and batch in (None, row["batch"])]
    shown.page(("事项", "Matters"), MATTER, Page(len(rows), rows))


def entries(
    context: Context, shown: Shown, kind: str, as_true_at: str | None, as_known_at: str | None, file: Path | None
) -> None:
    if kind not in get_args(Kind):
        raise typer.BadParameter(f"须是 {'、'.join(get_args(Kind))} 之一", param_hint="KIND")
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    rows = [_entry(registers, kind, key, on, shown) for key in registers.entries_on(kind, on)]
    secret = {code for code, history in registers.matters.items() if history.entry.classified}
    rows = [row for row in rows if secret.isdisjoint({row.get("matter"), *row.get("matters", ())})]
    if file is not None:
        shown.settle(len(rows))
        _write(file, rows, shown)
        shown.say(f"已写入 {file}，共 {len(rows)} 条。", f"{len(rows)} written to {file}.")
        return
    shown.page(TITLES[kind], ENTRY, Page(len(rows), rows))


def seals(context: Context, shown: Shown, expired: bool, as_true_at: str | None, as_known_at: str | None) -> None:
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    rows = [
        _entry(registers, "seal", code, on, shown) | {"status": seal.certificate_on(on)}
        for code, seal in registers.entries_on("seal", on).items()
        if isinstance(seal, Seal)
    ]
    rows = [row for row in rows if row["status"] == "expired" or not expired]
    shown.page(TITLES["seal"], SEAL, Page(len(rows), rows))


def unmatched(context: Context, shown: Shown, as_true_at: str | None, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    rows = [
        {
            "matter": one.matter,
            "name": registers.matters[one.matter].entry.name,
            "wanting": one.wanting,
            "item": one.item,
        }
        for one in mismatches(registers, day(as_true_at))
    ]
    shown.page(("两清单不相匹配", "What the lists lack of each other"), MISMATCH, Page(len(rows), rows))


def handled_unlike(context: Context, shown: Shown, as_true_at: str | None, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    on = day(as_true_at)
    guides = registers.entries_on("guide", on)
    rows = []
    for one in unlike(registers, on):
        rows.append(
            one._asdict()
            if shown.as_json
            else {
                "base": one.base,
                "differs": [shown.text("differs", name) for name in one.differs],
                "matters": [f"{code} {_said(guides[code], one.differs)}" for code in one.matters],
            }
        )
    shown.page(("同类事项办理不一", "Like matters handled unlike"), UNLIKE, Page(len(rows), rows))


def _said(guide: Entry, names: tuple[str, ...]) -> str:
    values = (getattr(guide, name) for name in names)
    return "；".join("、".join(value) if isinstance(value, tuple) else str(value) for value in values)


def placements(context: Context, shown: Shown, wanting: bool, as_true_at: str | None, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    rows = [
        row
        | {"holder": name_of(registers, row["holder"], shown)}
        | {"wanting": row["wanting"] if shown.as_json else [shown.text("wanting", want) for want in row["wanting"]]}
        for row in placement_rows(registers, day(as_true_at))
        if row["wanting"] or not wanting
    ]
    shown.page(("三集中三到位", "Where matters are handled"), PLACED, Page(len(rows), rows))


def handovers(
    context: Context, shown: Shown, incomplete: bool, as_true_at: str | None, as_known_at: str | None
) -> None:
    registers = registers_at(context, as_known_at)
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under("handover", known_at(as_known_at))
    found = handover_rows(registers, streams, day(as_true_at))
    rows = [_handover(registers, one, shown) for one in found if not (incomplete and one["progress"] == "complete")]
    shown.page(("交接", "Handovers"), HANDOVER, Page(len(rows), rows))


def blanks(context: Context, shown: Shown, department: str | None, as_known_at: str | None) -> None:
    registers = registers_at(context, as_known_at)
    prefix = f"blanks/{department}" if department else "blanks"
    with closing(context.connect()) as conn:
        streams = Log(conn).streams_under(prefix, known_at(as_known_at))
    rows = [row | {"department": name_of(registers, row["department"], shown)} for row in blanks_rows(streams)]
    shown.page(("空白证照", "Blanks"), BLANKS, Page(len(rows), rows))


def _handover(registers: Registers, row: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """For people names, and a line of the package as they would write it."""
    named = {side: name_of(registers, row[side], shown) for side in ("giver", "taker")}
    row = row | named | {"signed": [name_of(registers, code, shown) for code in row["signed"]]}
    if "items" in row and not shown.as_json:
        row["items"] = [f"{item['title']} × {item['copies']}" for item in row["items"]]
    return row


def _matter(registers: Registers, code: str, on: date, shown: Shown) -> dict[str, Any]:
    row = matter_on(registers, code, on)
    named = [name_of(registers, one, shown) for one in row["supervisors"]]
    return row | {"holder": name_of(registers, row["holder"], shown), "supervisors": named}


def matter_on(registers: Registers, code: str, on: date) -> dict[str, Any]:
    """Where a matter stood on a date; departments by their codes."""
    entry = registers.matters[code].entry
    transfer = registers.transfer(code, on)
    stands = standing(registers, code, on)
    version = registers.version("deferral", code, on) if stands == "deferred" else None
    deferral = version.entry if version is not None and isinstance(version.entry, Deferral) else None
    return {
        "code": code,
        "name": entry.name,
        "standing": stands,
        "holder": registers.holder(code, on),
        "since": transfer.valid_from if transfer else registers.moved_on(code, on),
        "basis": transfer.basis if transfer else None,
        "batch": _batch(registers, code, on),
        "supervisors": [one.department for one in registers.supervisors(code, on)],
        "reason": deferral and deferral.reason,
        "review_on": deferral and deferral.review_on,
        "review_due": deferral.review_on <= on if deferral else None,
    }


def _batch(registers: Registers, code: str, on: date) -> str | None:
    """In which it was transferred, or is proposed to be."""
    transfer = registers.transfer(code, on)
    if transfer is not None:
        return transfer.batch
    version = registers.version("proposal", code, on)
    return version.entry.batch if version is not None and isinstance(version.entry, Proposal) else None


def _entry(registers: Registers, kind: str, key: str, on: date, shown: Shown) -> dict[str, Any]:
    version = registers.version(kind, key, on)
    assert version is not None
    assert version.entry is not None
    row = version.entry.model_dump(mode="json")
    for name in _DEPARTMENTS:
        if name in row:
            row[name] = name_of(registers, row[name], shown)
    for name in ("owners", "delegated_to"):
        if name in row:
            row[name] = [name_of(registers, one, shown) for one in row[name]]
    return {**row, "key": key, "valid_from": version.since, "basis": version.basis}


def name_of(registers: Registers, code: str, shown: Shown) -> str:
    """Codes for programs, names for people."""
    entry = registers.departments.get(code)
    return code if shown.as_json or entry is None else entry.name


def _write(file: Path, rows: list[dict[str, Any]], shown: Shown) -> None:
    """As spreadsheets open it: UTF-8 with its mark, one row an entry, only the columns that the list has."""
    wanted = [c for c in ENTRY if c.zh and any(row.get(c.key) not in (None, "") for row in rows)]
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([c.zh if shown.zh else c.en for c in wanted])
        writer.writerows([[as_cell(shown.text(c.key, row.get(c.key))) for c in wanted] for row in rows])
