"""Signed sessions: who has signed in, as a token that only this server's key makes and that ends by itself."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
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
            jti={"essential": True},
            begun={"essential": True},
        )
        self._store = store

    def make(self, claims: dict[str, Any], seconds: int) -> str:
        """A token that ends in so many seconds. It has an id and the moment of its beginning, finer than `iat` is."""
        now = time.time()
        own = {"iss": ISSUER, "aud": self._store, "exp": int(now) + seconds, "jti": secrets.token_urlsafe(16)}
        whole = {**claims, **own, "begun": now}
        return jwt.encode({"alg": ALGORITHM}, whole, self._key, [ALGORITHM])

    def read(self, token: str) -> dict[str, Any] | None:
        """Its claims; None where it is not ours, or has ended."""
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, [ALGORITHM]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError):
            return None
        return claims


def begun_at(claims: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(claims["begun"], UTC)


def ends_at(claims: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(claims["exp"], UTC)


def names(claims: Mapping[str, Any]) -> list[str]:
    """By what somebody's session may be meant where sessions are ended: its own id, its subject, its officer in each of
    his departments."""
    officers = [officer_name(one, claims["officer"]) for one in claims["departments"]]
    return [session_name(claims), subject_name(claims["sub"]), *officers]


def session_name(claims: Mapping[str, Any]) -> str:
    return f"session/{claims['jti']}"


def subject_name(subject: str) -> str:
    return f"subject/{subject}"


def officer_name(department: str, officer: str) -> str:
    return f"officer/{department}/{officer}"
