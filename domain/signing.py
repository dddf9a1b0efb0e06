"""Who must sign, by a list: a principal all it hands in, everybody one type, a department its receipts; and whether a
signature's key is good.

That a signature fits what is signed is found out where records are read, by the key that its own header carries.
Whether that key is registered is decided here, like everything else, so that the log alone says which was good when.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import StringConstraints, model_validator

from domain.departments import OperatorPayload, principal_stream
from domain.entries import Entry
from domain.public_keys import PublicKey
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.submissions import PAYLOADS, Code

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.submissions import Submission
    from domain.world import World

RECEIPTS = "receipts"


class Signing(Entry):
    """Signatures are a must, from a date on: of all that a principal hands in, of a type whoever hands it in, or of a
    department's receipts. One of the three. What operators hand in is left out, for they register keys."""

    kind: Literal["signing"] = "signing"
    principal: Code | None = None
    type: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")] | None = None
    department: Code | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Signing:
        if [self.principal, self.type, self.department].count(None) != 2:
            raise BadField("", "signing.scope", "接入方、信息类型、签收部门三者择一")
        if self.type is not None and (self.type not in PAYLOADS or issubclass(PAYLOADS[self.type], OperatorPayload)):
            raise BadField("type", "type.unknown", "未知的信息类型，或属运维的信息类型")
        return self

    def key(self) -> str:
        """Principals' codes have no full stop, and no type begins as that of receipts does."""
        return self.principal or self.type or receipts_key(str(self.department))


def receipts_key(department: str) -> str:
    return f"{RECEIPTS}.{department}"


def require_signing(entry: Signing, world: World) -> None:
    """Of somebody who is registered. Operators are not asked: a lost key of theirs would lock everybody out."""
    if entry.principal is not None:
        principal = world.registers.principals.get(entry.principal)
        if principal is None:
            raise Waiting(principal_stream(entry.principal))
        if principal.operator:
            raise Refusal("signing.operator")
    if entry.department is not None:
        world.require_department(entry.department)


def require_signature(submission: Submission[Any], world: World) -> None:
    """Where a signature is a must, there is one, and its key is the principal's on the day on which this is decided:
    the time in a submission is its sender's word, and whoever stole a key would write one from before it was struck."""
    signature = submission.signature
    if signature is not None:
        require_key(world, "signature", signature.key, submission.principal.__eq__)
    elif "signing" in world.registers.entries and any(
        must_sign(world.registers, key, world.today) for key in (submission.principal, submission.payload.TYPE)
    ):
        raise rejection("signature", "signature.missing", "空")


def require_key(world: World, field: str, key: str, theirs: Callable[[str], bool]) -> None:
    """As `key_fault`. Raises Rejection of the field."""
    fault = key_fault(world.registers, key, world.today, theirs)
    if fault is not None:
        raise rejection(field, fault, key)


def key_fault(registers: Registers, key: str, on: date, theirs: Callable[[str], bool]) -> str | None:
    """The rule by which a signature of that date is not good; None where the key is one of theirs, and its time has
    come and is not over. `theirs`: whether a principal is one of those who might sign."""
    entry, over = registered(registers, key, on)
    if entry is None or not theirs(entry.principal):
        return "signature.key"
    return "signature.key_over" if over else None


def speaks_for(registers: Registers, department: str) -> Callable[[str], bool]:
    """Whether a principal acts for the department, so that its keys sign the department's receipts."""

    def speaks(principal: str) -> bool:
        known = registers.principals.get(principal)
        return known is not None and department in known.acts_for

    return speaks


def registered(registers: Registers, key: str, on: date) -> tuple[PublicKey | None, bool]:
    """The key's entry as of that date, None before there was one; and whether its time was over by then."""
    versions = [one for one in registers.entries.get("public_key", {}).get(key, ()) if one.since <= on]
    entry = next((one.entry for one in reversed(versions) if isinstance(one.entry, PublicKey)), None)
    if entry is None:
        return None, False
    return entry, versions[-1].entry is None or (entry.until is not None and entry.until < on)


def receipts_signed(registers: Registers, department: str, on: date) -> bool:
    """Whether the department's receipts must be signed on that date."""
    return must_sign(registers, receipts_key(department), on)


def must_sign(registers: Registers, key: str, on: date) -> bool:
    """Whether the list says so of a principal, a type or a department's receipts (`Signing.key`)."""
    version = registers.version("signing", key, on)
    return version is not None and version.entry is not None
