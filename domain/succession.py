"""Succession of departments 机构更替: merged, split or renamed, from a date on (domain notes §4.2).

One event of intent; the open notices of who ceased then pass to whom its duties went, a bounded chunk at a time and
each under an id of its own, so that whoever carries it out may be stopped anywhere and run twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.departments import department_stream
from domain.event import Event, Meta, State
from domain.fields import EACH_ONCE, MatterCode
from domain.notices import NoticePassed
from domain.rules import Refusal
from domain.submissions import Code, Day, Payload, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.world import World


class SucceedDepartment(Payload):
    """The reform office says who takes over a department's duties: those over some matters, or all that is left."""

    TYPE = "department.succeed"
    old: Code
    to: Code
    matters: Annotated[tuple[MatterCode, ...], Field(max_length=500), EACH_ONCE] = ()
    valid_from: Day
    basis: Title

    def streams(self) -> tuple[str, ...]:
        return (department_stream(self.old), department_stream(self.to))


class DepartmentSucceeded(Event):
    """Without `matters` it has ceased, and speaks no longer."""

    TOPIC = "department.succeeded"
    old: str
    to: str
    matters: tuple[str, ...]
    valid_from: Day
    basis: str

    @property
    def effective_on(self) -> str:
        return self.valid_from.isoformat()


class SuccessionAdvanced(Event):
    """The notices of a ledger have passed on as far as a serial, by the successions that were in force."""

    TOPIC = "succession.advanced"
    old: str
    through: int


@dataclass(frozen=True, slots=True)
class SuccessionState(State):
    """`through`: the serial as far as notices have passed on."""

    through: int = 0

    def evolve(self, event: Event) -> SuccessionState:
        through = event.through if isinstance(event, SuccessionAdvanced) else self.through
        return replace(self, version=event.originator_version, through=through)


def succession_stream(old: str, count: int) -> str:
    """Of how many successions were in force: each further one begins the ledger again."""
    return f"succession/{old}/{count}"


@decides(SucceedDepartment)
def succeed_department(submission: Submission[SucceedDepartment], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    payload = submission.payload
    old, to = world.require_department(payload.old), world.require_department(payload.to)
    for matter in payload.matters:
        world.require_matter(matter)
    if not set(old.roles) <= set(to.roles):
        raise Refusal("succession.roles")
    registers = world.registers
    if payload.old == payload.to or registers.leads_to(payload.to, payload.old):
        raise Refusal("succession.circle")
    if registers.ceased(payload.to, payload.valid_from):
        raise Refusal("department.ceased")
    return [
        world.state(department_stream(payload.old)).then(
            DepartmentSucceeded,
            submission.meta,
            old=payload.old,
            to=payload.to,
            matters=payload.matters,
            valid_from=payload.valid_from,
            basis=payload.basis,
        )
    ]


def passing_id(notice: str) -> str:
    """Under which a notice passes on: the same whoever carries it out, and short enough to name the new notice by."""
    return f"passed.{hashlib.sha256(notice.encode()).hexdigest()[:32]}"


def passed(world: World, notice: str, meta: Meta, now: datetime) -> list[Event]:
    """The notice goes to whom its addressee's duties went; nothing where it is closed, or theirs still.

    A notice that was received stays with history, unless a permit in force is supervised by it.
    """
    state = world.notice(notice)
    if state.owed is None or state.moved:
        return []
    owed = state.owed
    to = world.registers.acting(owed.addressee, local_date(now), owed.matter)
    if to == owed.addressee:
        return []
    case = world.case_at(owed.case)
    held = next((one for one in case.holders if one.notice == notice), None)
    if state.received and (held is None or case.status != "granted"):
        return []
    return [
        case.then(
            NoticePassed,
            meta,
            matter=owed.matter,
            origin=notice,
            from_=owed.addressee,
            to=to,
            root=owed.root,
            returns=owed.returns,
            ruled=owed.ruled,
            disputed=held is not None and held.disputed,
        )
    ]
