"""What the approving side might hand in next, of its cases and their tasks."""

from __future__ import annotations

from datetime import timedelta

from domain.case_state import CaseState
from domain.reviews import ReviewState
from domain.tasks import Task
from tests.unit.machine.life import (
    FLAGGED,
    MATTERS,
    PLATFORM,
    TRANSFERRED,
)
from tests.unit.machine.pick import DEPARTMENTS, SERVED, USCC, WORKS, Data, Pick, decided_on, offer


@offer("case.accept")
def accept(pick: Pick) -> Data:
    found, on = pick.of(TRANSFERRED, *MATTERS, *pick.registers.matters), pick.day()
    department = pick.by(pick.registers.holder(found, on))
    data: Data = {"department": department, "organ": department, "number": pick.number(), "matter": found}
    anew: list[CaseState] = [one for one in pick.states("case") if one.anew]
    if anew and not pick.seldom():
        old = pick.of(*anew)
        _, organ, number = old.stream.split("/")
        number_anew = pick.of("7", "8", "9")
        data |= {"department": organ, "organ": organ, "number": number_anew, "matter": old.matter}
        data["anew_of"] = {"organ": organ, "number": number}
    if pick.seldom():
        data["organ"] = pick.of(*DEPARTMENTS)
    return data | {"party": party(pick), "accepted_on": str(on)}


def party(pick: Pick) -> Data:
    organisation = {"kind": "法人及非法人组织", "name": "内蒙古草原有限公司", "uscc": "91150100MA0000000X"}
    person = {"name": "赵铁柱", "id_type": "护照", "id_number": "E12345678"}
    return pick.of(organisation, organisation, {"kind": "自然人", "name": "赵铁柱", "person": person})


@offer("case.decide")
def decide(pick: Pick) -> Data:
    organ, number, state = pick.case("accepted")
    on = pick.day(state.accepted_on if state.status else None)
    left = {task.opened.work for task in tasks_of(pick, organ, number).values() if task.open}
    manner = pick.of(
        "lacking" if "papers" in left else "commitment" if "commitment" in left else "ordinary", "ordinary"
    )
    outcome = pick.of("granted", "granted", "granted", "not_granted", "discontinued")
    return {
        "department": pick.holder(state, on), "organ": organ, "number": number, "outcome": outcome,
        "document_number": f"呼{number}号", "decided_on": str(on), "valid_from": str(on),
        "valid_to": pick.of(None, str(on + timedelta(days=pick.of(400, 20)))), "content": "准予",
        "basis": "legacy" if pick.seldom() else "normal", "manner": manner if outcome == "granted" else "ordinary",
    }  # fmt: skip


@offer("case.issue_licence")
def issue_licence(pick: Pick) -> Data:
    organ, number, state = pick.case("granted")
    on = pick.day(decided_on(state))
    return {
        "department": pick.holder(state, on), "organ": organ, "number": number, "licence_number": f"证{number}",
        "certificate": "许可证", "issued_on": str(on),
    }  # fmt: skip


@offer("case.change", "case.extend", "case.withdraw", "case.revoke", "case.cancel")
def change(pick: Pick) -> Data:
    organ, number, state = pick.case("granted", "penalised") if pick.type_ == "case.cancel" else pick.case("granted")
    on = pick.day(decided_on(state))
    department = pick.holder(state, on)
    if pick.type_ == "case.revoke":
        department = pick.of(department, pick.role("HIGHER_AUTHORITY"))
    more = {
        "case.change": {"content": "变更"},
        "case.extend": {"valid_to": str(pick.life.today + timedelta(days=pick.of(900, 1000, 10)))},
    }  # fmt: skip
    said = {"department": department, "organ": organ, "number": number, "document_number": "变1号", "on": str(on)}
    return said | more.get(pick.type_, {"reason": "情况变化"})


@offer("case.correct")
def correct(pick: Pick) -> Data:
    organ, number, state = pick.case("granted", "not_granted", "discontinued", "ended", "penalised")
    on = pick.day(decided_on(state))
    target = pick.of("document_number", "decided_on", "matter", "valid_from", "valid_to")
    old = state.matter if target == "matter" else state.decision.get(target) or "无"
    new = {"document_number": "呼改号", "matter": pick.of(*MATTERS), "valid_to": str(on + timedelta(days=500))}
    return {
        "department": pick.holder(state, on), "organ": organ, "number": number, "target": target,
        "old": "别的" if pick.seldom() else old, "new": new.get(target) or str(pick.day(state.accepted_on)),
        "on": str(on), "reason": "笔误", "authorised_by": "局长",
    }  # fmt: skip


