"""JSON Web Signatures over submissions and receipts: verified by the key that their own header carries, and made.

Sources: RFC 7515 (compact serialization §7.1, detached content appendix F), RFC 7797 (`b64` false: the payload is
signed as it is), RFC 8037 (Ed25519, `EdDSA`), RFC 9864 (`Ed25519`), RFC 7638 (thumbprints). Stricter than they ask:
whatever a decoder would take for the same though it is written otherwise is refused, so that nobody but the signer can
make a second form of a signed thing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.jose import ed25519_thumbprint, exactly, members, unpadded
from domain.public_keys import is_weak
from domain.rules import Rejection, rejection

ATTRIBUTE: Final = "signature"
"""The CloudEvents extension attribute that carries a submission's."""
IDENTITY: Final = ("source", "id", "type", "time", "retryof", "caller", "classified")
"""The attributes that are signed with the data, those of them that there are: all that intake goes by."""
LONGEST: Final = 4096
SALT: Final = 16
"""Bytes at least: whoever guessed the data, after its erasure, could not try his guess on the signature."""


class Verified(NamedTuple):
    """A good signature: the thumbprint of its key, the digest of what is signed, and the signature itself."""

    key: str
    digest: str
    value: str


def attribute_text(value: object) -> str:
    """An attribute's value as it is signed, the same in both content modes."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def verify_detached(jws: str, attributes: Mapping[str, object], store: str, data: bytes) -> Verified:
    """Of a submission: it signs these data, under this identity, for this store. Raises Rejection of `signature`."""
    header, payload, value = _parts(jws, ATTRIBUTE)
    fields = _header(header, ATTRIBUTE)
    identity = {name: attribute_text(attributes[name]) for name in IDENTITY if name in attributes}
    if payload or fields.get("b64") is not False or fields.get("crit") != ["b64"] or not _salted(fields):
        raise _wrong(ATTRIBUTE, "signature.shape")
    if fields.get("ce") != identity or fields.get("store") != store:
        raise _wrong(ATTRIBUTE, "signature.identity")
    signed = header.encode() + b"." + data
    key = _verify(fields, signed, value, ATTRIBUTE)
    return Verified(key, hashlib.sha256(signed + b"." + value.encode()).hexdigest(), value)


class Kept(NamedTuple):
    """What was kept of a signed submission, read again: the identity and the store that its signature names."""

    verified: Verified
    identity: dict[str, Any]
    store: str


def verify_kept(kept: bytes) -> Kept:
    """The JWS, a line feed and the data that it signs, as they were kept. Raises Rejection."""
    head, _, data = kept.partition(b"\n")
    jws = head.decode("ascii", "replace")
    fields = _header(_parts(jws, ATTRIBUTE)[0], ATTRIBUTE)
    identity, store = fields.get("ce"), fields.get("store")
    if not isinstance(identity, dict) or not isinstance(store, str):
        raise _wrong(ATTRIBUTE, "signature.shape")
    return Kept(verify_detached(jws, identity, store, data), identity, store)


def verify_compact(jws: str, field: str) -> str:
    """Of a statement that lies in the JWS itself: the thumbprint of its key. Raises Rejection of that field."""
    header, payload, value = _parts(jws, field)
    fields = _header(header, field)
    if not payload or "b64" in fields or "crit" in fields:
        raise _wrong(field, "signature.shape")
    return _verify(fields, f"{header}.{payload}".encode(), value, field)


class JwsSigner:
    """Signs with an Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = unpadded(key.public_key().public_bytes_raw())
        self.thumbprint = ed25519_thumbprint(self.public_key)

    def detached(self, attributes: Mapping[str, object], store: str, data: bytes) -> str:
        """The attribute `signature` of a submission with these attributes and exactly these data."""
        header = {
            **self._header,
            "b64": False,
            "crit": ["b64"],
            "store": store,
            "ce": {name: attribute_text(attributes[name]) for name in IDENTITY if name in attributes},
            "salt": unpadded(os.urandom(SALT)),
        }
        head = _encoded(header)
        return f"{head}..{unpadded(self._key.sign(head.encode() + b'.' + data))}"

    def compact(self, statement: Mapping[str, Any]) -> str:
        """A JWS that holds the statement."""
        text = f"{_encoded(self._header)}.{_encoded(statement)}"
        return f"{text}.{unpadded(self._key.sign(text.encode()))}"

    @property
    def _header(self) -> dict[str, Any]:
        return {"alg": "EdDSA", "jwk": {"crv": "Ed25519", "kty": "OKP", "x": self.public_key}}


def _encoded(value: Mapping[str, Any]) -> str:
    return unpadded(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _parts(jws: str, field: str) -> tuple[str, str, str]:
    parts = jws.split(".")
    if len(jws) > LONGEST or not jws.isascii() or len(parts) != 3:
        raise _wrong(field, "signature.shape")
    return parts[0], parts[1], parts[2]


def _header(text: str, field: str) -> dict[str, Any]:
    try:
        return members(text)
    except ValueError:
        raise _wrong(field, "signature.shape") from None


def _salted(fields: Mapping[str, Any]) -> bool:
    try:
        return len(exactly(str(fields.get("salt", "")))) >= SALT
    except ValueError:
        return False


def _verify(fields: Mapping[str, Any], signed: bytes, value: str, field: str) -> str:
    verifier = VERIFIERS.get(str(fields.get("alg")))
    jwk = fields.get("jwk")
    if verifier is None or not isinstance(jwk, dict):
        raise _wrong(field, "signature.shape")
    try:
        thumbprint = verifier(jwk, signed, exactly(value))
    except (ValueError, InvalidSignature):
        raise _wrong(field, "signature.wrong") from None
    return thumbprint


def _ed25519(jwk: dict[str, Any], signed: bytes, signature: bytes) -> str:
    if jwk.keys() != {"crv", "kty", "x"} or (jwk["crv"], jwk["kty"]) != ("Ed25519", "OKP"):
        raise ValueError("no such key")
    key, thumbprint = _public(str(jwk["x"]))
    key.verify(signature, signed)
    return thumbprint


@lru_cache(maxsize=1024)
def _public(x: str) -> tuple[Ed25519PublicKey, str]:
    """Few keys sign much. Raises ValueError."""
    point = exactly(x)
    if is_weak(point):
        raise ValueError("a key of small order")
    return Ed25519PublicKey.from_public_bytes(point), ed25519_thumbprint(x)


VERIFIERS: Final[dict[str, Callable[[dict[str, Any], bytes, bytes], str]]] = {"EdDSA": _ed25519, "Ed25519": _ed25519}
"""By `alg`: verifies with a JWK, gives its thumbprint; raises ValueError or InvalidSignature. Another algorithm is a
line here, and a kind of key in the register."""


def _wrong(field: str, code: str) -> Rejection:
    return rejection(field, code, "—")
