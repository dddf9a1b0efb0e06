"""A receipt that its department signs: which notice it had, as which entry of the log, under which checkpoint.

Nothing personal is in it, so that it is kept in clear and verifies for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from domain.jose import ed25519_thumbprint, exactly, members
from domain.personal import Model
from domain.rules import BadField, Refusal, rejection
from domain.signing import receipts_signed, require_key, speaks_for
from domain.submissions import Moment

if TYPE_CHECKING:
    from datetime import datetime

    from domain.world import World

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SeenCheckpoint(Model):
    """The checkpoint under which the signer saw the notice: the log's name, entries, root (base64)."""

    origin: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
    size: Annotated[int, Field(ge=1, lt=2**63)]
    root: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]


class ReceiptStatement(Model):
    """What is signed. `leaf`: the leaf hash of what owes the notice (RFC 9162 §2.1.1), in hexadecimal, as the notice's
    attribute `leaf` says it."""

    notice: Annotated[str, StringConstraints(max_length=200)]
    serial: Annotated[int, Field(ge=1, lt=2**63)]
    leaf: Hash
    received_at: Moment
    checkpoint: SeenCheckpoint | None = None


class SignedReceipt(Model):
    """On the receipt's event. `key`: the thumbprint of the key that signed; `jws`: statement and signature."""

    key: str
    jws: str


class Said(NamedTuple):
    """What a receipt's JWS says, and by which key it is signed; that it is, whoever reads the record has seen to."""

    key: str
    statement: ReceiptStatement


def read_receipt(jws: str) -> Said:
    """Raises ValueError."""
    header, payload, _ = jws.split(".")
    members(payload)  # each member once
    statement = ReceiptStatement.model_validate_json(exactly(payload))
    jwk = members(header)["jwk"]
    return Said(ed25519_thumbprint(str(jwk["x"])), statement)


def _readable(jws: str) -> str:
    try:
        read_receipt(jws)
    except (ValidationError, ValueError, KeyError, TypeError):
        raise BadField("", "receipt.shape", "须为所约定的签收声明的 JWS") from None
    return jws


ReceiptJws = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=4096), AfterValidator(_readable)]
"""A compact JWS over a `ReceiptStatement`."""


def signed_receipt(
    jws: str | None, department: str, notice: str, serial: int, leaf: str | None, received_at: datetime, world: World
) -> SignedReceipt | None:
    """The receipt of a department's notice, if it is signed. `leaf` as the log has it; None where it does not say."""
    registers = world.registers
    if jws is None:
        if receipts_signed(registers, department, world.today):
            raise Refusal("receipt.unsigned")
        return None
    key, said = read_receipt(jws)
    require_key(world, "receipt", key, speaks_for(registers, department))
    if (said.notice, said.received_at) != (notice, received_at):
        raise rejection("receipt", "receipt.other", said.notice)
    if (said.serial, said.leaf) != (serial, leaf):
        raise rejection("receipt", "receipt.leaf", said.serial)
    return SignedReceipt(key=key, jws=jws)
