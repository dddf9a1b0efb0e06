"""Guides 办事指南: what a matter asks of an applicant, by date, and like matters that are handled unlike (3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from domain.clocks import Due, reckon
from domain.entries import Entry
from domain.fields import MatterCode
from domain.identifiers import parse_matter_code
from domain.submissions import Title

if TYPE_CHECKING:
    from domain.registers import Registers, Version

Lines = Annotated[tuple[Title, ...], Field(min_length=1, max_length=100)]


class Guide(Entry):
    """A matter's guide: elements 要素 an applicant brings, steps 环节, and the promised time in working days."""

    kind: Literal["guide"] = "guide"
    matter: MatterCode
    elements: Lines
    steps: Lines
    promised_days: Annotated[int, Field(ge=1, le=365)]

    def key(self) -> str:
        return self.matter


def promised(registers: Registers, matter: str, accepted_on: date) -> Due | None:
    """Until when a case accepted that day is to be decided; None where no guide promises anything."""
    version = registers.version("guide", matter, accepted_on)
    return None if version is None else _promise(registers, matter, version, accepted_on)


def promised_anew(registers: Registers, due: Due) -> Due:
    """What the same version of the guide promises by the calendar of now, which may reach further."""
    _, matter, number = due.limit.split("/")
    [version] = (one for one in registers.entries["guide"][matter] if str(one.number) == number)
    return _promise(registers, matter, version, due.since) or due


def _promise(registers: Registers, matter: str, version: Version, accepted_on: date) -> Due | None:
    if not isinstance(version.entry, Guide):
        return None
    days, rule = version.entry.promised_days, f"guide/{matter}/{version.number}"
    return reckon(registers.calendar, accepted_on, days, 1, rule, version.basis)


class Unlike(NamedTuple):
    """Matters of one base code 基本编码, whoever carries them out, whose guides differ in `differs`."""

    base: str
    matters: tuple[str, ...]
    differs: tuple[Literal["elements", "steps", "promised_days"], ...]


def unlike(registers: Registers, on: date) -> list[Unlike]:
    """The like matters that are handled unlike on that date (3.1b); in what order elements are named is no matter."""
    by_base: dict[str, list[Guide]] = defaultdict(list)
    for entry in registers.entries_on("guide", on).values():
        if isinstance(entry, Guide):
            code = parse_matter_code(entry.matter)
            by_base[code.base + (code.item or "")].append(entry)
    found = []
    for base, guides in sorted(by_base.items()):
        compared: dict[Literal["elements", "steps", "promised_days"], Iterable[object]] = {
            "elements": (frozenset(one.elements) for one in guides),
            "steps": (one.steps for one in guides),
            "promised_days": (one.promised_days for one in guides),
        }
        differs = tuple(name for name, values in compared.items() if len(set(values)) > 1)
        if differs:
            found.append(Unlike(base, tuple(one.matter for one in guides), differs))
    return found
