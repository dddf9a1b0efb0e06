"""The register of electronic seals 印章登记: whose a seal is, who may apply it, and its certificate (GB/T 38540)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.entries import Entry
from domain.rules import BadField, Refusal, rejection
from domain.submissions import Code, Day, Title

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World

SealKind = Literal["name_seal", "finance_seal", "invoice_seal", "contract_seal", "special_seal"]
"""法定名称章, 财务专用章, 发票专用章, 合同专用章, 法定代表人名章, and any other 专用章, as is the approval seal
行政审批专用章."""
CertificateState = Literal["valid", "expired", "not_yet"]
CertificateSerial = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{4,64}$")]


class Seal(Entry):
    """A seal. Several owners: a joint seal 联合印章. `delegated_to` apply it for the owners 授权用印."""

    kind: Literal["seal"] = "seal"
    code: Code
    name: Title
    seal_kind: SealKind
    owners: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]
    delegated_to: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    certificate_serial: CertificateSerial
    certificate_from: Day
    certificate_to: Day

    @model_validator(mode="after")
    def _each_department_once(self) -> Seal:
        if len({*self.owners, *self.delegated_to}) < len(self.owners) + len(self.delegated_to):
            raise BadField("delegated_to", "departments.twice", "同一部门列了两次")
        return self

    def key(self) -> str:
        return self.code

    def certificate_on(self, on: date) -> CertificateState:
        if on < self.certificate_from:
            return "not_yet"
        return "valid" if on <= self.certificate_to else "expired"


def require_seal(entry: Seal, world: World) -> None:
    """A seal on approvals belongs to departments that can hold the power over a matter."""
    for owner in entry.owners:
        if {"APPROVAL", "SUPERVISION"}.isdisjoint(world.require_department(owner).roles):
            raise Refusal("mandate.role")
    for delegate in entry.delegated_to:
        world.require_department(delegate)
    if entry.certificate_to < entry.certificate_from:
        raise rejection("entry.certificate_to", "date.order", entry.certificate_to)


def seal_on(registers: Registers, code: str, on: date) -> Seal | None:
    """The seal as the register had it on that date."""
    version = registers.version("seal", code, on)
    return version.entry if version is not None and isinstance(version.entry, Seal) else None


def keeps_seals(registers: Registers, department: str, on: date) -> bool:
    """Whether the department's seals were in the register on that date."""
    seals = (seal_on(registers, code, on) for code in registers.entries.get("seal", ()))
    return any(seal is not None and department in seal.owners for seal in seals)
