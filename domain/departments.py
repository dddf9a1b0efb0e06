"""Departments and the roles they hold, the principals that speak for them, and their liaison officers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.channels import Channel, Endpoint, check_channels
from domain.event import Event, State
from domain.fields import Region, Uscc
from domain.personal import Model, Person
from domain.rules import BadField, Refusal
from domain.submissions import Code, Day, Payload, Submission, Title, decides, local_date

if TYPE_CHECKING:
    from domain.world import World

Role = Literal["APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY", "REFORM_OFFICE", "REVIEW_ORGAN", "DISCIPLINE", "PLATFORM"]


class Department(Model):
    """A department's entry. `region` is a GB/T 2260 code, `consumer_group` its Kafka group for notices; `channels` are
    in the order in which they are tried, `endpoint` is the address of its server for `https`."""

    code: Code
    name: Title
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    region: Region
    uscc: Uscc | None = None
    valid_from: Day
    consumer_group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,200}$")] | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] = ("kafka",)
    endpoint: Endpoint | None = None

    @model_validator(mode="after")
    def _inspectors_and_platforms_are_nothing_else(self) -> Department:
        if len(self.roles) > 1 and {"DISCIPLINE", "PLATFORM"} & set(self.roles):
            raise BadField("roles", "roles.alone", "纪检监察与平台不得兼有其他职责")
        return self

    @model_validator(mode="after")
    def _notices_can_travel(self) -> Department:
        check_channels(self.channels, self.endpoint)
        return self

    @property
    def group(self) -> str:
        return self.consumer_group or f"shenguan.{self.code}"


def department_stream(code: str) -> str:
    return f"department/{code}"


def principal_stream(principal: str) -> str:
    return f"principal/{principal}"


class RegisterDepartment(Payload):
    """The reform office writes a department into the register, or writes its entry anew."""

    TYPE = "department.register"
    entry: Department

    def streams(self) -> tuple[str, ...]:
        return (department_stream(self.entry.code),)


class DepartmentRegistered(Event):
    TOPIC = "department.registered"
    entry: Department

    @property
    def effective_on(self) -> str:
        return self.entry.valid_from.isoformat()


class OperatorPayload(Payload):
    """Base of what operators hand in, and nobody else; operators hand in nothing else."""

    department: Code = "operator"


class RegisterPrincipal(OperatorPayload):
    """The operator says for which departments a principal may act.

    One that vouches hands in for people whom it has authenticated by their tokens, whatever department they are of, and
    names the caller with each; it has no department of its own.
    """

    TYPE = "principal.register"
    principal: Code
    acts_for: tuple[Code, ...]
    vouches: bool = False

    def streams(self) -> tuple[str, ...]:
        return (principal_stream(self.principal),)


class PrincipalRegistered(Event):
    TOPIC = "principal.registered"
    principal: str
    acts_for: tuple[str, ...]
    operator: bool = False
    vouches: bool = False


class RegisterLiaison(Payload):
    """A department names its liaison officer 联络员, or a deputy, or takes one off: from a date on, or at once."""

    TYPE = "liaison.register"
    number: Code
    person: Person
    deputy: bool = False
    active: bool = True
    valid_from: Day | None = None

    def streams(self) -> tuple[str, ...]:
        return (f"liaison/{self.department}",)

    def subject(self) -> str:
        return f"officer/{self.department}/{self.number}"


class LiaisonRegistered(Event):
    """`valid_from`: from when on; of what was recorded before there was this field, from its occurring."""

    TOPIC = "liaison.registered"
    department: str
    number: str
    person: Person
    deputy: bool
    active: bool
    valid_from: date | None = None

    @property
    def since(self) -> date:
        return self.valid_from or local_date(self.meta.occurred_at)

    @property
    def effective_on(self) -> str:
        return self.since.isoformat()


@dataclass(frozen=True, slots=True)
class RegisterState(State):
    """Registers are read from `Registers`; a register's stream needs to know its version only."""


@decides(RegisterDepartment)
def register_department(submission: Submission[RegisterDepartment], world: World) -> list[Event]:
    world.require_own_registers()
    world.require_role(submission, "REFORM_OFFICE")
    entry = submission.payload.entry
    registers = world.registers
    offices = {
        code
        for code, known in registers.departments.items()
        if "REFORM_OFFICE" in known.roles and not registers.ceased(code, date.max)
    }
    if offices == {entry.code} and "REFORM_OFFICE" not in entry.roles:
        raise Refusal("mandate.last_office")
    return [world.state(department_stream(entry.code)).then(DepartmentRegistered, submission.meta, entry=entry)]


@decides(RegisterPrincipal)
def register_principal(submission: Submission[RegisterPrincipal], world: World) -> list[Event]:
    world.require_own_registers()
    payload = submission.payload
    stream = world.state(principal_stream(payload.principal))
    known = world.registers.principals.get(payload.principal)
    return [
        stream.then(
            PrincipalRegistered,
            submission.meta,
            principal=payload.principal,
            acts_for=payload.acts_for,
            operator=known is not None and known.operator,  # nobody locks the operator out
            vouches=payload.vouches,
        )
    ]


@decides(RegisterLiaison)
def register_liaison(submission: Submission[RegisterLiaison], world: World) -> list[Event]:
    world.require_own_registers()
    payload = submission.payload
    world.require_department(payload.department)
    fields: dict[str, Any] = {
        name: getattr(payload, name) for name in ("department", "number", "person", "deputy", "active")
    }
    fields["valid_from"] = payload.valid_from or submission.occurred_on
    return [world.state(f"liaison/{payload.department}").then(LiaisonRegistered, submission.meta, **fields)]
