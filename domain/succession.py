"""Succession of departments 机构更替: merged, split or renamed, from a date on (domain notes §4.2).

One event of intent; the open notices of who ceased then pass to whom its duties went, a bounded chunk at a time and
each under an id of its own, so that whoever carries it out may be stopped anywhere and run twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from domain.departments import department_stream
from domain.documents import require_in_force
from domain.event import Event, Meta, State
from domain.fields import EACH_ONCE, MatterCode
from domain.notices import NoticePassed, NoticeState
from domain.rules import Refusal
from domain.submissions import Code, Day, Payload, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.case_state import CaseState
    from domain.registers import Registers
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
    require_in_force(world, payload.basis, payload.valid_from)
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


class Passing(NamedTuple):
    """How a notice passes on; as in `NoticePassed`."""

    to: str
    disputed: bool
    joins: str | None


def passing(
    notice: NoticeState, case: CaseState | None, registers: Registers, on: date, told: Callable[[str], bool]
) -> Passing | None:
    """Where a notice goes: to whom its addressee's duties went; None where it is closed, or theirs still.

    One that was received stays with history, unless a permit in force is supervised by it. Where the successor holds
    the case already, or was `told` of the same fact by a notice that stands, it gets no second one.
    """
    owed = notice.owed
    if owed is None or notice.moved:
        return None
    to = registers.acting(owed.addressee, on, owed.matter)
    if to == owed.addressee:
        return None
    holders = () if case is None else case.holders
    held = next((one for one in holders if one.notice == owed.notice), None)
    if notice.received and (held is None or case is None or case.status != "granted"):
        return None
    if held is not None and held.disputed:
        return Passing(to, True, None)
    twin = f"{to}/{owed.notice.partition('/')[2]}"
    own = next((one.notice for one in holders if one.department == to and not one.disputed), None)
    joins = own if held is not None else twin if told(twin) else None
    return Passing(to, False, joins)


def passed(world: World, notice: str, meta: Meta, now: datetime) -> list[Event]:
    """The notice passes on; nothing where it need not."""

    def told(other: str) -> bool:
        state = world.notice(other)
        return state.owed is not None and not state.moved

    state = world.notice(notice)
    if state.owed is None:
        return []
    owed = state.owed
    case = world.case_at(owed.case) if owed.case else None
    found = passing(state, case, world.registers, local_date(now), told)
    if found is None:
        return []
    return [
        (case or state).then(
            NoticePassed,
            meta,
            matter=owed.matter,
            origin=notice,
            from_=owed.addressee,
            root=owed.root,
            returns=owed.returns,
            ruled=owed.ruled,
            **found._asdict(),
        )
    ]
