"""Succession of departments: duties, power and open notices go to the successor, history keeps the old names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from domain import system
from domain.event import Recorded
from domain.recheck import Recheck
from tests.unit.spec import MATTER, NOW, OWN_MATTER, Region, owed

LAST_YEAR, THIS_YEAR = date(2025, 6, 1), date(2026, 2, 20)


def succeed(region: Region, old: str = "s1", to: str = "s3", since: str = "2026-03-01", **more: Any) -> None:
    region.accepted("department.succeed", "sgb", old=old, to=to, valid_from=since, basis="机构改革方案", **more)


def pass_on(region: Region, notice: str) -> list[str]:
    return owed(region.record(lambda world: system.notice_passed(world, notice, NOW)))


def problems(region: Region) -> list[str]:
    """What `verify` says of the log so far."""
    return rechecked(region.recorded)


def rechecked(log: Iterable[Recorded]) -> list[str]:
    """What `verify` says of these events."""
    check, found = Recheck(), []
    for recorded in log:
        found += [f"{one.check}: {one.en}" for one in check.take(recorded)]
    return found + [one.en for one in check.finish()]


def test_the_duties_go_to_the_successor_from_the_date_on(region: Region) -> None:
    succeed(region)
    registers = region.world.registers
    assert [one.department for one in registers.supervisors(MATTER, date(2026, 2, 28))] == ["s1", "s2"]
    assert [one.department for one in registers.supervisors(MATTER, date(2026, 3, 1))] == ["s3", "s2"]
    # A decision of before, told of after: by the name of who is there to be told.
    assert [one.split("/")[0] for one in region.granted()] == ["s3", "s2"]
    assert problems(region) == []


def test_two_that_merge_are_told_once(region: Region) -> None:
    succeed(region, "s1", "s3")
    succeed(region, "s2", "s3")
    assert [one.split("/")[0] for one in region.granted()] == ["s3"]


def test_a_split_goes_by_matters(region: Region) -> None:
    succeed(region, "s1", "s3", matters=[OWN_MATTER])
    assert region.world.registers.acting("s1", THIS_YEAR.replace(month=3), MATTER) == "s1"
    assert not region.world.registers.ceased("s1", NOW.date())
    succeed(region, "s1", "s2")
    acting = region.world.registers.acting
    assert [acting("s1", NOW.date(), one) for one in (OWN_MATTER, MATTER)] == ["s3", "s2"]
    assert region.world.registers.ceased("s1", NOW.date())


def test_the_power_goes_too(region: Region) -> None:
    entry = {"code": "spj2", "name": "新审批局", "roles": ["APPROVAL"], "region": "150100", "valid_from": "2026-01-01"}
    region.accepted("department.register", "sgb", entry=entry)
    region.accepted("principal.register", "operator", principal="spj2", acts_for=["spj2"])
    region.accept("1")
    succeed(region, "spj", "spj2", "2026-02-05")
    region.refused("department.ceased", "case.decide", "spj", **region.decision())
    [decided, *_] = region.accepted("case.decide", "spj2", **region.decision())
    assert decided.meta.department == "spj2"
    assert region.world.registers.holder(MATTER, LAST_YEAR) == "spj"
    assert problems(region) == []


@pytest.mark.clause("2.2d")
def test_open_notices_pass_to_the_successor(region: Region) -> None:
    s1, s2 = region.granted()
    region.accepted("notice.receive", "s2", notice=s2, received_at=NOW.isoformat())
    succeed(region)
    [passed] = pass_on(region, s1)
    assert pass_on(region, s1) == []  # twice
    assert pass_on(region, s2) == []  # not theirs
    assert region.state(s1).moved
    state = region.state(passed)
    assert state.owed is not None
    assert (state.owed.addressee, state.owed.about, state.owed.origin, state.owed.root) == (
        "s3", "succession", s1, "decision",
    )  # fmt: skip
    region.accepted("notice.receive", "s3", notice=passed, received_at=NOW.isoformat())
    case = region.world.case("spj", "1")
    assert [(one.department, one.notice) for one in case.holders] == [("s2", s2), ("s3", passed)]
    change = {"document_number": "变1", "on": "2026-03-01", "content": "变更"}
    told = owed(region.accepted("case.change", "spj", **region.case(**change)))
    assert [one.split("/")[0] for one in told] == ["s3", "s2"]
    assert problems(region) == []


@pytest.mark.clause("2.2d", refused=True)
def test_who_has_ceased_speaks_no_longer(region: Region) -> None:
    s1, _ = region.granted()
    succeed(region)
    region.refused("department.ceased", "notice.receive", "s1", notice=s1, received_at=NOW.isoformat())


def test_a_received_notice_passes_while_its_permit_is_in_force(region: Region) -> None:
    [first, _], [second, _] = region.granted("1"), region.granted("2")
    for notice in (first, second):
        region.accepted("notice.receive", "s1", notice=notice, received_at=NOW.isoformat())
    end = {"document_number": "注1", "on": "2026-02-20", "reason": "申请注销"}
    [told, *_] = owed(region.accepted("case.cancel", "spj", **region.case("2", **end)))
    succeed(region)
    assert len(pass_on(region, first)) == 1
    assert pass_on(region, second) == []
    assert len(pass_on(region, told)) == 1  # not received yet, whatever it is about


def test_of_two_that_merge_the_successor_holds_one_notice(region: Region) -> None:
    s1, s2 = region.granted()
    succeed(region, "s1", "s2")
    change = {"document_number": "变1", "on": "2026-02-20", "content": "变更"}
    region.accepted("case.change", "spj", **region.case(**change))
    assert pass_on(region, s1) == []  # it was told already
    assert region.state(s1).moved
    assert [one.notice for one in region.world.case("spj", "1").holders] == [s2]
    assert not region.state(s2).moved
    correction = {
        "target": "document_number", "old": "呼1号", "new": "呼2号", "on": "2026-03-01", "reason": "笔误",
        "authorised_by": "局长",
    }  # fmt: skip
    assert len(owed(region.accepted("case.correct", "spj", **region.case(**correction)))) == 1
    assert problems(region) == []


@pytest.mark.parametrize(
    ("rule", "old", "to"),
    [("succession.circle", "s1", "s1"), ("succession.roles", "s1", "qu"), ("succession.circle", "s3", "s2")],
)
def test_it_leads_to_another_of_the_same_kind(region: Region, rule: str, old: str, to: str) -> None:
    succeed(region, "s2", "s3", "2030-01-01")
    region.refused(rule, "department.succeed", "sgb", old=old, to=to, valid_from="2026-03-01", basis="方案")
    region.refused("mandate.role", "department.succeed", "s1", old="s1", to="s3", valid_from="2026-03-01", basis="方案")
    region.refused("department.ceased", "department.succeed", "sgb", old="s1", to="s2", valid_from="2030-01-01",
                   basis="方案")  # fmt: skip


def test_how_far_it_came_is_recorded_once(region: Region) -> None:
    [s1, _] = region.granted()
    succeed(region)
    pass_on(region, s1)
    for through in (1, 1, 2):
        region.record(lambda world: system.succession_advanced(world, "s1", "succession/s1/1", through, NOW))  # noqa: B023
    found = [event for event in region.events if event.TOPIC == "succession.advanced"]
    assert [event.through for event in found] == [1, 2]  # type: ignore[attr-defined]
    assert problems(region) == []
