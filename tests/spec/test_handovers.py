"""Handover (2.1): drawn up by who gave the power away, signed by both, and incomplete until then."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.handovers import HandoverState, matter_handovers
from tests.unit.spec import MATTER, OWN_MATTER, Region

NOTE = {"approval": ["受理、审查、决定"], "supervision": ["日常检查"]}
PACKAGE: dict[str, Any] = {
    "number": "J1",
    "taker": "spj",
    "matters": [MATTER],
    "items": [{"kind": "archive", "title": "2019 年档案", "copies": 1204}],
    "note": NOTE,
}
SIGN = {"giver": "zjj", "number": "J1"}


def state(region: Region, number: str = "J1") -> HandoverState:
    return region.world.handover("zjj", number)


def progress(region: Region, on: date = date(2026, 3, 1), *numbers: str) -> list[str]:
    states = [state(region, number) for number in numbers or ("J1",)]
    return [one.progress for one in matter_handovers(region.world.registers, states, on)]


@pytest.mark.clause("2.1a")
@pytest.mark.clause("2.1b")
@pytest.mark.clause("2.1c")
def test_a_package_is_complete_when_both_have_signed(region: Region) -> None:
    assert progress(region) == ["none"]
    region.accepted("handover.draw", "zjj", **PACKAGE)
    region.accepted("handover.sign", "spj", **SIGN)
    assert (state(region).signed, progress(region)) == ({"taker"}, ["drawn"])
    region.accepted("handover.sign", "zjj", **SIGN)
    assert (state(region).signed, progress(region)) == ({"giver", "taker"}, ["complete"])
    drawn = state(region).drawn
    assert drawn is not None
    assert drawn.items[0].copies == 1204
    assert drawn.note.supervision == ("日常检查",)
    assert progress(region, date(2023, 1, 1)) == []  # it was not transferred yet


@pytest.mark.clause("2.1c", refused=True)
def test_one_signature_completes_nothing_however_often_it_is_tried(region: Region) -> None:
    region.accepted("handover.draw", "zjj", **PACKAGE)
    region.accepted("handover.draw", "zjj", **(PACKAGE | {"number": "J2"}))
    region.accepted("handover.sign", "zjj", **SIGN)
    region.refused("handover.signed", "handover.sign", "zjj", **SIGN)
    region.accepted("handover.sign", "spj", **(SIGN | {"number": "J2"}))
    assert progress(region, date(2026, 3, 1), "J1", "J2") == ["drawn"]


@pytest.mark.clause("2.1a", refused=True)
def test_nobody_else_draws_or_signs(region: Region) -> None:
    region.refused("handover.not_transferred", "handover.draw", "s1", **PACKAGE)
    region.waits(f"matter/{OWN_MATTER}", "handover.draw", "zjj", **(PACKAGE | {"matters": [OWN_MATTER]}))
    region.refused("mandate.role", "handover.draw", "zjj", **(PACKAGE | {"taker": "s1"}))
    region.waits("handover/zjj/J1", "handover.sign", "spj", **SIGN)
    region.accepted("handover.draw", "zjj", **PACKAGE)
    region.refused("handover.not_party", "handover.sign", "s1", **SIGN)
    region.refused("handover.exists", "handover.draw", "zjj", **PACKAGE)


@pytest.mark.clause("2.1c", refused=True)
def test_a_package_is_of_its_transfer_alone(region: Region) -> None:
    region.accepted("handover.draw", "zjj", **PACKAGE)
    for department in ("zjj", "spj"):
        region.accepted("handover.sign", department, **SIGN)
    region.accepted("matter.return", "sgb", matter=MATTER, valid_from="2026-02-01", basis="收回")
    again = {"matter": MATTER, "valid_from": "2026-02-15", "basis": "再次划转", "to": "spj"}
    region.accepted("matter.transfer", "sgb", **again, supervisors=[{"department": "s1"}])
    assert progress(region, date(2026, 1, 31)) == ["complete"]
    assert progress(region) == ["none"]


@pytest.mark.clause("2.1b", refused=True)
def test_no_package_without_the_note_on_duties(region: Region) -> None:
    named = [{"kind": "archive", "title": "张三 11010519491231002X", "copies": 1}]
    for wrong in (
        {"items": named},
        {"note": None},
        {"note": {**NOTE, "supervision": []}},
        {"items": []},
        {"matters": [MATTER] * 2},
    ):
        with pytest.raises(ValidationError):
            region.submit("handover.draw", "zjj", **(PACKAGE | wrong))
