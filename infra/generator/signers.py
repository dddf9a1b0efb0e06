"""Keys with which a generated year may be signed, made from their principals' names: they keep no secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.crypto.jws import JwsSigner
from infra.generator import names

Sign = Callable[[str, Mapping[str, str], bytes], str | None]
"""(principal, attributes, data): the attribute `signature`, or None where this one does not sign."""
SIGNING_BASIS: Final = "内蒙古自治区审管数据签名管理办法"
_PILOT: Final = names.LEAGUES[0].code
PILOTS: Final = frozenset({f"sp-{_PILOT}", f"jg-{_PILOT}"})
"""Those that sign: both sides of the first league."""


@cache
def signer_of(principal: str) -> JwsSigner:
    return JwsSigner(Ed25519PrivateKey.from_private_bytes(sha256(f"generated {principal}".encode()).digest()))


def signing(store: str, chosen: Callable[[str], bool] = PILOTS.__contains__) -> Sign:
    """Signs for a store what the chosen principals hand in."""

    def sign(principal: str, attributes: Mapping[str, str], data: bytes) -> str | None:
        return signer_of(principal).detached(attributes, store, data) if chosen(principal) else None

    return sign
