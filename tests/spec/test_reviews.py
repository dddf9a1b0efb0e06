"""Superior review (4.2): straight up, straight down, never forwarded; and access granted from above."""

from __future__ import annotations

from typing import Any

import pytest

from domain.attempts import AttemptRefused
from domain.notices import NoticeOwed
from tests.unit.spec import MATTER, Region, owed

REVIEW: dict[str, Any] = {"review_number": "BS1", "to": "qu", "content": "报请审查"}
RESULT = {"submitter": "spj", "review_number": "BS1", "result": "agreed", "opinion": "同意"}
ACCESS = {"kind": "system_access", "system": "spsc", "name": "生产许可系统", "granted_by": "qu", "granted_to": "spj"}
SINCE = {"valid_from": "2026-03-01", "basis": "函"}


@pytest.fixture
def region(region: Region) -> Region:
    region.accept()
    return region


@pytest.mark.clause("4.2a")
def test_a_review_goes_straight_up_and_its_result_straight_down(region: Region) -> None:
    [up] = owed(region.accepted("review.submit", "spj", **region.case(), **REVIEW))
    [down] = owed(region.accepted("review.return", "qu", **RESULT))
    notices = [region.state(one).owed for one in (up, down)]
    assert all(isinstance(one, NoticeOwed) for one in notices)
    assert [(one.addressee, one.about, one.case) for one in notices if one] == [
        ("qu", "review", "case/spj/1"),
        ("spj", "review_result", "case/spj/1"),
    ]


@pytest.mark.clause("4.2a", refused=True)
def test_only_who_decides_submits_and_only_upwards(region: Region) -> None:
    region.refused("power.transferred", "review.submit", "zjj", **region.case(), **REVIEW)
    region.refused("mandate.role", "review.submit", "spj", **region.case(), **(REVIEW | {"to": "s1"}))
    elsewhere = {"code": "bt", "name": "包头", "roles": ["HIGHER_AUTHORITY"], "region": "150200"}
    region.accepted("department.register", "sgb", entry=elsewhere | {"valid_from": "2020-01-01"})
    region.refused("review.not_above", "review.submit", "spj", **region.case(), **(REVIEW | {"to": "bt"}))
    same = {"code": "tong", "name": "同级", "roles": ["HIGHER_AUTHORITY"], "region": "150100"}
    region.accepted("department.register", "sgb", entry=same | {"valid_from": "2020-01-01"})
    region.refused("review.not_above", "review.submit", "spj", **region.case(), **(REVIEW | {"to": "tong"}))
    both = {"code": "zjj", "name": "住建", "roles": ["SUPERVISION", "HIGHER_AUTHORITY"], "region": "150000"}
    region.accepted("department.register", "sgb", entry=both | {"valid_from": "2020-01-01"})
    region.refused("review.forwarded", "review.submit", "spj", **region.case(), **(REVIEW | {"to": "zjj"}))
    region.waits("review/spj/BS9", "review.return", "qu", **(RESULT | {"review_number": "BS9"}))
    region.accepted("review.submit", "spj", **region.case(), **REVIEW)
    region.refused("review.exists", "review.submit", "spj", **region.case(), **REVIEW)
    region.refused("mandate.role", "review.return", "s1", **RESULT)
    region.accepted("review.return", "qu", **RESULT)
    region.refused("review.returned", "review.return", "qu", **RESULT)
    region.accepted("case.decide", "spj", **region.decision())
    late = REVIEW | {"review_number": "BS2"}
    region.refused("case.state", "review.submit", "spj", **region.case(), **late)


def test_the_result_is_that_of_whoever_has_the_duties_and_the_role_now(region: Region) -> None:
    region.accepted("review.submit", "spj", **region.case(), **REVIEW)
    higher = {
        "code": "ting",
        "name": "厅",
        "roles": ["HIGHER_AUTHORITY"],
        "region": "150000",
        "valid_from": "2020-01-01",
    }
    region.accepted("department.register", "sgb", entry=higher)
    region.accepted("principal.register", "operator", principal="ting", acts_for=["ting"])
    region.refused("mandate.role", "review.return", "ting", **RESULT)
    matters = {"matters": [MATTER], "valid_from": "2026-03-01", "basis": "机构改革方案"}
    region.accepted("department.succeed", "sgb", old="qu", to="ting", **matters)
    region.refused("mandate.role", "review.return", "qu", **RESULT)
    region.accepted("department.register", "sgb", entry=higher | {"roles": ["SUPERVISION"]})
    region.refused("mandate.role", "review.return", "ting", **RESULT)
    region.accepted("department.register", "sgb", entry=higher)
    [down] = owed(region.accepted("review.return", "ting", **RESULT))
    assert down.startswith("spj/")


@pytest.mark.clause("4.2b")
@pytest.mark.clause("4.2b", refused=True)
@pytest.mark.parametrize("department", ["spj", "zjj", "s1"])
def test_forwarding_is_refused_and_on_record_whoever_tries(region: Region, department: str) -> None:
    before = region.world.case("spj", "1")
    outcome = region.submit("review.forward", department, **region.case(), through="zjj")
    [attempt] = outcome.events
    assert isinstance(attempt, AttemptRefused)
    assert (outcome.rule, attempt.clause, attempt.about) == ("review.forwarded", "4.2b", "case/spj/1")
    assert attempt.meta.department == department
    assert region.world.case("spj", "1") == before


@pytest.mark.clause("4.2c")
def test_access_to_a_system_above_is_on_record(region: Region) -> None:
    region.accepted("register.enter", "qu", entry=ACCESS, **SINCE)
    region.accepted("register.strike", "qu", kind="system_access", key="spj.spsc", valid_from="2027-01-01", basis="函")


@pytest.mark.clause("4.2c", refused=True)
def test_nobody_grants_himself_access(region: Region) -> None:
    region.refused("mandate.role", "register.enter", "spj", entry=ACCESS, **SINCE)
    region.refused("mandate.role", "register.enter", "sgb", entry=ACCESS, **SINCE)
    region.refused("mandate.role", "register.enter", "qu", entry=ACCESS | {"granted_by": "spj"}, **SINCE)
    elsewhere = {"code": "bt", "name": "厅", "roles": ["HIGHER_AUTHORITY"], "region": "150000"}
    region.accepted("department.register", "sgb", entry=elsewhere | {"valid_from": "2020-01-01"})
    region.accepted("principal.register", "operator", principal="bt", acts_for=["bt"])
    guide = {"kind": "proposal", "matter": "11150100000000001F3000112002000", "batch": "1"}
    region.refused("mandate.role", "register.enter", "qu", entry=guide, **SINCE)
    region.accepted("register.enter", "qu", entry=ACCESS, **SINCE)
    struck = {"kind": "system_access", "key": "spj.spsc", "valid_from": "2026-03-02", "basis": "函"}
    region.refused("mandate.role", "register.strike", "sgb", **struck)
    region.refused("mandate.role", "register.enter", "bt", entry=ACCESS | {"granted_by": "bt"}, **SINCE)
    region.refused("mandate.role", "register.strike", "bt", **struck)
    region.accepted("register.enter", "bt", entry=ACCESS | {"granted_by": "bt", "granted_to": "s1"}, **SINCE)
