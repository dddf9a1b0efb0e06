"""Signed sessions: who has signed in, as a token that only this server's key makes and that ends by itself."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

ALGORITHM = "HS256"
ISSUER = "shenguan"


class Sessions:
    """Makes and reads them. The key follows from the master key, so that all servers of a store have the same."""

    def __init__(self, master: bytes, store: str) -> None:
        secret = hmac.digest(master, f"http-session/{store}".encode(), hashlib.sha256)
        self._key = OctKey.import_key(secret)
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": store},
            exp={"essential": True},
        )
        self._store = store

    def make(self, claims: dict[str, Any], seconds: int) -> str:
        """A token that ends in so many seconds."""
        whole = {**claims, "iss": ISSUER, "aud": self._store, "exp": int(time.time()) + seconds}
        return jwt.encode({"alg": ALGORITHM}, whole, self._key, [ALGORITHM])

    def read(self, token: str) -> dict[str, Any] | None:
        """Its claims; None where it is not ours, or has ended."""
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, [ALGORITHM]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError):
            return None
        return claims
