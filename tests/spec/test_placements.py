"""Where matters are handled (3.2): in pilots those that stay put, elsewhere all; decisions outside windows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.placements import Placed, placed
from tests.spec.test_entries import enter, refused
from tests.unit.spec import MATTER, OWN_MATTER, Region

DAY = date(2026, 3, 1)
PLACED: dict[str, Any] = {
    "kind": "placement", "matter": OWN_MATTER, "organ": "zjj", "section": "审批科", "in_hall": True,
    "windows": ["A1", "A2"], "online": True, "monitored": True,
}  # fmt: skip


def county(region: Region) -> str:
    """A matter of a county that has no approval department."""
    code = OWN_MATTER[:-1] + "9"
    entry = {"code": "xzjj", "name": "县住建局", "roles": ["SUPERVISION"], "region": "150121"}
    region.accepted("department.register", "sgb", entry=entry | {"valid_from": "2020-01-01"})
    matter = {"code": code, "name": "施工许可", "competent": "xzjj", "legal_basis": "建筑法"}
    region.accepted("matter.register", "sgb", entry=matter)
    return code


def found(region: Region, matter: str, on: date = DAY) -> Placed:
    return next(one for one in placed(region.world.registers, on) if one.matter == matter)


@pytest.mark.clause("3.2a")
def test_what_stays_put_is_on_record_and_what_is_wanting_shows(region: Region) -> None:
    assert [one.matter for one in placed(region.world.registers, DAY)] == [OWN_MATTER]  # the other was transferred
    assert found(region, OWN_MATTER).wanting == ("placement",)
    enter(region, PLACED | {"windows": [], "in_hall": False, "online": False, "monitored": False}, "2026-01-01")
    assert found(region, OWN_MATTER).wanting == ("online", "monitored")  # in a pilot region it may stay out
    enter(region, PLACED | {"windows": []}, "2026-02-01")
    assert found(region, OWN_MATTER).wanting == ("window",)
    enter(region, PLACED, "2026-02-15")
    assert found(region, OWN_MATTER) == Placed(OWN_MATTER, "zjj", True, found(region, OWN_MATTER).found, ())
    assert found(region, OWN_MATTER, date(2026, 1, 15)).wanting == ("online", "monitored")


@pytest.mark.clause("3.2a", refused=True)
def test_it_is_the_holders_and_the_reform_office_writes_it(region: Region) -> None:
    refused(region, "list.not_holder", PLACED | {"organ": "s1"})
    refused(region, "list.not_holder", PLACED | {"matter": MATTER})  # transferred: no longer handled there
    refused(region, "mandate.role", PLACED, by="zjj")


@pytest.mark.clause("3.2b")
def test_without_an_approval_department_every_matter_counts(region: Region) -> None:
    code = county(region)
    assert (found(region, code).pilot, found(region, code).wanting) == (False, ("placement",))
    enter(region, PLACED | {"matter": code, "organ": "xzjj", "monitored": False})
    assert found(region, code).wanting == ("monitored",)


@pytest.mark.clause("3.2b", refused=True)
def test_there_nothing_stays_out_of_the_hall(region: Region) -> None:
    code = county(region)
    refused(region, "placement.hall", PLACED | {"matter": code, "organ": "xzjj", "in_hall": False, "windows": []})


@pytest.mark.clause("3.2c")
@pytest.mark.parametrize(("window", "flagged"), [("A1", False), ("B7", True), (None, True)])
def test_a_decision_outside_the_window_is_flagged(region: Region, window: str | None, flagged: bool) -> None:
    enter(region, PLACED, "2026-01-01")
    decided = decide(region, window)
    assert (decided.window, decided.outside_window) == (window, flagged)


@pytest.mark.clause("3.2c", refused=True)
def test_no_department_authorises_a_window_of_its_own(region: Region) -> None:
    enter(region, PLACED, "2026-01-01")
    refused(region, "mandate.role", PLACED | {"windows": ["B7"]}, by="zjj")
    assert decide(region, "B7").outside_window


def test_where_no_window_is_on_record_nothing_is_flagged(region: Region) -> None:
    assert not decide(region, "B7").outside_window


def decide(region: Region, window: str | None) -> Any:
    case = {"organ": "zjj", "number": "1"}
    region.accept("1", OWN_MATTER, "zjj")
    return region.accepted("case.decide", "zjj", **(region.decision(window=window) | case))[0]
