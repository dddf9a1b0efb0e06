"""JSON Web Tokens of a provider: whether they are valid here and now, and what they say.

Sources: RFC 7519, RFC 8725 (§3.1 only algorithms that are wanted, §3.8 issuer, §3.9 audience), RFC 9864 (Ed25519).
"""

from __future__ import annotations

import time
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from adapters.http.provider import Provider

LEEWAY_S = 30
"""By so much clocks may differ."""
LONGEST = 16 * 1024
# Each only with keys of its own kind, so that no key is ever taken for something else: algorithm → kind, curve.
_KINDS = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519"), "Ed25519": ("OKP", "Ed25519")}


class _Registry(JWSRegistry):
    """Knows our algorithms and no other; the library's own would warn of `EdDSA`, the name that providers still use."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in _KINDS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


_REGISTRY = _Registry(strict_check_header=False)


class Tokens:
    """Verifies what a provider signed for an audience. For several threads."""

    def __init__(self, provider: Provider, audience: str) -> None:
        self._provider = provider
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(time.time()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def read(self, token: str) -> dict[str, Any] | None:
        """Its claims; None where it is not valid. Raises ProviderAway where nobody can tell."""
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            header = jws.extract_compact(token.encode()).headers()
            kid, algorithm = header.get("kid"), header.get("alg")
            if algorithm not in _KINDS or not isinstance(kid, str | None):
                return None
            key = self._provider.key(kid, lambda one: _fits(one, algorithm))
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(token, key, registry=_REGISTRY).claims
            self._claims.validate(claims)
        except (JoseError, ValueError, TypeError):
            return None
        return claims


def _fits(key: Key, algorithm: str) -> bool:
    kind, curve = _KINDS[algorithm]
    public = key.as_dict(private=False)
    return key.key_type == kind and public.get("crv") in (None, curve) and public.get("alg") in (None, algorithm)
