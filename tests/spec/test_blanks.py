"""Blanks (2.5): asked for or printed, and every number used up once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.spec import Region

SERIES = {"series": "JY"}
REQUEST: dict[str, Any] = {**SERIES, "certificate": "食品经营许可证", "copies": 10, "to": "qu"}
PRINT: dict[str, Any] = {**SERIES, "certificate": "食品经营许可证", "first": 1, "copies": 10}


def use(serial: int, fate: str = "spoiled", **more: str) -> dict[str, Any]:
    return {**SERIES, "serial_number": serial, "fate": fate, **more}


@pytest.mark.clause("2.5a")
def test_blanks_are_asked_for_assisted_and_received(region: Region) -> None:
    region.waits("blanks/spj/JY", "blanks.receive", "spj", **SERIES, first=101, copies=8)
    region.accepted("blanks.request", "spj", **REQUEST)
    state = region.world.blanks("spj", "JY")
    assert (state.left, state.due, state.certificate) == (8, 2, "食品经营许可证")
    region.accepted("blanks.assist", "zjj", requester="spj", **SERIES)
    region.accepted("blanks.receive", "spj", **SERIES, first=201, copies=2)
    assert region.world.blanks("spj", "JY").due == 0
    region.refused("blanks.not_requested", "blanks.receive", "spj", **SERIES, first=301, copies=2)


@pytest.mark.clause("2.5a", refused=True)
def test_who_asks_for_blanks_is_an_approver_and_asks_once(region: Region) -> None:
    region.refused("mandate.role", "blanks.request", "s1", **REQUEST)
    region.refused("mandate.role", "blanks.request", "spj", **(REQUEST | {"to": "s1"}))
    region.waits("blanks/spj/JY", "blanks.assist", "zjj", requester="spj", **SERIES)
    region.accepted("blanks.request", "spj", **REQUEST)
    region.refused("blanks.requested", "blanks.request", "spj", **REQUEST)
    region.refused("mandate.role", "blanks.assist", "qu", requester="spj", **SERIES)
    region.refused("blanks.not_requested", "blanks.assist", "zjj", requester="spj", **SERIES)  # what waited was first


@pytest.mark.clause("2.5b")
def test_a_department_prints_its_own(region: Region) -> None:
    region.accepted("blanks.print", "spj", **PRINT)
    region.accepted("blanks.print", "spj", **(PRINT | {"first": 11}))
    assert region.world.blanks("spj", "JY").left == 20


@pytest.mark.clause("2.5b", refused=True)
def test_no_number_is_printed_twice(region: Region) -> None:
    region.refused("mandate.role", "blanks.print", "s1", **PRINT)
    region.accepted("blanks.print", "spj", **PRINT)
    for first in (1, 10, 0):
        region.refused("blanks.twice", "blanks.print", "spj", **(PRINT | {"first": first}))
    region.accepted("blanks.request", "spj", **REQUEST)
    region.refused("blanks.twice", "blanks.receive", "spj", **SERIES, first=5, copies=1)


@pytest.mark.clause("2.5c")
def test_every_number_meets_one_fate(region: Region) -> None:
    region.accepted("blanks.print", "spj", **PRINT)
    region.waits("case/spj/1", "blanks.use", "spj", **use(1, "issued", number="1"))
    region.granted()
    region.accepted("blanks.use", "spj", **use(1, "issued", number="1"))
    region.accepted("blanks.use", "spj", **use(10, "spoiled"))
    region.accepted("blanks.use", "spj", **use(2, "voided"))
    state = region.world.blanks("spj", "JY")
    assert (state.issued, state.spoiled, state.voided, state.left) == (1, 1, 1, 7)


@pytest.mark.clause("2.5c", refused=True)
@given(st.lists(st.integers(0, 12), max_size=30))
def test_a_number_is_used_once_and_only_if_it_is_there(serials: list[int]) -> None:
    region = Region()
    region.accepted("blanks.print", "spj", **PRINT)
    used: set[int] = set()
    for serial in serials:
        if not 1 <= serial <= 10:
            region.refused("blanks.unknown", "blanks.use", "spj", **use(serial))
        elif serial in used:
            region.refused("blanks.used", "blanks.use", "spj", **use(serial, "voided"))
        else:
            region.accepted("blanks.use", "spj", **use(serial))
        used.add(serial)
    region.waits("blanks/s1/JY", "blanks.use", "s1", **use(1))  # another's series is none of its own


@pytest.mark.clause("2.5c", refused=True)
def test_a_number_is_issued_in_a_granted_case_only(region: Region) -> None:
    region.accepted("blanks.print", "spj", **PRINT)
    region.accept()
    region.refused("case.state", "blanks.use", "spj", **use(1, "issued", number="1"))
    for wrong in (use(1, "issued"), use(1, "spoiled", number="1")):
        with pytest.raises(ValidationError):
            region.submit("blanks.use", "spj", **wrong)
