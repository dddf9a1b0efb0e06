"""What JSON Web Signatures are written in, read so that nothing has two forms: base64url, JSON objects, thumbprints."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any


def unpadded(data: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def exactly(text: str) -> bytes:
    """The bytes that are written so, and only so: of other texts that decoders take for the same none is taken here.

    Raises ValueError."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if unpadded(data) != text:
        raise ValueError("not the one base64url of its bytes")
    return data


def members(text: str) -> dict[str, Any]:
    """The members of a JSON object that stands there in base64url, each once. Raises ValueError."""
    try:
        found = json.loads(exactly(text).decode(), object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member stands there twice")
    return found


def ed25519_thumbprint(x: str) -> str:
    """The RFC 7638 thumbprint of an Ed25519 public key (RFC 8037): 43 characters; `x` as in its JWK."""
    key = {"crv": "Ed25519", "kty": "OKP", "x": x}
    return unpadded(hashlib.sha256(json.dumps(key, separators=(",", ":")).encode()).digest())