@offer("permit.report")
def report_permit(pick: Pick) -> Data:
    on = pick.day()
    mapped = list(pick.registers.mappings.values())
    organ = pick.of(*mapped)[0] if mapped else "sp1"
    licence = pick.of(None, "证9")
    return {
        "department": pick.by(organ, PLATFORM), "organ_uscc": USCC, "organ_name": "审批局",
        "certificate": pick.of("许可证", "许可证", "别的证"), "kind": "普通", "document_title": "决定书",
        "document_number": pick.of("文1", "文2", "1"), "licence_number": licence, "party": party(pick),
        "content": "准予", "decided_on": str(on), "valid_from": str(on), "valid_to": "2099-12-31",
        "source_name": "审批局", "source_uscc": USCC, "basis": "legacy" if pick.seldom() else "normal",
    }  # fmt: skip


@offer("seal.apply", "seal.demand")
def seal(pick: Pick) -> Data:
    organ, number, state = pick.case()
    on = pick.day(state.accepted_on if state.status else None)
    said: Data = {
        "department": pick.of(pick.holder(state, on), pick.of("zjj", *SERVED)),
        "organ": organ,
        "number": number,
    }
    if pick.type_ == "seal.demand":
        return said | {"demanded_of": organ, "seal": "住建局印章"}
    return said | {
        "seal": pick.of("A", "B"), "certificate_serial": pick.of("ab12", "ab12", "AB12", "ff00"),
        "document_sm3": "0" * 64, "applied_at": f"{on}T00:10:00+08:00",
    }  # fmt: skip


@offer("opinion.issue")
def opinion(pick: Pick) -> Data:
    organ, number, state = pick.case()
    flagged = [one for one in pick.states("case") if one.matter == FLAGGED]
    if flagged and not pick.seldom():
        state = pick.of(*flagged)
        _, organ, number = state.stream.split("/")
    on = pick.day(state.accepted_on if state.status else None)
    return {
        "department": pick.by(pick.registers.competent(state.matter or TRANSFERRED, on)), "organ": organ,
        "number": number, "opinion_number": f"函{pick.number()}", "need": pick.of("ministry", "outside"),
        "issued_on": str(on), "content": "供终审",
    }  # fmt: skip


@offer("review.submit", "review.forward")
def submit_review(pick: Pick) -> Data:
    organ, number, state = pick.case("accepted")
    said = {"department": pick.holder(state, pick.life.today), "organ": organ, "number": number}
    if pick.type_ == "review.forward":
        return said | {"through": "zjj"}
    return said | {"review_number": f"审{pick.number()}", "to": pick.role("HIGHER_AUTHORITY"), "content": "报请审查"}


@offer("review.return")
def return_review(pick: Pick) -> Data:
    known: list[ReviewState] = pick.states("review")
    _, submitter, number = pick.of(*(one.stream for one in known), "review/sp1/审1").split("/")
    to = [one.submitted.to for one in known if one.submitted and one.stream == f"review/{submitter}/{number}"]
    return {
        "department": pick.by(*to), "submitter": submitter, "review_number": number,
        "result": pick.of("agreed", "not_agreed"), "opinion": "同意",
    }  # fmt: skip


# Tasks.


def tasks_of(pick: Pick, organ: str, number: str) -> dict[str, Task]:
    return dict(pick.life.world.tasks(organ, number).tasks)


@offer("task.open")
def open_task(pick: Pick) -> Data:
    organ, number, state = pick.case("accepted")
    recorded = [
        key.split(".")[1]
        for key in pick.registers.entries.get("work_capability", {})
        if key.startswith(f"{state.matter}.")
    ]
    work = pick.among(recorded, WORKS)
    if work == "commitment" and pick.seldom():
        organ, number, state = pick.case("granted")
    on = pick.day(state.accepted_on if state.status else None)
    return {
        "department": pick.holder(state, on), "organ": organ, "number": number, "task": pick.number(), "work": work,
        "opened_on": str(on), "due_on": str(on + timedelta(days=9)),
    }  # fmt: skip


@offer("task.complete", "task.drop")
def end_task(pick: Pick) -> Data:
    known = [(one.stream, name, task) for one in pick.states("tasks") for name, task in one.tasks.items()]
    open_ = [one for one in known if one[2].open]
    if not known:
        stream, name, owing, on = "tasks/sp1/1", "1", ["zjj"], pick.life.today
    else:
        stream, name, task = pick.among(open_, known)
        owing, on = list(task.owing or task.opened.parties), task.opened.opened_on
    _, organ, number = stream.split("/")
    said = {"organ": organ, "number": number, "task": name}
    if pick.type_ == "task.drop":
        day = pick.day(on)
        return said | {
            "department": pick.holder(pick.life.world.case(organ, number), day), "on": str(day), "reason": "重复"
        }  # fmt: skip
    at = f"{pick.day(on)}T00:20:00+08:00"
    return said | {
        "department": pick.by(*owing), "began_at": at, "ended_at": at, "result": pick.of("passed", "failed"),
        "conclusion": "一致", "signers": [{"id": "007", "name": "张三"}],
    }  # fmt: skip
