"""Circulars, consultations and documents asked at the terminal, as known now and as known then."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain import system
from domain.circulars import AnswerInvitation, SendCircular, WithdrawCircular
from domain.clock_state import ExtendClock, SuspendClock
from domain.consultations import AnswerConsultation, AskConsultation
from domain.documents import PolicyDocument
from domain.duties import Duty
from domain.notices import ReceiveNotice
from domain.reform import Proposal
from domain.registering import EnterRegister, StrikeEntry
from domain.relations import Innovation, Relation
from domain.succession import SucceedDepartment
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    HIGHER,
    MATTER,
    OFFICE,
    OWN_MATTER,
    S1,
    S2,
    S3,
    accept,
    decide,
    granted,
    receive,
)
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import enter, moment_after
from tests.integration.teststore import TestStore, officer

POLICY: dict[str, Any] = {
    "department": FORMER, "kind": "policy", "number": "建发1号", "title": "条件调整", "body": "新标准",
    "main": (APPROVAL,), "copies": (S1,), "changed_on": DAY - timedelta(days=2),
}  # fmt: skip
NUMBER = "内政办发〔2020〕9号"
DOCUMENT = PolicyDocument(
    code="WJ1", number=NUMBER, title="改革的通知", issuer="自治区政府办公厅", issued_on=date(2020, 4, 30)
)


def send(store: TestStore, id_: str, **data: Any) -> None:
    store.submit(SendCircular(**data), id_=id_)


@pytest.mark.door("command")
@pytest.mark.clause("2.4a")
def test_who_has_signed_for_a_circular(region: TestStore) -> None:
    send(region, "c1", **POLICY)
    before = moment_after(region)
    region.submit(receive(APPROVAL, "test/c1", region.now))
    [found] = ask_json(region, "circulars")["items"]
    assert (found["sender"], found["number"], found["kind"], found["status"]) == (FORMER, "建发1号", "policy", "sent")
    assert (found["main"], found["copies"]) == ([APPROVAL], [S1])
    assert (found["received"], found["outstanding"], found["missed"]) == ("1/2", [S1], [])
    [then] = ask_json(region, "circulars", "--as-known-at", before)["items"]
    assert (then["received"], then["notices"][0]["received_at"]) == ("0/2", None)
    assert ask_json(region, "circulars", "--as-known-at", "2020-01-01")["items"] == []
    region.submit(
        SendCircular(**(POLICY | {"number": "建发2号"})),
        WithdrawCircular(department=FORMER, sender=FORMER, number="建发1号", reason="重发", replaced_by="建发2号"),
    )
    found = ask_json(region, "circulars", "--department", S1)["items"]
    assert [(one["number"], one["status"], one["replaced_by"]) for one in found] == [
        ("建发1号", "withdrawn", "建发2号"),
        ("建发2号", "sent", None),
    ]
    assert ask_json(region, "circulars", "--department", S2)["items"] == []
    text = ask(region, "circulars")
    assert all(word in text for word in ("住建局", "审批局", "1/2", "监管一局", "撤回"))
    assert "approval departments missed" not in ask(region, "circulars", "--lang", "en")
    region.project()
    rows = ask_json(region, "receipts", "--department", APPROVAL)["items"]
    assert [(one["about"], one["case"], one["status"]) for one in rows][-1] == ("circular", "", "received")


@pytest.mark.door("command")
@pytest.mark.clause("2.4b")
def test_who_comes_to_a_meeting(region: TestStore) -> None:
    invited = {"kind": "meeting", "number": "函1", "title": "会商", "body": "请参加", "main": (S1, S2, S3)}
    send(region, "m1", department=APPROVAL, **invited, meets_at=region.now + timedelta(days=8), venue="大厅")
    reply: dict[str, Any] = {"sender": APPROVAL, "number": "函1"}
    region.submit(
        AnswerInvitation(department=S1, **reply, attending=True, attendees=(officer(),)),
        AnswerInvitation(department=S2, **reply, attending=False),
    )
    [found] = ask_json(region, "circulars", "--kind", "meeting")["items"]
    assert (found["attending"], found["declined"], found["venue"]) == ([S1], [S2], "大厅")
    assert ask_json(region, "circulars", "--kind", "training")["items"] == []


def test_a_circular_is_followed_to_whoever_has_the_duties_now(region: TestStore) -> None:
    send(region, "c1", **POLICY)
    region.submit(SucceedDepartment(department=OFFICE, old=S1, to=S3, valid_from=DAY, basis="机构改革"))
    region.facts(lambda world, now: system.notice_passed(world, f"{S1}/test/c1", now))
    [found] = ask_json(region, "circulars")["items"]
    assert found["outstanding"] == [APPROVAL, S3]
    region.project()
    [told] = [one["notice"] for one in ask_json(region, "receipts", "--department", S3)["items"]]
    region.submit(ReceiveNotice(department=S3, officer=officer(), notice=told, received_at=region.now))
    [found] = ask_json(region, "circulars")["items"]
    assert (found["received"], found["outstanding"]) == ("1/2", [APPROVAL])


@pytest.mark.door("command")
@pytest.mark.clause("4.1a")
@pytest.mark.clause("4.1b")
def test_whom_a_list_from_above_leaves_out(region: TestStore) -> None:
    above = POLICY | {"department": HIGHER, "main": (FORMER,), "copies": ()}
    send(region, "c1", **above)
    meeting = {"department": HIGHER, "kind": "training", "title": "培训", "body": "请参加", "number": "培1"}
    send(region, "m1", **meeting, main=(FORMER, S1), concerns=(MATTER,), meets_at=region.now + timedelta(days=8))
    send(region, "m2", **(meeting | {"number": "培2"}), main=(FORMER, APPROVAL), meets_at=region.now)
    found = ask_json(region, "circulars", "--missing")["items"]
    assert [(one["number"], one["kind"], one["approver"], one["competent"], one["matters"]) for one in found] == [
        ("培1", "training", APPROVAL, FORMER, [MATTER]),
        ("建发1号", "policy", APPROVAL, FORMER, [MATTER]),
    ]
    text = ask(region, "circulars", "--missing")
    assert all(word in text for word in ("自治区厅", "审批局", "住建局", "培训"))
    assert "approval department missed" in ask(region, "circulars", "--missing", "--lang", "en")
    assert [one["missed"] for one in ask_json(region, "circulars")["items"]] == [[APPROVAL], [], [APPROVAL]]


@pytest.mark.door("command")
@pytest.mark.clause("2.4c")
def test_what_was_decided_between_a_change_and_the_day_it_was_received(region: TestStore) -> None:
    day_before = DAY - timedelta(days=1)
    granted(region, "1")  # decided on DAY
    region.submit(
        accept("2").model_copy(update={"accepted_on": day_before}),
        decide("2").model_copy(update={"decided_on": day_before}),
        accept("3").model_copy(update={"accepted_on": DAY - timedelta(days=5)}),
        decide("3").model_copy(update={"decided_on": DAY - timedelta(days=3)}),  # before the change
    )
    before = moment_after(region)
    send(region, "c1", **POLICY)
    told = moment_after(region)
    region.project()
    known = ("circulars", "--decided-between", "建发1号")
    found = ask_json(region, *known)["items"]
    assert [(one["number"], one["decided_on"], one["changed_on"]) for one in found] == [
        ("2", "2026-03-01", "2026-02-28"),
        ("1", "2026-03-02", "2026-02-28"),
    ]
    assert {(one["decided_by"], one["received_on"], one["told_on"] is None) for one in found} == {
        (APPROVAL, None, False)
    }
    region.submit(receive(APPROVAL, "test/c1", region.now))
    region.project()
    [one] = ask_json(region, *known)["items"]  # on the day of receipt it is decided in knowledge of the change
    assert (one["number"], one["decided_on"], one["received_on"]) == ("2", "2026-03-01", "2026-03-02")
    then = ask_json(region, *known, "--as-known-at", told)["items"]
    assert then == found
    text = ask(region, *known)
    assert all(word in text for word in ("审批局", "文2", "2026-02-28", "签收"))
    assert ask_json(region, *known, "--as-known-at", before, code=1)["error"] == "No circular 建发1号."


@pytest.mark.door("command")
@pytest.mark.clause("2.4c", refused=True)
def test_only_of_a_change_of_policy_and_of_one_circular(region: TestStore) -> None:
    send(region, "c1", **POLICY)
    send(region, "c2", **(POLICY | {"department": S1, "copies": ()}))
    guidance = {"department": HIGHER, "kind": "guidance", "number": "指1", "title": "指导", "body": "意见"}
    send(region, "g1", **guidance, main=(APPROVAL,))
    words = ("circulars", "--decided-between")
    assert ask_json(region, *words, "指1", code=1)["error"] == "指1 tells of no change of policy."
    assert ask_json(region, *words, "建发1号", code=1)["senders"] == [S1, FORMER]
    assert ask_json(region, *words, "建发1号", "--sender", FORMER)["items"] == []
    assert "没有文号" in ask(region, *words, "无", code=1)


@pytest.mark.door("command")
@pytest.mark.clause("4.3a")
def test_whose_turn_it_is_in_a_consultation(region: TestStore) -> None:
    granted(region, "1")
    about = {"case_organ": APPROVAL, "case_number": "1"}
    ask_above = AskConsultation(department=APPROVAL, number="S1", to=HIGHER, question="如何办理", reply_by=DAY, **about)
    region.submit(ask_above, AskConsultation(department=HIGHER, number="S2", to=S1, question="情况", matter=MATTER))
    asked = moment_after(region)
    region.submit(AnswerConsultation(department=HIGHER, asker=APPROVAL, number="S1", answer="依法办理"))
    found = ask_json(region, "consultations")["items"]
    assert [(one["asker"], one["to"], one["case"], one["matter"], one["status"]) for one in found] == [
        (HIGHER, S1, None, MATTER, "open"),
        (APPROVAL, HIGHER, f"{APPROVAL}/1", MATTER, "answered"),
    ]
    assert [one["number"] for one in ask_json(region, "consultations", "--unanswered")["items"]] == ["S2"]
    then = ask_json(region, "consultations", "--department", APPROVAL, "--as-known-at", asked)["items"]
    assert [(one["number"], one["status"]) for one in then] == [("S1", "open")]
    region.project()
    steps = [one for one in ask_json(region, "case", "1")["steps"] if one["kind"].startswith("consultation.")]
    assert [(one["from_department"], one["to_department"]) for one in steps] == [
        (APPROVAL, HIGHER),
        (HIGHER, APPROVAL),
    ]
    replayed = {event["kind"] for event in ask_json(region, "replay", "1")["events"]}
    assert {"consultation.asked", "consultation.answered"} <= replayed
    assert "待处理" in ask(region, "consultations")


@pytest.mark.door("command")
@pytest.mark.clause("4.3a")
def test_an_answer_is_late_by_its_clock_as_it_was_known(region: TestStore) -> None:
    region.submit(AskConsultation(department=HIGHER, number="S1", to=S1, question="情况", reply_by=DAY))
    known, clock = [moment_after(region)], f"consultation/{HIGHER}/S1"
    for act in (
        ExtendClock(department=OFFICE, clock=clock, days=2, reason="材料待补"),
        SuspendClock(department=OFFICE, clock=clock, on=DAY, reason="系统停机"),
    ):
        region.submit(act)
        known.append(moment_after(region))
    found = [ask_json(region, "consultations", "--as-known-at", at)["items"][0] for at in known]
    assert [(one["reply_by"], one["overdue"]) for one in found] == [
        ("2026-03-02", True),
        ("2026-03-04", True),
        ("2026-03-04", False),
    ]
    assert ask_json(region, "consultations")["items"] == found[2:]


@pytest.mark.door("command")
@pytest.mark.clause("5.3a")
def test_what_the_repeal_of_a_document_affects(region: TestStore) -> None:
    enter(region, DOCUMENT, since=date(2020, 5, 1))
    cites = EnterRegister(
        department=OFFICE, entry=Proposal(matter=OWN_MATTER, batch="1"), valid_from=DAY, basis=f"依据{NUMBER}"
    )
    region.submit(cites)
    known = ask_json(region, "documents", "--impact", NUMBER, "--on", "2026-03-02")["items"]
    assert [(one["kind"], one["key"], one["since"]) for one in known] == [
        ("transfer", MATTER, "2025-01-01"),
        ("proposal", OWN_MATTER, "2026-03-02"),
    ]
    for written in ("内政办发[2020]9号", "内政办发（2020）9号", "内政办发【2020】 9号"):
        assert ask_json(region, "documents", "--impact", written, "--on", "2026-03-02")["items"] == known
    region.submit(StrikeEntry(department=OFFICE, kind="document", key="WJ1", valid_from=date(2026, 4, 1), basis="废止"))
    stood = [ask_json(region, "documents", "--on", day)["items"][0] for day in ("2026-03-31", "2026-04-01")]
    assert [(one["status"], one["affects"]) for one in stood] == [("in_force", 2), ("repealed", 2)]
    text = ask(region, "documents", "--impact", NUMBER, "--on", "2026-04-01")
    assert all(word in text for word in ("拟划转事项", "划转", "施工许可"))
    assert "已废止" in ask(region, "documents", "--on", "2026-04-01")


@pytest.mark.door("command")
@pytest.mark.clause("5.3a", refused=True)
def test_nothing_rests_on_a_document_that_is_repealed_or_not_there(region: TestStore) -> None:
    enter(region, DOCUMENT.model_copy(update={"repealed_on": date(2026, 2, 1)}), since=date(2020, 5, 1))
    late = EnterRegister(
        department=OFFICE, entry=Proposal(matter=OWN_MATTER, batch="1"), valid_from=DAY, basis=f"依据{NUMBER}"
    )
    region.submit(late, expect="refused")
    assert ask_json(region, "lists", "proposal")["items"] == []
    assert ask_json(region, "documents", "--impact", "无此号", code=1)["number"] == "无此号"


@pytest.mark.door("command")
@pytest.mark.clause("5.1a")
@pytest.mark.clause("5.2a")
def test_innovations_relations_and_tasks_are_listed(region: TestStore) -> None:
    enter(
        region,
        Innovation(code="C1", name="一业一证", department=APPROVAL, description="一次办结", document=NUMBER),
        Relation(
            code="G1", relation="stationed", from_department=S1, to_department=APPROVAL, description="派驻窗口人员"
        ),
        Duty(
            code="R1", name="专家评审制度", responsible=APPROVAL, overseer=OFFICE, due_on=date(2026, 6, 30),
            cost_item="expert_evaluation", budget="league", amount=300_000,
        ),
    )  # fmt: skip
    on = ("--as-true-at", "2026-03-02")
    assert all(word in ask(region, "lists", "innovation", *on) for word in ("一业一证", "审批局", NUMBER))
    assert all(word in ask(region, "lists", "relation", *on) for word in ("派驻", "监管一局", "审批局"))
    text = ask(region, "duties", *on)
    assert all(word in text for word in ("专家评审", "盟市本级", "财政", "300000", "审批局"))
    assert ask_json(region, "duties", "--overdue", *on)["items"] == []
    [late] = ask_json(region, "duties", "--overdue", "--as-true-at", "2026-07-01")["items"]
    assert (late["code"], late["status"], late["overseer"]) == ("R1", "overdue", OFFICE)
