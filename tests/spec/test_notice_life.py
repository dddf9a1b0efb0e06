"""The notice's life (2.2): owed, received, taken, returned, ruled on, superseded; feedback and disposition back."""

from __future__ import annotations

import pytest

from domain.notices import NoticeMoved
from tests.unit.spec import MATTER, Region, owed

RECEIVED = "2026-03-01T10:00:00+08:00"
FEEDBACK = {
    "case_organ": "spj",
    "case_number": "1",
    "found_on": "2026-02-20",
    "suggestion": "revoke",
    "detail": "擅自改建",
}
END = {"document_number": "呼2号", "on": "2026-02-25", "reason": "申请注销"}


def names(*notices: str) -> set[str]:
    return {notice.partition("/")[0] for notice in notices}


@pytest.mark.clause("2.2a")
def test_every_supervisor_of_the_day_is_told_once_and_serials_have_no_gap(region: Region) -> None:
    first, second = region.granted("1"), region.granted("2")
    assert names(*first) == names(*second) == {"s1", "s2"}
    assert [region.serial(n) for n in (first[0], second[0])] == [1, 2]


@pytest.mark.clause("2.2a")
def test_routing_is_that_of_the_day_of_the_decision(region: Region) -> None:
    region.accepted("matter.route", "sgb", matter=MATTER, valid_from="2026-02-15", basis="调整",
                    supervisors=[{"department": "s3"}])  # fmt: skip
    assert names(*region.granted("1")) == {"s1", "s2"}
    region.accept("2")
    later = region.accepted("case.decide", "spj", **region.decision("2", decided_on="2026-02-20"))
    assert names(*owed(later)) == {"s3"}


