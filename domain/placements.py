"""Where a matter is handled 三集中三到位: section, hall, authorised windows, online, electronic monitoring (3.2).

In a pilot region this concerns matters that stay with their departments; elsewhere every matter, and all enter the
hall.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.entries import Entry
from domain.fields import MatterCode
from domain.rules import BadField, Refusal
from domain.submissions import Code, Title

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World


class Placement(Entry):
    """`section` is the department's 审批科室; `windows` those that are authorised to decide there."""

    kind: Literal["placement"] = "placement"
    matter: MatterCode
    organ: Code
    section: Title
    in_hall: bool
    windows: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    online: bool
    monitored: bool

    @model_validator(mode="after")
    def _windows_in_the_hall(self) -> Placement:
        if self.windows and not self.in_hall:
            raise BadField("windows", "placement.windows", "未进驻大厅的事项没有窗口")
        return self

    def key(self) -> str:
        return self.matter


def is_pilot(registers: Registers, region: str) -> bool:
    """Whether the region has an approval department."""
    return any("APPROVAL" in one.roles and one.region == region for one in registers.departments.values())


def require_placement(entry: Placement, world: World, on: date) -> None:
    """The organ must hold the power on that date; without an approval department nothing stays out of the hall."""
    world.require_matter(entry.matter)
    organ = world.require_department(entry.organ)
    if world.registers.holder(entry.matter, on) != entry.organ:
        raise Refusal("list.not_holder")
    if not entry.in_hall and not is_pilot(world.registers, organ.region):
        raise Refusal("placement.hall")


def placement(registers: Registers, matter: str, on: date) -> Placement | None:
    """What is on record of a matter on that date."""
    version = registers.version("placement", matter, on)
    return version.entry if version is not None and isinstance(version.entry, Placement) else None


def outside_window(registers: Registers, matter: str, window: str | None, on: date) -> bool:
    """Whether a decision was taken elsewhere than in the authorised windows (3.2c); false where none are on record."""
    found = placement(registers, matter, on)
    if found is None or registers.holder(matter, on) != registers.acting(found.organ, on, matter):
        return False  # where it was handled before others had the power
    return bool(found.windows) and window not in found.windows


Want = Literal["placement", "hall", "window", "online", "monitored"]


class Placed(NamedTuple):
    """A matter that should be on record: who holds it, in a pilot region or not, and what is still wanting."""

    matter: str
    holder: str
    pilot: bool
    found: Placement | None
    wanting: tuple[Want, ...]


def placed(registers: Registers, on: date) -> list[Placed]:
    """Of every matter that was not transferred (3.2a, 3.2b). Out of the hall is a lack only where all must enter."""
    rows = []
    for code, history in sorted(registers.matters.items()):
        if history.entry.classified or registers.transfer(code, on) is not None:
            continue
        holder = registers.holder(code, on)
        department = registers.departments.get(holder)
        pilot = department is not None and is_pilot(registers, department.region)
        found = placement(registers, code, on)
        rows.append(Placed(code, holder, pilot, found, _wanting(found, pilot)))
    return rows


def _wanting(found: Placement | None, pilot: bool) -> tuple[Want, ...]:
    if found is None:
        return ("placement",)
    lacks: dict[Want, bool] = {
        "hall": not found.in_hall and not pilot,
        "window": found.in_hall and not found.windows,
        "online": not found.online,
        "monitored": not found.monitored,
    }
    return tuple(want for want, lacking in lacks.items() if lacking)
