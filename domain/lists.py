"""Power list 权力清单 and supervision list 监管清单, version by version, and whether they match (1.3)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from domain.entries import Entry
from domain.fields import MatterCode
from domain.matters import matter_stream
from domain.rules import Refusal, Waiting
from domain.submissions import Code, Day, Title

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World

Duties = Annotated[tuple[Title, ...], Field(min_length=1, max_length=50)]
"""责任事项."""


class ListItem(Entry):
    """What both lists say of a matter: 名称, 实施部门 or 实施主体, 设定依据, 责任事项, and when that was published."""

    matter: MatterCode
    name: Title
    organ: Code
    legal_basis: Title
    duties: Duties
    published_on: Day


class PowerItem(ListItem):
    """An item of the power list: one for a matter."""

    kind: Literal["power_item"] = "power_item"

    def key(self) -> str:
        return self.matter


class SupervisionItem(ListItem):
    """An item of the supervision list: a matter may have several, each with a code of its own."""

    kind: Literal["supervision_item"] = "supervision_item"
    item: Code

    def key(self) -> str:
        return self.item


def require_power_item(item: PowerItem, world: World, on: date) -> None:
    """The organ must hold the power on that date."""
    world.require_matter(item.matter)
    organ = world.require_department(item.organ)
    if "APPROVAL" in organ.roles and not world.registers.matters[item.matter].holders:
        raise Waiting(matter_stream(item.matter))  # the transfer may be on its way
    if world.registers.holder(item.matter, on) != item.organ:
        raise Refusal("list.not_holder")


def require_supervision_item(item: SupervisionItem, world: World, on: date) -> None:
    """The organ must supervise the matter on that date, and not be the one that approves."""
    world.require_matter(item.matter)
    world.require_department(item.organ, "SUPERVISION")
    transfer = world.registers.transfer(item.matter, on)
    if transfer is not None and world.registers.holder(item.matter, on) == item.organ:
        raise Refusal("list.approver")
    supervisors = world.registers.supervisors(item.matter, on)
    if transfer is not None and item.organ not in {one.department for one in supervisors}:
        raise Refusal("list.not_supervisor")


def supervision_item(registers: Registers, matter: str, organ: str, on: date) -> SupervisionItem | None:
    """What a department is to do for a matter's supervision by the list on that date."""
    entries = registers.entries_on("supervision_item", on).values()
    return next((e for e in entries if isinstance(e, SupervisionItem) and (e.matter, e.organ) == (matter, organ)), None)


class Mismatch(NamedTuple):
    """`wanting` is what the lists lack of the matter, or that its power item names another than who holds the power;
    `item` the supervision item that has no counterpart."""

    matter: str
    wanting: Literal["power_item", "supervision_item", "power_holder"]
    item: str | None = None


def mismatches(registers: Registers, on: date) -> list[Mismatch]:
    """Transferred matters that lack an item in either list, and supervision items of matters without power item (1.3c).

    Classified matters stand in no list.
    """
    powers = registers.entries_on("power_item", on)
    items = [one for one in registers.entries_on("supervision_item", on).values() if isinstance(one, SupervisionItem)]
    supervised = {one.matter for one in items}
    found = []
    for code, history in sorted(registers.matters.items()):
        if history.entry.classified or registers.transfer(code, on) is None:
            continue
        power = powers.get(code)
        if power is None:
            found.append(Mismatch(code, "power_item"))
        elif isinstance(power, PowerItem) and power.organ != registers.holder(code, on):
            found.append(Mismatch(code, "power_holder"))
        if code not in supervised:
            found.append(Mismatch(code, "supervision_item"))
    found += [Mismatch(one.matter, "power_item", one.item) for one in items if one.matter not in powers]
    return found
