"""The notice's clauses as capabilities, one letter each: what a test proves, and what `shenguan clauses` lists.

Source: 内政办发〔2020〕9号. A clause is numbered as there (`2.2` = 二(二)); its letters are ours.
"""

from __future__ import annotations

from typing import NamedTuple


class Capability(NamedTuple):
    """What the software must do for a clause: `letter` such as `2.7b`, and what that is."""

    letter: str
    zh: str
    en: str

    @property
    def clause(self) -> str:
        """The clause without the letter."""
        return self.letter[:-1]


CLAUSES: dict[str, tuple[str, str]] = {
    "1.1": ("厘清职责", "duties made clear"),
    "1.2": ("划转事项", "matters transferred"),
    "1.3": ("权责清单", "power and duty lists"),
    "2.1": ("交接", "handover"),
    "2.2": ("双向告知", "two-way notification"),
    "2.3": ("关联业务", "associated work"),
    "2.4": ("沟通", "communication"),
    "2.5": ("证照文书", "licences and documents"),
    "2.6": ("数据共享", "data sharing"),
    "2.7": ("印章效力", "validity of seals"),
    "2.8": ("事中事后监管", "supervision during and after"),
    "3.1": ("标准化", "standardisation"),
    "3.2": ("三集中三到位", "three concentrations"),
    "3.3": ("好差评与监督", "ratings and oversight"),
    "4.1": ("上级支持", "support from above"),
    "4.2": ("直接报送", "direct submission"),
    "4.3": ("上下对接", "consultation between levels"),
    "5.1": ("组织保障", "organisation"),
    "5.2": ("经费保障", "funding"),
    "5.3": ("法制保障", "legal basis"),
    "5.4": ("公开统计", "public statistics"),
}
"""The clauses' names, Chinese and English."""

