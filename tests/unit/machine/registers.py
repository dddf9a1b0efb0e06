"""What the reform office might write into the registers next."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.machine.life import (
    LATER,
    MATTERS,
    NEW,
    OFFICE,
    ROLES,
    entry,
    matter,
)
from tests.unit.machine.pick import DEPARTMENTS, SERVED, USCC, WORKS, Data, Pick, offer


@offer("department.register")
def register_department(pick: Pick) -> Data:
    code = pick.of(*LATER, *LATER, *DEPARTMENTS)
    usual = (ROLES | LATER)[code]
    other = pick.of("APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY", "REFORM_OFFICE", "REVIEW_ORGAN")
    roles = pick.of(usual, usual, (other,), dict.fromkeys((*usual, other)))
    return {"department": pick.role("REFORM_OFFICE"), "entry": entry(code, *roles)}


@offer("department.succeed")
def succeed(pick: Pick) -> Data:
    departments = pick.registers.departments
    old = pick.of(*SERVED, *departments, OFFICE, OFFICE)
    fit = [code for code, one in departments.items() if code != old and {*departments[old].roles} <= {*one.roles}]
    return {
        "department": pick.role("REFORM_OFFICE"), "old": old, "to": pick.by(*fit),
        "matters": pick.of([], pick.some(MATTERS)), "valid_from": str(pick.day()), "basis": "机构改革方案",
    }  # fmt: skip


@offer("matter.register")
def register_matter(pick: Pick) -> Data:
    code = pick.of(*MATTERS, NEW)
    flags = ("push_not_granted", "push_discontinued", "push_commitment", "push_lacking")
    more: Data = {flag: pick.of(True, False) for flag in flags if pick.seldom()}
    if pick.seldom():
        more |= pick.of({"classified": True}, {"competent": pick.of(*DEPARTMENTS)})
    if code == NEW:
        more |= {"competent": pick.of("s1", *DEPARTMENTS), "opinions": ["outside"]}
    return {"department": pick.role("REFORM_OFFICE"), "entry": matter(code, **more)}


@offer("matter.transfer", "matter.return", "matter.route")
def move_matter(pick: Pick) -> Data:
    said: Data = {
        "department": pick.role("REFORM_OFFICE"), "matter": pick.of(*pick.registers.matters),
        "valid_from": str(pick.day()), "basis": "通知",
    }  # fmt: skip
    if pick.type_ == "matter.return":
        return said
    supervisors = [{"department": one} for one in pick.some(("s1", "s2", "s3", "zjj", "sp2"), 3)]
    said["supervisors"] = supervisors
    return said if pick.type_ == "matter.route" else said | {"to": pick.by("sp2", "sp1")}


@offer("mapping.register")
def map_record(pick: Pick) -> Data:
    return {
        "department": pick.role("REFORM_OFFICE"), "organ_uscc": USCC, "certificate_type": "许可证",
        "organ": pick.by("sp1", "sp2"), "matter": pick.of(*MATTERS),
    }  # fmt: skip


@offer("register.enter")
def enter(pick: Pick) -> Data:
    on, code = pick.day(), pick.of(*MATTERS)
    office, holder = pick.role("REFORM_OFFICE"), pick.by(pick.registers.holder(code, on))
    item = {
        "matter": code, "name": "施工许可", "organ": holder, "legal_basis": "建筑法", "duties": ["审批"],
        "published_on": str(on),
    }  # fmt: skip
    supervisors = [one.department for one in pick.registers.supervisors(code, on)]
    work = pick.of(*WORKS)
    found: Data = pick.of(
        {
            "kind": "work_capability", "matter": code, "work": work, "party": pick.of("competent", "both", "approval"),
            "required": work not in WORKS[2:] and pick.seldom(),
        },
        {
            "kind": "seal", "code": pick.of("A", "B"), "name": "审批专用章", "seal_kind": "special_seal",
            "owners": [holder], "delegated_to": pick.of([], ["zjj"], ["s2"]), "certificate_serial": "ab12",
            "certificate_from": "2025-01-01", "certificate_to": pick.of("2029-01-01", str(on)),
        },
        {"kind": "system_access", "system": "X", "name": "系统", "granted_by": "qu", "granted_to": "sp1"},
        {"kind": "risk_threshold", "signal": "burst", "value": pick.of(2, 5), "period": 60},
        {"kind": "guide", "matter": code, "elements": ["申请表"], "steps": ["受理"], "promised_days": 5},
        {
            "kind": "placement", "matter": code, "organ": holder, "section": "审批科",
            "in_hall": True, "windows": ["W1"], "online": True, "monitored": True,
        },
        {"kind": "power_item", **item},
        {"kind": "supervision_item", **item, "organ": pick.by(*supervisors), "item": "J1"},
        {"kind": "proposal", "matter": code, "batch": "2026-1"},
        {"kind": "deferral", "matter": code, "reason": "条件不足", "review_on": str(on + timedelta(days=90))},
        {
            "kind": "letterhead", "organ": pick.by("sp2", "sp1"), "mark": pick.of("甲函", "sp函"),
            "address": "新华大街1号", "phone": "0471-0000001",
        },
        {
            "kind": "document", "code": pick.of("W1", "W2"), "number": pick.of("通知〔2020〕1号", "通知〔2020〕2号"),
            "title": "通知", "issuer": "自治区", "issued_on": "2020-01-01", "repealed_on": pick.of(None, str(on)),
        },
        {"kind": "innovation", "code": "C1", "name": "一业一证", "department": holder, "description": "一次办结"},
        {
            "kind": "relation", "code": "G1", "relation": "entrusted", "from_department": pick.by("s3"),
            "to_department": pick.by("sp1"), "description": "委托", "document": pick.of(None, "通知〔2020〕1号"),
        },
        {
            "kind": "duty", "code": "R1", "name": "任务", "responsible": pick.by("sp1"), "overseer": pick.by(OFFICE),
            "due_on": str(on), "cost_item": "expert_evaluation", "budget": pick.of("league", "region"),
            "payer": pick.of("budget", "budget", "applicant"),
        },
        {"kind": "bundle", "code": "B1", "name": "开工", "lead": holder, "matters": list(MATTERS[:2])},
        {
            "kind": "time_limit", "clock": pick.of("receive", "receive", "reply"), "days": pick.of(1, 3, 10),
            "ladder": pick.of([], [{"after": 0, "act": "remind", "to": "holder"}]),
            **pick.of({}, {"region": "150100"}, {"matter": code}),
        },
        {"kind": "time_limit", "clock": "receive", "days": 1, "deemed_after": pick.of(0, 1), "ladder": []},
        {"kind": "calendar", "year": pick.of(2026, 2027), "off": [], "worked": []},
        {"kind": "signing", "department": pick.of("s2", "s1")},
    )  # fmt: skip
    by = pick.role("HIGHER_AUTHORITY") if found["kind"] == "system_access" else office
    basis = "通知〔2020〕1号" if pick.seldom() else "通知"
    return {"department": by, "entry": found, "valid_from": str(on), "basis": basis}


@offer("register.strike")
def strike(pick: Pick) -> Data:
    known = [(kind, key) for kind, keys in pick.registers.entries.items() for key in keys]
    kind, key = pick.of(*known, ("guide", MATTERS[0]))
    role = "HIGHER_AUTHORITY" if kind == "system_access" else "REFORM_OFFICE"
    return {
        "department": pick.role(role), "kind": kind, "key": key, "valid_from": str(pick.day()), "basis": "通知"
    }  # fmt: skip
