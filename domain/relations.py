"""What the pilot does in a new way, and how its offices relate, such as 政务服务局 and 政务服务中心 (5.1a)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from domain.entries import Entry
from domain.rules import BadField, Refusal
from domain.submissions import Code, Title

if TYPE_CHECKING:
    from domain.world import World

RelationKind = Literal["subordinate", "entrusted", "stationed", "coordinated"]
"""隶属, 委托, 派驻, 协作."""


class Innovation(Entry):
    """试点创新: what a department tries, and the `document` that lets it."""

    kind: Literal["innovation"] = "innovation"
    code: Code
    name: Title
    department: Code
    description: Title
    document: Title | None = None

    def key(self) -> str:
        return self.code


class Relation(Entry):
    """How `from_department` stands to `to_department`."""

    kind: Literal["relation"] = "relation"
    code: Code
    relation: RelationKind
    from_department: Code
    to_department: Code
    description: Title
    document: Title | None = None

    @model_validator(mode="after")
    def _of_two(self) -> Relation:
        if self.from_department == self.to_department:
            raise BadField("to_department", "relation.itself", "关系须在两个部门之间")
        return self

    def key(self) -> str:
        return self.code


def require_serving(world: World, *departments: str, on: date) -> None:
    """They are registered, and have not ceased by that date."""
    for code in departments:
        world.require_department(code)
        if world.registers.ceased(code, on):
            raise Refusal("department.ceased")
