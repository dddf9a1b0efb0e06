"""Tasks of the reform 改革任务: who is responsible, who oversees 督办, by when, and from which budget paid (5.2a)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.entries import Entry
from domain.relations import require_serving
from domain.rules import BadField, Refusal
from domain.submissions import Code, Day, Title

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World

CostItem = Literal["expert_evaluation", "certificate_printing", "venue", "testing", "survey", "systems", "other"]
"""专家评审, 证照印制, 场地, 检验检测, 现场勘验, 信息系统, 其他."""
FREE: frozenset[CostItem] = frozenset({"expert_evaluation", "certificate_printing"})
"""For which applicants never pay."""
Budget = Literal["region", "league", "banner"]
"""自治区, 盟市, 旗县本级."""


class Duty(Entry):
    """A task with its cost line; `amount` in whole yuan. That it is done is said by a later version."""

    kind: Literal["duty"] = "duty"
    code: Code
    name: Title
    responsible: Code
    overseer: Code
    due_on: Day
    done: bool = False
    cost_item: CostItem | None = None
    budget: Budget | None = None
    payer: Literal["budget", "applicant"] = "budget"
    amount: Annotated[int, Field(ge=0, le=10**12)] | None = None

    @model_validator(mode="after")
    def _overseen_by_another(self) -> Duty:
        if self.responsible == self.overseer:
            raise BadField("overseer", "duty.itself", "督办部门不得是责任部门")
        return self

    @model_validator(mode="after")
    def _a_whole_cost_line(self) -> Duty:
        paid = self.budget is not None or self.amount is not None or self.payer == "applicant"
        if self.cost_item is None and paid:
            raise BadField("cost_item", "duty.cost", "经费列支须写明支出项目")
        if self.cost_item is not None and self.payer == "budget" and self.budget is None:
            raise BadField("budget", "duty.cost", "由财政负担的须写明预算级次")
        return self

    def key(self) -> str:
        return self.code


def level(region: str) -> Budget:
    """Of a region by its code (GB/T 2260)."""
    return "region" if region.endswith("0000") else "league" if region.endswith("00") else "banner"


def require_duty(entry: Duty, world: World, on: date) -> None:
    """Paid at the level of who is responsible, and never by applicants where that is forbidden."""
    require_serving(world, entry.responsible, entry.overseer, on=on)
    if entry.payer == "applicant" and entry.cost_item in FREE:
        raise Refusal("duty.charged")
    if entry.budget is not None and entry.budget != level(world.registers.departments[entry.responsible].region):
        raise Refusal("duty.budget")


class DutyStanding(NamedTuple):
    """A task on a date."""

    duty: Duty
    status: Literal["done", "open", "overdue"]


def duties(registers: Registers, on: date) -> list[DutyStanding]:
    """Every task on record on that date, the first due first."""
    found = [
        DutyStanding(one, "done" if one.done else "overdue" if one.due_on < on else "open")
        for one in registers.entries_on("duty", on).values()
        if isinstance(one, Duty)
    ]
    return sorted(found, key=lambda one: (one.duty.due_on, one.duty.code))
