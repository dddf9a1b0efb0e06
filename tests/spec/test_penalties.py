"""Penalties by the enforcing side (吊销, 暂扣), and what reviews and courts order (复议, 诉讼)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.spec.test_succession import problems, succeed
from tests.unit.spec import MATTER, OWN_MATTER, Region, owed

END = {"document_number": "注1", "on": "2026-02-25", "reason": "已吊销"}


@pytest.fixture
def region(region: Region) -> Region:
    entry = {"code": "fyj", "name": "司法局", "roles": ["REVIEW_ORGAN"], "region": "150100", "valid_from": "2020-01-01"}
    region.accepted("department.register", "sgb", entry=entry)
    region.accepted("principal.register", "operator", principal="fyj", acts_for=["fyj"])
    return region


def penalty(number: str = "1", penalty: str = "1", **more: Any) -> dict[str, Any]:
    usual = {"measure": "suspension", "document_number": "罚1", "on": "2026-02-20", "reason": "超范围经营"}
    return {"organ": "spj", "number": number, "penalty": penalty, **(usual | more)}


def lifting(on: str = "2026-02-22", penalty: str = "1") -> dict[str, Any]:
    return {
        "organ": "spj", "number": "1", "penalty": penalty, "document_number": "解1", "on": on, "reason": "已整改",
    }  # fmt: skip


def remedy(outcome: str, on: str = "2026-02-20", number: str = "1") -> dict[str, Any]:
    return {
        "organ": "spj", "number": number, "procedure": "reconsideration", "outcome": outcome, "document_number": "复1",
        "on": on, "content": "依法处理",
    }  # fmt: skip


def told(notices: list[str]) -> list[str]:
    return [one.split("/")[0] for one in notices]


@pytest.mark.clause("2.2e")
def test_the_approving_side_and_the_other_supervisors_hear_of_a_penalty(region: Region) -> None:
    region.granted()
    notices = owed(region.accepted("penalty.impose", "s1", **penalty(until="2026-02-28")))
    assert told(notices) == ["s2", "spj"]
    assert {region.state(one).owed.about for one in notices} == {"penalty"}  # type: ignore[union-attr]
    [suspension] = region.world.case("spj", "1").suspensions
    days = [date(2026, 2, 19), date(2026, 2, 20), date(2026, 2, 28), date(2026, 3, 1)]
    assert [suspension.covers(day) for day in days] == [False, True, True, False]
    assert told(owed(region.accepted("penalty.lift", "s1", **lifting()))) == ["s2", "spj"]
    [suspension] = region.world.case("spj", "1").suspensions
    assert not suspension.covers(date(2026, 2, 22))
    region.refused("penalty.over", "penalty.lift", "s1", **lifting())
    assert problems(region) == []


@pytest.mark.clause("2.2e", refused=True)
@pytest.mark.clause("1.1c", refused=True)
def test_nobody_penalises_but_who_supervises(region: Region) -> None:
    region.granted()
    region.refused("supervision.by_approver", "penalty.impose", "spj", **penalty())
    region.refused("supervision.not_addressee", "penalty.impose", "s3", **penalty())
    region.waits("case/spj/9", "penalty.impose", "s1", **penalty("9"))
    region.waits("case/spj/1", "penalty.lift", "s1", **lifting())
    region.dead("on", "date.order", "penalty.impose", "s1", **penalty(on="2026-02-01"))
    region.dead("on", "date.future", "penalty.impose", "s1", **penalty(on="2026-03-09"))
    region.accepted("penalty.impose", "s1", **penalty())
    region.refused("penalty.exists", "penalty.impose", "s1", **penalty())
    region.waits("case/spj/1", "penalty.lift", "s2", **lifting())  # not its own


@pytest.mark.clause("2.2f")
def test_revocation_by_penalty_is_answered_by_cancellation_alone(region: Region) -> None:
    region.granted()
    region.accepted("penalty.impose", "s1", **penalty(measure="revocation"))
    assert region.world.case("spj", "1").status == "penalised"
    change = {"document_number": "变1", "on": "2026-02-25", "content": "变更"}
    region.refused("case.state", "case.change", "spj", **region.case(**change))
    region.refused("case.state", "case.withdraw", "spj", **region.case(**END))
    region.refused("case.state", "penalty.impose", "s2", **penalty(measure="revocation"))
    region.refused("power.none", "case.cancel", "s1", **region.case(**END))
    assert told(owed(region.accepted("case.cancel", "spj", **region.case(**END)))) == ["s1", "s2"]
    state = region.world.case("spj", "1")
    assert (state.status, state.ended, state.penalised_on) == (
        "ended", ("cancelled", date(2026, 2, 25)), date(2026, 2, 20),
    )  # fmt: skip


def test_stock_of_which_nobody_was_told_is_supervised_too(region: Region) -> None:
    region.accept()
    region.world.registers.founded_on = date(2026, 2, 15)
    region.accepted("case.decide", "spj", **region.decision(basis="legacy"))
    assert region.world.case("spj", "1").told == ()
    assert told(owed(region.accepted("penalty.impose", "s1", **penalty()))) == ["spj"]
    region.refused("supervision.not_addressee", "penalty.impose", "s3", **penalty())


def test_a_matter_that_was_never_transferred_is_its_holders_own(region: Region) -> None:
    region.accept("1", OWN_MATTER, "zjj")
    own = {"organ": "zjj"}
    region.accepted("case.decide", "zjj", **(region.decision() | own))
    assert owed(region.accepted("penalty.impose", "zjj", **(penalty() | own))) == []


def test_stop_of_execution_is_urgent_and_ends_with_the_outcome(region: Region) -> None:
    region.granted()
    notices = owed(region.accepted("remedy.record", "fyj", **remedy("stop_execution")))
    assert told(notices) == ["s1", "s2", "spj"]
    assert {region.state(one).owed.about for one in notices} == {"stop_execution"}  # type: ignore[union-attr]
    assert region.world.case("spj", "1").stopped
    licence = {"licence_number": "证1", "certificate": "证", "issued_on": "2026-02-25"}
    region.refused("case.state", "case.issue_licence", "spj", **region.case(**licence))
    region.refused("remedy.stopped", "remedy.record", "fyj", **remedy("stop_execution"))
    notices = owed(region.accepted("remedy.record", "fyj", **remedy("upheld", "2026-02-24")))
    assert {region.state(one).owed.about for one in notices} == {"remedy"}  # type: ignore[union-attr]
    state = region.world.case("spj", "1")
    assert (state.status, state.stopped) == ("granted", False)
    region.refused("remedy.stopped", "remedy.record", "fyj", **remedy("resume_execution"))
    region.accepted("case.issue_licence", "spj", **region.case(**licence))
    assert problems(region) == []


def test_only_review_organs_and_courts_find_so(region: Region) -> None:
    region.granted()
    for department in ("spj", "s1", "qu"):
        region.refused("mandate.role", "remedy.record", department, **remedy("annulled"))
    region.accept("2")
    region.waits("case/spj/2", "remedy.record", "fyj", **remedy("annulled", number="2"))


def test_what_is_annulled_may_be_decided_anew_once_where_that_was_ordered(region: Region) -> None:
    region.granted("1")
    region.granted("2")
    anew = {"organ": "spj", "matter": MATTER, "party": {"kind": "法人及非法人组织", "name": "草原公司"}}
    anew |= {"accepted_on": "2026-02-25"}
    region.waits("case/spj/1", "case.accept", "spj", number="8", anew_of="1", **anew)
    region.accepted("remedy.record", "fyj", **remedy("annulled", number="2"))
    region.refused("remedy.anew", "case.accept", "spj", number="8", anew_of="2", **anew)
    region.accepted("remedy.record", "fyj", **remedy("anew"))
    state = region.world.case("spj", "1")
    assert (state.status, state.ended) == ("ended", ("annulled", date(2026, 2, 20)))
    region.refused("remedy.annulled", "remedy.record", "fyj", **remedy("upheld"))
    assert region.world.case("spj", "8").status == "accepted"  # which waited, and was the once
    assert not state.anew
    region.refused("remedy.anew", "case.accept", "spj", number="9", anew_of="1", **anew)
    decision = region.decision("8", decided_on="2026-02-26", document_number="呼8号")
    assert told(owed(region.accepted("case.decide", "spj", **decision))) == ["s1", "s2"]
    assert problems(region) == []


def correction(**more: Any) -> dict[str, Any]:
    return {
        "organ": "spj", "number": "1", "on": "2026-03-01", "reason": "笔误", "authorised_by": "局长", **more,
    }  # fmt: skip


class TestCorrectionsThatReroute:
    """Domain notes §2.2, §4.10: on another day or of another matter, others had to hear of the decision."""

    def test_of_the_day(self, region: Region) -> None:
        supervisors = [{"department": "s2"}, {"department": "s3"}]
        region.accepted(
            "matter.route", "sgb", matter=MATTER, valid_from="2026-02-15", basis="调整", supervisors=supervisors
        )
        s1, s2 = region.granted()
        wrong = {"target": "decided_on", "old": "2026-02-10", "new": "2026-02-16"}
        events = region.accepted("case.correct", "spj", **correction(**wrong))
        assert told(owed(events)) == ["s2", "s3", "s1"]
        assert region.state(s1).moved
        assert region.state(s2).moved
        case = region.world.case("spj", "1")
        assert [one.department for one in case.holders] == ["s2", "s3"]
        assert case.told == ("s1", "s2", "s3")
        left = next(one for one in owed(events) if one.startswith("s1/"))
        region.refused("notice.not_returnable", "notice.return", "s1", notice=left, proposed="qu", reason="不归我")
        assert problems(region) == []

    def test_of_the_matter(self, region: Region) -> None:
        other = MATTER[:-1] + "5"
        entry = {"code": other, "name": "另一事项", "competent": "zjj", "legal_basis": "建筑法"}
        region.accepted("matter.register", "sgb", entry=entry)
        region.accepted(
            "matter.transfer", "sgb", matter=other, valid_from="2024-01-01", basis="划转", to="spj",
            supervisors=[{"department": "s3"}],
        )  # fmt: skip
        region.granted()
        wrong = {"target": "matter", "old": MATTER, "new": other}
        events = region.accepted("case.correct", "spj", **correction(**wrong))
        assert told(owed(events)) == ["s3", "s1", "s2"]
        assert region.world.case("spj", "1").matter == other
        assert problems(region) == []

    def test_only_to_a_matter_that_was_its_own(self, region: Region) -> None:
        region.granted()
        wrong = {"target": "matter", "old": MATTER, "new": OWN_MATTER}
        region.waits(f"matter/{OWN_MATTER}", "case.correct", "spj", **correction(**wrong))  # a transfer may come
        region.dead("new", "matter.length", "case.correct", "spj", **correction(**(wrong | {"new": "x"})))
        region.dead("old", "correction.old", "case.correct", "spj", **correction(**(wrong | {"old": OWN_MATTER})))

    def test_who_holds_it_by_a_return_goes_on(self, region: Region) -> None:
        region.accepted(
            "matter.route", "sgb", matter=MATTER, valid_from="2026-02-15", basis="调整",
            supervisors=[{"department": "s1"}],
        )  # fmt: skip
        _, s2 = region.granted()
        region.accepted("notice.return", "s2", notice=s2, proposed="s3", reason="不归我")
        wrong = {"target": "decided_on", "old": "2026-02-10", "new": "2026-02-16"}
        events = region.accepted("case.correct", "spj", **correction(**wrong))
        assert told(owed(events)) == ["s1", "s3"]
        assert problems(region) == []

    def test_who_became_its_supervisor_only_afterwards_hears_of_it_by_a_correction(self, region: Region) -> None:
        """The registers learnt late of a routing: it is that of both days, and the new supervisor was never told."""
        region.granted()
        route = {"matter": MATTER, "valid_from": "2026-02-01", "basis": "补登", "supervisors": [{"department": "s3"}]}
        region.accepted("matter.route", "sgb", **route)
        wrong = {"target": "decided_on", "old": "2026-02-10", "new": "2026-02-16"}
        events = region.accepted("case.correct", "spj", **correction(**wrong))
        assert told(owed(events)) == ["s1", "s2", "s3"]
        assert problems(region) == []

    def test_only_to_a_day_on_which_who_decided_held_the_power(self, region: Region) -> None:
        """Else it could be moved to before the transfer, of which nobody would have to hear."""
        region.granted()
        move = {"matter": MATTER, "valid_from": "2026-02-15", "basis": "划转"}
        region.accepted("matter.return", "sgb", **move)
        wrong = {"target": "decided_on", "old": "2026-02-10", "new": "2026-02-20"}
        later = {"organ": "spj", "number": "1", "on": "2026-03-01", "reason": "笔误", "authorised_by": "局长"}
        region.refused("power.none", "case.correct", "zjj", **later, **wrong)
        both = {"code": "spj2", "name": "二局", "roles": ["APPROVAL"], "region": "150100", "valid_from": "2020-01-01"}
        region.accepted("department.register", "sgb", entry=both)
        region.accepted("principal.register", "operator", principal="spj2", acts_for=["spj2"])
        region.accepted(
            "matter.transfer", "sgb", **(move | {"valid_from": "2026-02-25"}), to="spj2",
            supervisors=[{"department": "s3"}],
        )  # fmt: skip
        region.refused("power.none", "case.correct", "spj2", **later, **(wrong | {"new": "2026-02-26"}))
        assert told(owed(region.accepted("case.correct", "spj2", **later, **(wrong | {"new": "2026-02-12"})))) == [
            "s1", "s2",
        ]  # fmt: skip

    def test_a_ruling_that_follows_is_about_the_right_matter(self, region: Region) -> None:
        other = MATTER[:-1] + "5"
        entry = {"code": other, "name": "另一事项", "competent": "zjj", "legal_basis": "建筑法"}
        region.accepted("matter.register", "sgb", entry=entry)
        region.accepted(
            "matter.transfer", "sgb", matter=other, valid_from="2024-01-01", basis="划转", to="spj",
            supervisors=[{"department": "s2"}],
        )  # fmt: skip
        s1, _ = region.granted()
        [returned] = owed(region.accepted("notice.return", "s1", notice=s1, proposed="s3", reason="不归我"))
        [dispute] = owed(region.accepted("notice.return", "s3", notice=returned, proposed="s1", reason="不归我"))
        wrong = {"target": "matter", "old": MATTER, "new": other}
        region.accepted("case.correct", "spj", **correction(**wrong))
        ruling = {"notice": dispute, "assign_to": "s1", "reason": "职责在你"}
        [ruled] = owed(region.accepted("duty.rule", "sgb", **ruling))
        notice = region.state(ruled).owed
        assert notice is not None
        assert notice.matter == other


def test_a_successor_is_told_of_what_follows(region: Region) -> None:
    region.granted()
    succeed(region, "s1", "s3", "2026-02-20")
    assert told(owed(region.accepted("remedy.record", "fyj", **remedy("unlawful")))) == ["s3", "s2", "spj"]
    assert problems(region) == []
