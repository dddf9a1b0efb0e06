"""What supervisors might hand in next, and review organs of what was decided."""

from __future__ import annotations

from datetime import timedelta

from domain.case_state import CaseState
from domain.supervision import FeedbackState
from tests.unit.machine.life import (
    MATTERS,
)
from tests.unit.machine.pick import SERVED, USCC, Data, Pick, decided_on, offer


@offer("notice.receive", "notice.take", "notice.return", "duty.rule")
def with_notice(pick: Pick) -> Data:
    match pick.type_:
        case "notice.receive":
            notice, department = pick.notice(fit=lambda one: not one.received)
            return {"department": department, "notice": notice, "received_at": pick.moment()}
        case "notice.take":
            notice, department = pick.notice(fit=lambda one: one.received and not one.taken)
            return {"department": department, "notice": notice}
        case "notice.return":
            returns = pick.of(1, 0)  # rather one that was returned before
            notice, department = pick.notice(
                fit=lambda one: (
                    not one.taken
                    and one.owed is not None
                    and (one.owed.root, one.owed.ruled) == ("decision", False)
                    and one.owed.returns >= returns
                )
            )
            return {
                "department": department, "notice": notice, "proposed": pick.role("SUPERVISION"), "reason": "不归我"
            }  # fmt: skip
    notice, department = pick.notice("duty_dispute")
    return {
        "department": department, "notice": notice, "assign_to": pick.role("SUPERVISION"), "reason": "职责在你"
    }  # fmt: skip


@offer("feedback.raise")
def raise_feedback(pick: Pick) -> Data:
    organ, number, state = pick.case("granted", "ended", "penalised")
    on = pick.day(decided_on(state))
    return {
        "department": pick.supervisor(state, on), "number": pick.number(), "case_organ": organ,
        "case_number": number, "found_on": str(on), "suggestion": pick.of("rectify", "none", "revoke"),
        "detail": "现场不符",
    }  # fmt: skip


@offer("feedback.dispose", "feedback.reply", "feedback.close")
def with_feedback(pick: Pick) -> Data:
    wanted = "open" if pick.type_ == "feedback.dispose" else "disposed"
    known: list[FeedbackState] = pick.states("feedback")
    state = pick.among([one for one in known if one.status == wanted], [*known, pick.state("feedback/s1/1")])
    _, supervisor, number = state.stream.split("/")
    said = {"supervisor": supervisor, "number": number}
    if pick.type_ == "feedback.dispose":
        organs = (state.raised.organ, *SERVED[:2]) if state.raised else ()
        return said | {"department": pick.by(*organs), "outcome": pick.of("adopted", "not"), "reason": "属实"}
    said |= {"department": pick.by(supervisor)}
    return said | ({"detail": "附报告"} if pick.type_ == "feedback.reply" else {})


@offer("inspection.report", "inspection.correct", "inspection.retract")
def inspection(pick: Pick) -> Data:
    known = pick.states("inspection")
    if pick.type_ != "inspection.report" and known:
        one = pick.among([one for one in known if not one.retracted], known)
        _, department, name = one.stream.split("/")
        _, organ, number = one.record.case.split("/")
        state = pick.life.world.case(organ, number)
        department = pick.by(department)
    else:
        organ, number, state = pick.case("granted", "ended")
        department, name = pick.supervisor(state, pick.life.today), f"检{pick.number()}"
    if pick.type_ == "inspection.retract":
        return {"department": department, "number": name, "reason": "重复"}
    if pick.seldom():
        organ, number, state = pick.case()
    return {
        "department": department, "number": name, "case_organ": organ, "case_number": number,
        "item": "10123200100101", "checklist": f"{USCC}310123200100101", "form": "on_site", "category": "random",
        "manner": "visit", "result": pick.of("passed", "failed"),
        "inspectors": [{"name": "孙检查", "certificate": "15010000001"}],
        "inspected_at": f"{pick.day(decided_on(state))}T00:40:00+08:00", "finding": pick.of(None, "面积不符"),
    }  # fmt: skip


@offer("penalty.impose", "penalty.lift")
def penalty(pick: Pick) -> Data:
    organ, number, state = pick.case("granted")
    suspended: list[CaseState] = [one for one in pick.states("case") if one.penalties]
    name = pick.number()
    if pick.type_ == "penalty.lift" and suspended and not pick.seldom():
        state = pick.of(*suspended)
        _, organ, number = state.stream.split("/")
    on = pick.day(decided_on(state))
    department = pick.supervisor(state, on)
    if pick.type_ == "penalty.lift" and state.penalties and not pick.seldom():
        imposed_by, name = pick.of(*sorted(state.penalties)).split("/")
        department = pick.of(imposed_by, pick.registers.acting(imposed_by, on, state.matter))
        return {
            "department": department, "organ": organ, "number": number, "penalty": name, "imposed_by": imposed_by,
            "document_number": f"罚{name}", "on": str(on), "reason": "已整改",
        }  # fmt: skip
    said: Data = {
        "department": department, "organ": organ, "number": number, "penalty": name, "document_number": f"罚{name}",
        "on": str(on), "reason": "超范围",
    }  # fmt: skip
    if pick.type_ == "penalty.lift":
        return said
    return said | pick.of(
        {"measure": "permit_suspension"},
        {"measure": "permit_suspension", "until": str(on + timedelta(days=pick.of(30, 3)))},
        {"measure": "permit_revocation"},
    )


@offer("remedy.record")
def remedy(pick: Pick) -> Data:
    organ, number, state = pick.case("granted", "not_granted", "ended", "penalised")
    outcomes = ("anew", "stop_execution", "resume_execution", "annulled", "upheld", "changed", "unlawful")
    return {
        "department": pick.role("REVIEW_ORGAN"), "organ": organ, "number": number, "procedure": "litigation",
        "outcome": pick.of(*outcomes), "document_number": "判1", "on": str(pick.day(decided_on(state))),
        "content": "判决",
    }  # fmt: skip


@offer("subscription.start")
def subscribe(pick: Pick) -> Data:
    matters = pick.some(MATTERS)
    right = [one.department for one in pick.registers.supervisors(matters[0], pick.life.today)]
    return {
        "department": pick.by(*right), "number": pick.number(), "matters": matters,
        "backfill_from": pick.of("2025-12-01", None),
    }  # fmt: skip
