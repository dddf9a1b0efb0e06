"""The register of principals' public keys: whose signature a signature is, from when until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from domain.departments import principal_stream
from domain.entries import Entry
from domain.jose import ed25519_thumbprint, exactly
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.submissions import Code, Day

if TYPE_CHECKING:
    from datetime import date

    from domain.world import World

_P = 2**255 - 19


def is_weak(point: bytes) -> bool:
    """Whether a key is one of the few under which one signature is good for many texts: its y is that of a point whose
    order divides 8 (RFC 7748 §7), in whatever way it is written."""
    y = (int.from_bytes(point, "little") & (2**255 - 1)) % _P
    # Of order 1 and 2: y = ±1; of order 4: y = 0; of order 8: y of a point that doubles to one of order 4.
    return y in (0, 1, _P - 1) or (pow(y, 4, _P) * _D + 2 * y * y - 1) % _P == 0


_D = -121665 * pow(121666, -1, _P) % _P


def _point(text: str) -> str:
    try:
        point = exactly(text)
    except ValueError:
        point = b""
    if len(point) != 32 or is_weak(point):
        raise BadField("", "key.shape", "须为 Ed25519 公钥的 32 字节，base64url 编码、无填充，且不是低阶点")
    return text


class PublicKey(Entry):
    """A key with which a principal signs. `public_key`: the 32 bytes in base64url, `x` of its JWK (RFC 8037); `until`:
    its last day. It is known by its thumbprint (RFC 7638), so that a key is in the list once."""

    kind: Literal["public_key"] = "public_key"
    principal: Code
    algorithm: Literal["Ed25519"] = "Ed25519"
    public_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$"), AfterValidator(_point)]
    until: Day | None = None

    def key(self) -> str:
        return ed25519_thumbprint(self.public_key)


def require_public_key(entry: PublicKey, world: World, on: date) -> None:
    """The principal is registered, and the key never was another's."""
    if entry.principal not in world.registers.principals:
        raise Waiting(principal_stream(entry.principal))
    if entry.until is not None and entry.until < on:
        raise rejection("entry.until", "date.order", entry.until)
    for version in world.registers.entries.get("public_key", {}).get(entry.key(), ()):
        if isinstance(version.entry, PublicKey) and version.entry.principal != entry.principal:
            raise Refusal("key.taken")
