"""Liaison officers 联络员: who answers for a department, on a day and as known then (2.2g)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.departments import LiaisonRegistered
from domain.liaisons import contact, liaisons_on, to_be_reached
from domain.personal import Sealed
from domain.registers import Registers
from tests.unit.spec import Region

TODAY = date(2026, 3, 2)


def officer(number: str, name: str = "苏和", **more: Any) -> dict[str, Any]:
    return {"number": number, "person": {"name": name, "phone": "0471-0000021"}} | more


def numbers(region: Region, on: date = TODAY, department: str = "s1") -> list[str]:
    return [one.number for one in liaisons_on(region.world.registers, department, on)]


@pytest.mark.clause("2.2g")
def test_a_department_names_its_liaison_officer_and_deputies(region: Region) -> None:
    assert contact(region.world.registers, "s1", TODAY) == "none"
    region.accepted("liaison.register", "s1", **officer("02", "其木格", deputy=True))
    assert contact(region.world.registers, "s1", TODAY) == "deputy_acting"
    [event] = region.accepted("liaison.register", "s1", **officer("03"))
    assert isinstance(event, LiaisonRegistered)
    assert isinstance(event.person.name, Sealed)
    assert isinstance(event.person.phone, Sealed)
    assert contact(region.world.registers, "s1", TODAY) == "liaison"
    assert numbers(region) == ["03", "02"]
    assert contact(region.world.registers, "s2", TODAY) == "none"


@pytest.mark.clause("2.2g")
def test_who_it_was_on_a_day_and_as_known_then(region: Region) -> None:
    region.accepted("liaison.register", "s1", **officer("01", valid_from="2026-01-01"))
    known = Registers()
    for event in region.events:
        known.evolve(event)
    region.accepted("liaison.register", "s1", **officer("01", active=False, valid_from="2026-02-01"))
    region.accepted("liaison.register", "s1", **officer("02", "其木格", valid_from="2026-04-01"))
    assert numbers(region, date(2025, 12, 31)) == []
    assert numbers(region, date(2026, 1, 31)) == ["01"]
    assert numbers(region, TODAY) == []
    assert numbers(region, date(2026, 4, 1)) == ["02"]
    assert [one.number for one in liaisons_on(known, "s1", TODAY)] == ["01"]


@pytest.mark.clause("2.2g")
def test_a_department_that_nobody_answers_for_shows_for_as_long_as_there_is_one(region: Region) -> None:
    def wanting() -> list[str]:
        registers = region.world.registers
        return [one for one in to_be_reached(registers, TODAY) if contact(registers, one, TODAY) == "none"]

    assert wanting() == ["qu", "s1", "s2", "s3", "sgb", "spj", "zjj"]  # neither inspectors nor the platform
    region.accepted("liaison.register", "s1", **officer("01"))
    region.accepted("department.succeed", "sgb", old="s3", to="s1", valid_from="2026-03-01", basis="合并")
    assert wanting() == ["qu", "s2", "sgb", "spj", "zjj"]


@pytest.mark.clause("2.2g", refused=True)
def test_nobody_names_another_departments_liaison_officer(region: Region) -> None:
    region.refused("mandate.principal", "liaison.register", "s1", by="spj", **officer("01"))
    region.refused("mandate.principal", "liaison.register", "s1", by="sgb", **officer("01"))
    assert numbers(region) == []
