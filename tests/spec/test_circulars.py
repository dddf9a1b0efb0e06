"""Circulars and invitations (2.4, 4.1, 4.3b): sent to whom, received, answered, withdrawn; whom a list leaves out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from domain.circulars import CircularSent, CircularWithdrawn, Missed, concerned, missed
from tests.spec.test_succession import problems, rechecked
from tests.unit.spec import MATTER, NOW, OWN_MATTER, Region, owed

POLICY: dict[str, Any] = {
    "kind": "policy", "number": "呼建发〔2026〕3号", "title": "施工许可条件调整", "body": "自三月一日起执行新标准。",
    "main": ["spj"], "changed_on": "2026-03-01",
}  # fmt: skip
MEETING: dict[str, Any] = {
    "kind": "meeting", "number": "呼审批函〔2026〕1号", "title": "审管衔接会商", "body": "请派员参加。",
    "main": ["s1", "s2"], "meets_at": "2026-03-10T09:00:00+08:00", "venue": "政务大厅三楼", "reply_by": "2026-03-08",
}  # fmt: skip
ABOVE = POLICY | {"number": "内建发〔2026〕9号", "main": ["zjj"]}
WHO = {"id": "42", "name": "王小二"}


def sent(region: Region, department: str, **data: Any) -> CircularSent:
    [event, *_] = region.accepted("circular.send", department, **data)
    assert isinstance(event, CircularSent)
    return event


def told(region: Region, *notices: str) -> list[tuple[str, str, str, str]]:
    found = [region.state(one).owed for one in notices]
    return [(one.addressee, one.about, one.case, one.matter) for one in found if one]


@pytest.mark.clause("2.4a")
def test_a_change_of_policy_is_told_to_the_other_side_and_signed_for(region: Region) -> None:
    notices = owed(region.accepted("circular.send", "zjj", **POLICY, copies=["qu", "s1"]))
    assert told(region, *notices) == [(one, "circular", "", "") for one in ("spj", "qu", "s1")]
    received = {"notice": notices[0], "received_at": NOW.isoformat()}
    region.accepted("notice.receive", "spj", officer=WHO, **received)
    assert region.state(notices[0]).received
    assert not region.state(notices[1]).received
    back = POLICY | {"number": "呼审批发〔2026〕1号", "main": ["zjj"]}
    assert told(region, *owed(region.accepted("circular.send", "spj", **back))) == [("zjj", "circular", "", "")]


@pytest.mark.clause("2.4a", refused=True)
def test_it_goes_to_the_other_side_once_and_under_one_number(region: Region) -> None:
    region.refused("circular.addressee", "circular.send", "zjj", **(POLICY | {"main": ["s1"]}))
    region.refused("circular.addressee", "circular.send", "zjj", **(POLICY | {"main": ["jw"]}))
    region.refused("circular.addressee", "circular.send", "zjj", **POLICY, copies=["pt"])
    region.refused("mandate.role", "circular.send", "sgb", **POLICY)
    region.waits("department/x", "circular.send", "zjj", **(POLICY | {"main": ["x"]}))
    for wrong in ({"changed_on": None}, {"main": []}, {"main": ["zjj"]}, {"copies": ["spj"]}, {"venue": "大厅"}):
        with pytest.raises(ValidationError):
            region.submit("circular.send", "zjj", **(POLICY | wrong))
    [notice] = owed(region.accepted("circular.send", "zjj", **POLICY))
    region.refused("circular.exists", "circular.send", "zjj", **POLICY)
    receipt = {"notice": notice, "received_at": NOW.isoformat()}
    region.refused("notice.not_addressee", "notice.receive", "s1", **receipt)
    region.refused("mandate.role", "notice.take", "spj", notice=notice)
    region.refused(
        "notice.not_returnable", "notice.return", "s1", notice=_to(region, "s1"), proposed="s3", reason="不归我"
    )


def _to(region: Region, department: str) -> str:
    policy = POLICY | {"number": "呼审批发〔2026〕7号", "main": [department]}
    return owed(region.accepted("circular.send", "spj", **policy))[0]


@pytest.mark.clause("2.4b")
def test_an_invitation_is_answered_with_who_comes(region: Region) -> None:
    notices = owed(region.accepted("circular.send", "spj", **MEETING))
    assert told(region, *notices) == [("s1", "invitation", "", ""), ("s2", "invitation", "", "")]
    reply = {"sender": "spj", "number": MEETING["number"]}
    back = owed(region.accepted("circular.answer", "s1", **reply, attending=True, attendees=[WHO]))
    assert told(region, *back) == [("spj", "invitation_answer", "", "")]
    region.accepted("circular.answer", "s2", **reply, attending=True, attendees=[WHO])
    region.accepted("circular.answer", "s2", **reply, attending=False)  # the last counts
    answers = region.world.circular("spj", MEETING["number"]).answers
    assert {code: one.attending for code, one in answers.items()} == {"s1": True, "s2": False}
    assert "王小二" not in answers["s1"].model_dump_json()


@pytest.mark.clause("2.4b", refused=True)
def test_nobody_answers_an_invitation_it_was_not_sent(region: Region) -> None:
    reply = {"sender": "spj", "number": MEETING["number"], "attending": True, "attendees": [WHO]}
    region.waits("circular/spj/未发", "circular.answer", "s1", **(reply | {"number": "未发"}))
    region.accepted("circular.send", "spj", **MEETING)
    region.refused("circular.not_addressed", "circular.answer", "s3", **reply)
    region.refused("circular.not_addressed", "circular.answer", "spj", **reply)
    for wrong in ({"attendees": []}, {"attending": False}):
        with pytest.raises(ValidationError):
            region.submit("circular.answer", "s1", **(reply | wrong))
    region.accepted("circular.send", "zjj", **POLICY)
    region.refused(
        "circular.no_invitation", "circular.answer", "spj", **(reply | {"sender": "zjj", "number": POLICY["number"]})
    )
    region.accepted("circular.withdraw", "spj", sender="spj", number=MEETING["number"], reason="改期")
    region.refused("circular.withdrawn", "circular.answer", "s1", **reply)


@pytest.mark.clause("2.4a")
def test_who_was_told_of_a_circular_is_told_of_its_end(region: Region) -> None:
    region.accepted("circular.send", "zjj", **POLICY, copies=["s1"])
    region.accepted("circular.send", "zjj", **(POLICY | {"number": "呼建发〔2026〕4号"}))
    named = {"sender": "zjj", "number": POLICY["number"]}
    end = region.accepted("circular.withdraw", "zjj", **named, reason="重新印发", replaced_by="呼建发〔2026〕4号")
    assert isinstance(end[0], CircularWithdrawn)
    assert told(region, *owed(end)) == [("spj", "circular_withdrawn", "", ""), ("s1", "circular_withdrawn", "", "")]


@pytest.mark.clause("2.4a", refused=True)
def test_only_its_sender_withdraws_a_circular_and_once(region: Region) -> None:
    named = {"sender": "zjj", "number": POLICY["number"], "reason": "重新印发"}
    region.waits("circular/zjj/未发", "circular.withdraw", "zjj", **(named | {"number": "未发"}))
    region.accepted("circular.send", "zjj", **POLICY)
    region.refused("mandate.role", "circular.withdraw", "spj", **named)
    region.refused("mandate.role", "circular.withdraw", "s1", **named)
    region.waits("circular/zjj/没有", "circular.withdraw", "zjj", **named, replaced_by="没有")
    with pytest.raises(ValidationError):
        region.submit("circular.withdraw", "zjj", **named, replaced_by=POLICY["number"])
    region.accepted("circular.withdraw", "zjj", **named)
    region.refused("circular.withdrawn", "circular.withdraw", "zjj", **named)


@pytest.mark.clause("4.1a")
def test_a_list_from_above_that_misses_the_approval_department_shows(region: Region) -> None:
    found = missed(sent(region, "qu", **ABOVE), region.world.registers)
    assert found == [Missed("spj", "zjj", (MATTER,))]  # of all its matters, the one that was transferred
    named = sent(region, "qu", **(ABOVE | {"number": "2", "concerns": [MATTER, OWN_MATTER]}))
    assert missed(named, region.world.registers) == [Missed("spj", "zjj", (MATTER,))]
    assert concerned(named, region.world.registers) == (MATTER, OWN_MATTER)
    # By the registers of the day: a transfer that is taken back since makes no difference.
    region.accepted("matter.return", "sgb", matter=MATTER, valid_from="2026-03-03", basis="收回")
    assert missed(named, region.world.registers) == [Missed("spj", "zjj", (MATTER,))]


@pytest.mark.clause("4.1a", refused=True)
def test_a_list_that_has_it_or_has_no_need_of_it_misses_nobody(region: Region) -> None:
    circulars = [
        sent(region, "qu", **(ABOVE | {"copies": ["spj"]})),
        sent(region, "qu", **(ABOVE | {"number": "2", "concerns": [OWN_MATTER]})),
        sent(region, "qu", **(ABOVE | {"number": "3", "main": ["s1"]})),  # not the competent department
        sent(region, "spj", **(ABOVE | {"number": "4"})),  # not from above
    ]
    assert [missed(one, region.world.registers) for one in circulars] == [[], [], [], []]
    elsewhere = {"code": "bt", "name": "包头住建", "roles": ["SUPERVISION"], "region": "150200"}
    region.accepted("department.register", "sgb", entry=elsewhere | {"valid_from": "2020-01-01"})
    city = {"code": "shi", "name": "市政府办", "roles": ["HIGHER_AUTHORITY"], "region": "150100"}
    region.accepted("department.register", "sgb", entry=city | {"valid_from": "2020-01-01"})
    region.accepted("principal.register", "operator", principal="shi", acts_for=["shi"])
    region.refused("circular.addressee", "circular.send", "shi", **(ABOVE | {"main": ["bt"]}))
    region.waits("matter/" + MATTER[:-1] + "9", "circular.send", "qu", **(ABOVE | {"concerns": [MATTER[:-1] + "9"]}))


@pytest.mark.clause("4.1b")
@pytest.mark.parametrize("kind", ["meeting", "training"])
def test_so_does_a_meeting_or_training(region: Region, kind: str) -> None:
    invitation = MEETING | {"kind": kind, "main": ["zjj"], "copies": ["s1"]}
    event = sent(region, "qu", **invitation, concerns=[MATTER])
    assert missed(event, region.world.registers) == [Missed("spj", "zjj", (MATTER,))]


@pytest.mark.clause("4.1b", refused=True)
def test_who_was_missed_cannot_answer_and_who_was_invited_is_not_missed(region: Region) -> None:
    invitation = MEETING | {"main": ["zjj"]}
    region.accepted("circular.send", "qu", **invitation)
    reply = {"sender": "qu", "number": invitation["number"], "attending": True, "attendees": [WHO]}
    region.refused("circular.not_addressed", "circular.answer", "spj", **reply)
    whole = sent(region, "qu", **(invitation | {"number": "2", "main": ["zjj", "spj"]}))
    assert missed(whole, region.world.registers) == []


@pytest.mark.clause("4.3b")
def test_guidance_goes_down(region: Region) -> None:
    guidance = {
        "kind": "guidance",
        "number": "内指〔2026〕1号",
        "title": "审批指导",
        "body": "指导意见",
        "main": ["spj"],
    }
    assert told(region, *owed(region.accepted("circular.send", "qu", **guidance))) == [("spj", "guidance", "", "")]


@pytest.mark.clause("4.3b", refused=True)
def test_nobody_guides_its_own_level_or_one_above(region: Region) -> None:
    guidance = {"kind": "guidance", "number": "1", "title": "审批指导", "body": "指导意见", "main": ["spj"]}
    region.refused("circular.not_below", "circular.send", "zjj", **guidance)
    region.refused("circular.not_below", "circular.send", "spj", **(guidance | {"main": ["qu"]}))
    city = {"code": "shi", "name": "市政府办", "roles": ["HIGHER_AUTHORITY"], "region": "150100"}
    region.accepted("department.register", "sgb", entry=city | {"valid_from": "2020-01-01"})
    region.accepted("principal.register", "operator", principal="shi", acts_for=["shi"])
    region.refused("circular.not_below", "circular.send", "shi", **guidance)


def test_whoever_has_the_duties_now_answers_and_withdraws(region: Region) -> None:
    region.accepted("circular.send", "spj", **MEETING)
    named = {"valid_from": "2026-03-01", "basis": "机构改革方案"}
    region.accepted("department.succeed", "sgb", old="s1", to="s3", **named)
    reply = {"sender": "spj", "number": MEETING["number"], "attending": False}
    region.refused("department.ceased", "circular.answer", "s1", **reply)
    region.accepted("circular.answer", "s3", **reply)
    region.refused("department.ceased", "circular.send", "spj", **(MEETING | {"number": "2"}))
    end = region.accepted("circular.withdraw", "spj", sender="spj", number=MEETING["number"], reason="取消")
    assert [one.partition("/")[0] for one in owed(end)] == ["s3", "s2"]


def test_verify_finds_whom_a_withdrawal_or_an_answer_leaves_out(region: Region) -> None:
    region.accepted("circular.send", "spj", **MEETING)
    reply = {"sender": "spj", "number": MEETING["number"], "attending": False}
    region.accepted("circular.answer", "s1", **reply)
    region.accepted("circular.withdraw", "spj", sender="spj", number=MEETING["number"], reason="取消")
    assert problems(region) == []
    found = list(region.recorded)
    for topic, wrong in (("circular.withdrawn", {"audience": ("s1",)}), ("circular.answered", {"to": "zjj"})):
        forged = [
            replace(one, event=one.event.model_copy(update=wrong)) if topic == one.event.TOPIC else one for one in found
        ]
        assert any(one.startswith("audience") for one in rechecked(forged))
