"""Liaison officers 联络员 by date: whom to ring up in a department, and which departments have nobody (2.2g).

A notice is owed to the department, never to its liaison officer: this is a contact, with deputies who stand in.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from domain.departments import LiaisonRegistered, Role
from domain.registers import Registers

Contact = Literal["liaison", "deputy_acting", "none"]
"""Who answers for a department: its liaison officer, a deputy because it has none, or nobody."""
NOTIFIED: frozenset[Role] = frozenset({"APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY", "REFORM_OFFICE"})
"""Notices are owed to these."""


def liaisons_on(registers: Registers, department: str, on: date) -> list[LiaisonRegistered]:
    """Who is active on that date: liaison officers, then deputies."""
    found = []
    for versions in registers.liaisons.get(department, {}).values():
        current = next((event for since, _, event in reversed(versions) if since <= on), None)
        if current is not None and current.active:
            found.append(current)
    return sorted(found, key=lambda one: (one.deputy, one.number))


def contact(registers: Registers, department: str, on: date) -> Contact:
    found = liaisons_on(registers, department, on)
    if not found:
        return "none"
    return "deputy_acting" if found[0].deputy else "liaison"


def to_be_reached(registers: Registers, on: date) -> list[str]:
    """The departments that must have a liaison officer on that date."""
    return sorted(
        code
        for code, entry in registers.departments.items()
        if NOTIFIED & set(entry.roles) and entry.valid_from <= on and not registers.ceased(code, on)
    )
