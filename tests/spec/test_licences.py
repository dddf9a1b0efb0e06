"""Licences on a date (2.8): where they stand, and who answers for their supervision."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.event import Recorded
from domain.licences import accountable, licence_status, supervision_basis, true_at
from tests.spec.test_entries import SUPERVISION, enter
from tests.spec.test_penalties import correction, lifting, penalty, remedy
from tests.spec.test_succession import pass_on, succeed
from tests.unit.spec import MATTER, OWN_MATTER, Region

DAY = date(2026, 3, 1)


@pytest.fixture
def region(region: Region) -> Region:
    entry = {"code": "fyj", "name": "司法局", "roles": ["REVIEW_ORGAN"], "region": "150100", "valid_from": "2020-01-01"}
    region.accepted("department.register", "sgb", entry=entry)
    region.accepted("principal.register", "operator", principal="fyj", acts_for=["fyj"])
    return region


def status(region: Region, *days: str) -> list[str | None]:
    case = region.world.case("spj", "1")
    return [licence_status(case, date.fromisoformat(day)) for day in days]


def test_it_is_valid_between_its_dates(region: Region) -> None:
    region.accept()
    region.accepted("case.decide", "spj", **region.decision(valid_from="2026-02-20", valid_to="2026-12-31"))
    assert status(region, "2026-02-09", "2026-02-10", "2026-02-20", "2026-12-31", "2027-01-01") == [
        None, "not_yet", "in_force", "in_force", "expired",
    ]  # fmt: skip
    region.accept("2")
    refused = {"outcome": "not_granted", "valid_from": None, "valid_to": None}
    region.accepted("case.decide", "spj", **region.decision("2", **refused))
    assert licence_status(region.world.case("spj", "2"), DAY) is None


def test_penalties_and_remedies_by_date(region: Region) -> None:
    region.granted()
    region.accepted("penalty.impose", "s1", **penalty(until="2026-02-28", on="2026-02-15"))
    region.accepted("penalty.lift", "s1", **lifting("2026-02-18"))
    region.accepted("remedy.record", "fyj", **remedy("stop_execution", "2026-02-20"))
    region.accepted("remedy.record", "fyj", **remedy("upheld", "2026-02-22"))
    region.accepted("penalty.impose", "s1", **penalty(penalty="2", measure="revocation", on="2026-02-25"))
    end = {"document_number": "注1", "on": "2026-02-27", "reason": "已吊销"}
    region.accepted("case.cancel", "spj", **region.case(**end))
    assert status(
        region, "2026-02-14", "2026-02-15", "2026-02-18", "2026-02-21", "2026-02-22", "2026-02-26", "2026-02-27"
    ) == ["in_force", "suspended", "in_force", "stopped", "in_force", "penalised", "cancelled"]


def told(region: Region, number: str = "1", on: date = DAY) -> tuple[str, ...]:
    return accountable(region.world.case("spj", number), region.world.registers, on)


@pytest.mark.clause("2.8a")
def test_a_licence_has_a_supervisor_with_its_basis(region: Region) -> None:
    region.granted()
    assert told(region) == ("s1", "s2")
    basis = supervision_basis
    assert basis(region.world.registers, MATTER, "s1", DAY) == "划转通知"
    enter(region, SUPERVISION | {"legal_basis": "建筑法第四十三条"})
    assert basis(region.world.registers, MATTER, "s1", DAY) == "建筑法第四十三条"
    region.accept("2", OWN_MATTER, "zjj")
    region.accepted("case.decide", "zjj", **(region.decision("2") | {"organ": "zjj"}))
    own = region.world.case("zjj", "2")
    assert accountable(own, region.world.registers, DAY) == ("zjj",)
    assert basis(region.world.registers, OWN_MATTER, "zjj", DAY) == "建筑法第七条"


@pytest.mark.clause("2.8a", refused=True)
def test_the_approver_is_never_its_supervisor(region: Region) -> None:
    region.granted()
    supervisors = [{"department": "spj"}]
    region.refused(
        "mandate.role", "matter.route", "sgb", matter=MATTER, valid_from="2026-02-01", basis="调整",
        supervisors=supervisors,
    )  # fmt: skip
    assert "spj" not in told(region)


def test_stock_is_whoevers_the_matter_is_now(region: Region) -> None:
    region.world.registers.founded_on = date(2026, 2, 15)
    region.accept()
    region.accepted("case.decide", "spj", **region.decision(basis="legacy"))
    assert told(region) == ("s1", "s2")
    supervisors = [{"department": "s3"}]
    region.accepted("matter.route", "sgb", matter=MATTER, valid_from="2026-03-01", basis="二", supervisors=supervisors)
    assert told(region) == ("s3",)
    assert told(region, on=date(2026, 2, 28)) == ("s1", "s2")


@pytest.mark.clause("2.8b")
def test_nobody_answers_while_its_only_holder_disputes_or_has_ceased(region: Region) -> None:
    supervisors: list[dict[str, Any]] = [{"department": "s1"}]
    region.accepted("matter.route", "sgb", matter=MATTER, valid_from="2026-01-01", basis="二", supervisors=supervisors)
    [s1] = region.granted()
    [reassigned] = [
        e.notice for e in region.accepted("notice.return", "s1", notice=s1, proposed="s2", reason="不归我")
        if e.TOPIC == "notice.owed"
    ]  # type: ignore[attr-defined]  # fmt: skip
    assert told(region) == ("s2",)
    region.accepted("notice.return", "s2", notice=reassigned, proposed="s1", reason="也不归我")
    assert told(region) == ()
    dispute = region.world.case("spj", "1").holders[0].notice
    region.accepted("duty.rule", "sgb", notice=dispute, assign_to="s1", reason="归你")
    assert told(region) == ("s1",)
    succeed(region, "s1", "s3")
    assert told(region) == ()
    pass_on(region, region.world.case("spj", "1").holders[0].notice)
    assert told(region) == ("s3",)


@pytest.mark.clause("2.8b", refused=True)
def test_no_transfer_is_without_a_supervisor(region: Region) -> None:
    with pytest.raises(ValueError, match="supervisors"):
        region.submit(
            "matter.transfer", "sgb", matter=OWN_MATTER, valid_from="2026-01-01", basis="划转", to="spj",
            supervisors=[],
        )  # fmt: skip


def test_what_was_true_by_a_day(region: Region) -> None:
    region.granted()
    region.accepted("case.extend", "spj", **region.case(document_number="延1", on="2026-02-20", valid_to="2036-01-01"))
    region.accepted("case.correct", "spj", **correction(target="decided_on", old="2026-02-10", new="2026-02-12"))
    at = datetime(2026, 3, 2, tzinfo=UTC)
    events = [
        Recorded(n, at + timedelta(seconds=n), event)
        for n, event in enumerate(region.events)
        if event.originator_id == "case/spj/1"
    ]
    kinds = {
        day: [one.event.TOPIC for one in true_at(events, date.fromisoformat(day))]
        for day in ("2026-01-31", "2026-02-11", "2026-02-12", "2026-02-20")
    }
    assert kinds == {
        "2026-01-31": [],
        "2026-02-11": ["case.accepted"],
        "2026-02-12": ["case.accepted", "case.decided", "case.corrected"],
        "2026-02-20": ["case.accepted", "case.decided", "case.extended", "case.corrected"],
    }
