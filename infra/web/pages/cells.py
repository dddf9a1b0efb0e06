"""Values in tables of the pages: codes in words, departments by name, moments in Beijing, and where a value leads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from domain.registers import Registers
from infra.presentation import WORDED
from infra.registers import TITLES
from infra.words import RULE_WORDS, WORDS
from projections.working_days import CHINA

DEPARTMENTS = {
    *("department", "organ", "decided_by", "returned_to", "from_department", "to_department", "proposed", "holder"),
    *("supervisor", "supervisors", "addressee", "giver", "taker", "lead", "owners", "delegated_to", "case_organ"),
    *("never_inspected_by", "responsible", "overseer", "granted_by", "granted_to"),
    *("old", "to", "signed", "asker"),
}
"""Columns that are a department's code, or several."""
CASE = "case/"
COMMANDS = {
    "overview": ("总览", "overview"),
    "statistics": ("统计", "statistics"),
    "inbox": ("收件箱", "inbox"),
    "notice": ("一件告知", "a notice"),
    "notices": ("签收台账", "receipts"),
    "case": ("一件办件", "a case"),
    "cases": ("审批台账", "cases"),
    "case-steps": ("双向记录", "two-way record"),
    "case-attempts": ("办件的被拒尝试", "a case's refused attempts"),
    "case-difference": ("两个时刻的差异", "difference of two moments"),
    "case-liability": ("办件的责任", "who answers in a case"),
    "case-tasks": ("办件的关联业务", "a case's tasks"),
    "feedback": ("监管反馈", "feedback"),
    "attempts": ("被拒绝的尝试", "refused attempts"),
    "inspections": ("检查", "inspections"),
    "licences": ("证照", "licences"),
    "matter": ("一个事项", "a matter"),
    "matters": ("事项登记簿", "matters"),
    "matching": ("清单缺口", "gaps of the lists"),
    "departments": ("部门登记簿", "departments"),
    "liaisons": ("联络员", "liaison officers"),
    "principals": ("接入方", "principals"),
    "calendar": ("工作日历", "calendar"),
    "placements": ("三集中三到位", "where matters are handled"),
    "unlike": ("同类事项办理不一", "like matters handled unlike"),
    "handovers": ("交接", "handovers"),
    "blanks": ("空白证照", "blanks"),
    "successions": ("机构承接", "successions"),
    "subscriptions": ("订阅", "subscriptions"),
    "consultations": ("商询", "consultations"),
    "duties": ("改革任务", "tasks of the reform"),
    "documents": ("政策文件", "policy documents"),
    "citations": ("引用文件的登记", "what rests on documents"),
    **{kind: (zh, en.lower()) for kind, (zh, en) in TITLES.items() if kind != "calendar"},
    "seals": ("印章登记", "seals"),
    "seals-applied": ("用印记录", "seals applied"),
    "risks": ("廉政风险信号", "risk signals"),
    "reads": ("查阅记录", "reads"),
    "desk": ("监察台", "the desk"),
    "deadletters": ("死信", "dead letters"),
    "conflicts": ("冲突", "conflicts"),
    "parked": ("等待中的提交", "parked"),
    "operations": ("运行", "operations"),
    "flow": ("当日明细", "a day's facts"),
    "overdue": ("逾期未签收", "overdue"),
    "lamps": ("亮灯", "lamps"),
    "count-events": ("总览动态", "live counts"),
    "notice-events": ("告知动态", "live notices"),
}
"""How what an inspector has read is called."""


class Cells:
    """One page's way of writing values, in its language and with the names that the registers have; those of classified
    matters only where its reader is shown them."""

    def __init__(self, zh: bool, registers: Registers, classified: bool) -> None:
        self._zh = zh
        self._separator = "、" if zh else ", "
        self._registers = registers
        self._classified = classified

    def __call__(self, key: str, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return ("是" if value else "否") if self._zh else ("yes" if value else "no")
        if isinstance(value, datetime):
            return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float):
            return f"{value:.1%}"
        if isinstance(value, (list, tuple)):
            return self._separator.join(self(key, one) for one in value)
        if isinstance(value, dict):
            return self._separator.join(f"{name}={self(name, one)}" for name, one in value.items())
        if not isinstance(value, str):
            return str(value)
        if key in DEPARTMENTS:
            return self.department(value)
        if key == "matter":
            return self.matter(value)
        if key == "command" and value in COMMANDS:
            return COMMANDS[value][0 if self._zh else 1]
        if key == "kind" and value in TITLES:
            return TITLES[value][0 if self._zh else 1]
        words = RULE_WORDS.get(value) if key == "rule" else WORDS.get(value) if key in WORDED else None
        return value if words is None else words[0 if self._zh else 1]

    def department(self, code: str | None) -> str:
        """Its name; the system's own where there is none."""
        if not code:
            return "系统" if self._zh else "system"
        entry = self._registers.departments.get(code)
        return code if entry is None else entry.name

    def departments(self) -> list[tuple[str, str]]:
        """Codes and names, for choosing one."""
        return sorted((code, one.name) for code, one in self._registers.departments.items())

    def matter(self, code: str | None) -> str:
        history = self._registers.matters.get(code or "")
        if history is None or (history.entry.classified and not self._classified):
            return code or ""
        return history.entry.name

    def fields(self, summary: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What a fact says of itself, for people: without what is empty."""
        return [(name, self(name, value)) for name, value in summary.items() if value not in (None, "", [], {}, False)]


def case_path(stream: str) -> str:
    """The page of a case, by its stream `case/organ/number`."""
    _, organ, number = stream.split("/", 2)
    return f"/cases/{quote(organ, safe='')}/{quote(number, safe='')}"


def link(key: str, row: Mapping[str, Any]) -> str | None:
    """Where a cell leads."""
    value = row.get(key)
    if key == "case" and str(row.get("case_stream") or row.get("about") or "").startswith(CASE):
        return case_path(row.get("case_stream") or row["about"])
    if key == "number" and row.get("organ") and not row.get("case_stream"):
        return case_path(f"{CASE}{row['organ']}/{value}")
    if key in ("about", "subject", "case_stream") and isinstance(value, str) and value.startswith(CASE):
        return case_path(value)
    return None