@pytest.mark.clause("2.2a")
def test_refusals_are_told_only_where_the_matter_says_so_and_stock_owes_nothing(region: Region) -> None:
    region.accept("1")
    refusal = region.decision("1", outcome="not_granted", valid_from=None, valid_to=None)
    assert owed(region.accepted("case.decide", "spj", **refusal)) == []
    region.accept("2")
    assert owed(region.accepted("case.decide", "spj", **region.decision("2", basis="legacy"))) == []
    entry = {"code": MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法第七条"}
    region.accepted("matter.register", "sgb", entry={**entry, "push_not_granted": True})
    region.accept("3")
    refusal = region.decision("3", outcome="not_granted", valid_from=None, valid_to=None)
    assert names(*owed(region.accepted("case.decide", "spj", **refusal))) == {"s1", "s2"}


@pytest.mark.clause("2.2b")
@pytest.mark.clause("2.2b", refused=True)
def test_a_receipt_is_the_addressees_and_once(region: Region) -> None:
    notice = region.granted()[0]
    region.refused("notice.not_addressee", "notice.receive", "s2", notice=notice, received_at=RECEIVED)
    region.dead("received_at", "date.future", "notice.receive", "s1", notice=notice, received_at="2026-03-03T00:00:00Z")
    region.accepted("notice.receive", "s1", notice=notice, received_at=RECEIVED)
    region.refused("notice.already", "notice.receive", "s1", notice=notice, received_at=RECEIVED)


@pytest.mark.clause("2.2b")
def test_a_receipt_may_come_before_the_notice(region: Region) -> None:
    region.waits("notice/s1/spj/99", "notice.receive", "s1", notice="s1/spj/99", received_at=RECEIVED)


@pytest.mark.clause("2.2c")
@pytest.mark.clause("2.2c", refused=True)
def test_taking_into_supervision_follows_receipt(region: Region) -> None:
    notice = region.granted()[0]
    region.waits(f"notice/{notice}", "notice.take", "s1", notice=notice)
    region.accepted("notice.receive", "s1", notice=notice, received_at=RECEIVED)
    assert region.state(notice).taken
    region.refused("notice.already", "notice.take", "s1", notice=notice)
    region.refused("notice.not_returnable", "notice.return", "s1", notice=notice, proposed="s3", reason="非我职责")


@pytest.mark.clause("2.2d")
def test_a_return_closes_the_notice_and_owes_another_linked_by_origin(region: Region) -> None:
    notice = region.granted()[0]
    events = region.accepted("notice.return", "s1", notice=notice, proposed="s3", reason="非我职责")
    [moved_to] = owed(events)
    assert names(moved_to) == {"s3"}
    found = region.state(moved_to).owed
    assert found is not None
    assert (found.origin, found.root, found.about) == (notice, "decision", "reassignment")
    assert [event.to for event in events if isinstance(event, NoticeMoved)] == [moved_to]
    region.refused("notice.moved", "notice.receive", "s1", notice=notice, received_at=RECEIVED)


@pytest.mark.clause("2.2d")
def test_the_second_return_goes_to_the_reform_office_whose_ruling_is_final(region: Region) -> None:
    notice = region.granted()[0]
    [second] = owed(region.accepted("notice.return", "s1", notice=notice, proposed="s3", reason="一"))
    [dispute] = owed(region.accepted("notice.return", "s3", notice=second, proposed="s1", reason="二"))
    assert names(dispute) == {"sgb"}
    region.refused("mandate.role", "duty.rule", "s1", notice=dispute, assign_to="s3", reason="我定")
    [ruled] = owed(region.accepted("duty.rule", "sgb", notice=dispute, assign_to="s1", reason="依职责"))
    assert names(ruled) == {"s1"}  # it may send the notice back to its first addressee
    region.refused("notice.ruled", "notice.return", "s1", notice=ruled, proposed="s3", reason="三")
    region.refused("notice.moved", "duty.rule", "sgb", notice=dispute, assign_to="s3", reason="再裁")


@pytest.mark.clause("2.2d", refused=True)
def test_nobody_is_handed_what_he_holds_already(region: Region) -> None:
    notice = region.granted()[0]
    region.refused("notice.already_held", "notice.return", "s1", notice=notice, proposed="s2", reason="他有")


@pytest.mark.clause("2.2a")
def test_what_becomes_of_a_permit_is_told_to_everyone_who_was_told_of_it(region: Region) -> None:
    notice = region.granted()[0]
    region.accepted("notice.return", "s1", notice=notice, proposed="s3", reason="非我职责")
    change = {"document_number": "呼2号", "on": "2026-02-20", "content": "变更地址"}
    told = owed(region.accepted("case.change", "spj", **region.case(**change)))
    assert names(*told) == {"s1", "s2", "s3"}  # received or not, returned or not
    assert len(owed(region.accepted("case.revoke", "qu", **region.case(**END)))) == 3  # a higher authority may
    region.refused("case.state", "case.cancel", "spj", **region.case(**END))
    region.refused("power.none", "case.withdraw", "qu", **region.case(**END))


@pytest.mark.clause("2.2a")
def test_a_correction_supersedes_current_notices_and_leaves_disputes_open(region: Region) -> None:
    s1, s2 = region.granted()
    [s3] = owed(region.accepted("notice.return", "s1", notice=s1, proposed="s3", reason="一"))
    [dispute] = owed(region.accepted("notice.return", "s3", notice=s3, proposed="s1", reason="二"))
    fix = region.case(
        target="valid_to", old="2031-02-09", new="2032-02-09", on="2026-02-20", reason="笔误", authorised_by="局长"
    )
    [corrected] = owed(region.accepted("case.correct", "spj", **fix))
    assert names(corrected) == {"s2"}
    assert region.state(s2).moved
    assert not region.state(dispute).moved
    region.accepted("duty.rule", "sgb", notice=dispute, assign_to="s1", reason="依职责")
    region.dead("old", "correction.old", "case.correct", "spj", **fix)
    impossible = {**fix, "target": "decided_on", "old": "2026-02-10", "new": "2099-01-01"}
    region.dead("new", "date.future", "case.correct", "spj", **impossible)


@pytest.mark.clause("2.2e")
@pytest.mark.clause("2.2e", refused=True)
def test_feedback_goes_to_the_approving_side(region: Region) -> None:
    region.granted()
    [notice] = owed(region.accepted("feedback.raise", "s1", number="F1", **FEEDBACK))
    assert names(notice) == {"spj"}
    region.refused("feedback.exists", "feedback.raise", "s1", number="F1", **FEEDBACK)
    region.refused("supervision.not_addressee", "feedback.raise", "s3", number="F1", **FEEDBACK)


@pytest.mark.clause("2.2f")
@pytest.mark.clause("2.2f", refused=True)
def test_its_disposition_is_told_to_who_raised_it(region: Region) -> None:
    region.granted()
    answer = {"supervisor": "s1", "number": "F1", "outcome": "adopted", "reason": "已撤销"}
    region.waits("feedback/s1/F2", "feedback.dispose", "spj", **(answer | {"number": "F2"}))
    region.accepted("feedback.raise", "s1", number="F1", **FEEDBACK)
    region.refused("mandate.role", "feedback.dispose", "s2", **answer)
    assert names(*owed(region.accepted("feedback.dispose", "spj", **answer))) == {"s1"}
    region.refused("feedback.disposed", "feedback.dispose", "spj", **answer)