CAPABILITIES = tuple(
    Capability(*one)
    for one in (
        ("1.1a", "决定记明机关、经办人及当时有效的划转依据", "a decision records organ, officer and transfer in force"),
        ("1.1b", "原主管部门对已划转事项的决定不予收录并留痕", "a former department's decision is refused, on record"),
        ("1.1c", "审批部门的监管行为不予收录并留痕", "an approval department's supervision act is refused, on record"),
        ("1.1d", "责任视图：审批侧与监管侧各由谁负责", "who answers for what on either side"),
        ("1.2a", "事项的拟划转、划转、暂缓、收回", "a matter proposed, transferred, deferred, returned"),
        ("1.2b", "某日某事项的权力归谁", "who held the power on a date"),
        ("1.2c", "办成一件事的事项组合", "matters bundled into one thing done"),
        ("1.2d", "暂缓事项的复核日到期可见", "review dates of deferred matters fall due"),
        ("1.3a", "权力清单，分版本", "versioned power list"),
        ("1.3b", "监管清单，分版本", "versioned supervision list"),
        ("1.3c", "两清单的匹配报告", "the lists matched"),
        ("1.3d", "可公布的形式", "publishable form"),
        ("2.1a", "交接清单，双方签认", "handover package signed by both sides"),
        ("2.1b", "职责划分备忘", "division-of-duty note"),
        ("2.1c", "未完成的交接可见", "incomplete handovers show"),
        ("2.1d", "未划转事项由原部门审批并监管，不产生告知", "an untransferred matter owes no notice"),
        ("2.2a", "每项决定及后续变化推送给每个监管部门", "every decision and change pushed to every supervisor"),
        ("2.2b", "签收", "receipt"),
        ("2.2c", "纳入监管", "taking into supervision"),
        ("2.2d", "退回与改派", "return and reassignment"),
        ("2.2e", "监管反馈回传", "feedback back"),
        ("2.2f", "处理及其告知", "disposition and its telling"),
        ("2.2g", "联络员", "liaison officers"),
        ("2.2h", "网络、短信、公函渠道", "channels: network, SMS, letter"),
        ("2.2i", "订阅的范围与起始，新监管部门补发", "subscription with scope and start, backfill"),
        ("2.2j", "催办与督办", "reminder and escalation"),
        ("2.2k", "统计", "statistics"),
        ("2.3a", "勘验、审查、论证、检测作为办件的任务", "associated work as tasks of a case"),
        ("2.3b", "按当时登记的能力确定责任方", "responsible party by the capability on record"),
        ("2.3c", "结果、签字人、时间，不计入时限", "result, signers, times, outside the clock"),
        ("2.3d", "缺少必需任务结果的决定不予收录", "a decision without a required result is refused"),
        ("2.4a", "政策变化告知对方并签收", "policy changes told and received"),
        ("2.4b", "会议、培训邀请告知对方并签收", "invitations told and received"),
        ("2.4c", "变化之后、告知之前所作的决定", "decisions between a change and its telling"),
        ("2.5a", "上级空白证照的申领", "blanks from a superior"),
        ("2.5b", "自行印制", "self-printed"),
        ("2.5c", "每个编号只用、废、销一次", "each serial issued, spoiled or voided once"),
        ("2.6a", "从其他系统导入，记明来源与原文散列", "imports with source and salted hash"),
        ("2.6b", "按来源与日核对数量", "counts reconciled per source and day"),
        ("2.6c", "可供他人读取的导出", "exports others can read"),
        ("2.7a", "审批专用章即有效", "the approval seal suffices"),
        ("2.7b", "原主管部门再盖章不予收录并留痕", "a later seal is refused, on record"),
        ("2.7c", "原主管部门要求再盖章不予收录并留痕", "a demand for one is refused, on record"),
        ("2.7d", "仅限标明事项的书面意见，不影响效力", "written opinions where flagged, never changing validity"),
        ("2.7e", "有批无章、有章无批", "approvals without seal, seals without approval"),
        ("2.8a", "每个有效证照有监管责任部门及依据", "every licence in force has a supervisor"),
        ("2.8b", "无人监管的证照", "licences with no supervisor"),
        ("2.8c", "检查", "inspections"),
        ("2.8d", "签收而从未检查", "received, never inspected"),
        ("3.1a", "办事指南分版本，随决定固定", "versioned guide pinned on each decision"),
        ("3.1b", "同类事项办理不一可见", "like matters handled unlike"),
        ("3.2a", "科室、大厅、窗口、网办、监察的登记", "register for matters that stay put"),
        ("3.2b", "非试点地区事项全部进厅", "the same for non-pilot regions"),
        ("3.2c", "授权窗口之外的决定有标记", "a decision outside its window is flagged"),
        ("3.3a", "五级评价", "ratings, five levels"),
        ("3.3b", "差评：联系、整改、回访", "the clock of a bad rating"),
        ("3.3c", "申诉与剔除", "appeal and exclusion"),
        ("3.3d", "电子监察灯", "lamps"),
        ("3.3e", "纪检按任意时点回放，查阅留痕", "inspectors' replay, their reads on record"),
        ("3.3f", "廉政风险信号", "integrity-risk signals"),
        ("4.1a", "通知漏列试点审批部门可见", "circulars that miss the approval department"),
        ("4.1b", "会议、培训同样", "the same for meetings and training"),
        ("4.2a", "需上级审查的直接报送", "superior review goes straight up"),
        ("4.2b", "经同级主管部门转报不予收录并留痕", "forwarding through a department is refused, on record"),
        ("4.2c", "上级系统权限的授予留痕", "access to upper systems recorded"),
        ("4.3a", "层级之间的商询", "consultations between levels"),
        ("4.3b", "对下指导", "guidance to lower levels"),
        ("5.1a", "试点创新与关系的登记", "register of pilot innovations and relations"),
        ("5.2a", "责任部门、督办与经费列支", "responsible department and cost line"),
        ("5.3a", "规则引用文件，废止可见影响", "rules cite documents, repeal shows its impact"),
        ("5.4a", "匿名公开统计", "anonymised public statistics"),
    )
)
"""Every capability of the notice, in its order."""

_FINISHED = {
    "1.1": "abcd",
    "1.2": "abcd",
    "1.3": "abcd",
    "2.1": "abcd",
    "2.2": "abcdefghijk",
    "2.3": "abcd",
    "2.4": "abc",
    "2.5": "abc",
    "2.6": "abc",
    "2.7": "abcde",
    "2.8": "abcd",
    "3.1": "ab",
    "3.2": "abc",
    "3.3": "abcef",
    "4.1": "ab",
    "4.2": "abc",
    "4.3": "ab",
    "5.1": "a",
    "5.2": "a",
    "5.3": "a",
    "5.4": "a",
}
FINISHED = frozenset(clause + letter for clause, letters in _FINISHED.items() for letter in letters)
"""Those that are whole: each must have a test that it works and one that its abuse is refused."""
