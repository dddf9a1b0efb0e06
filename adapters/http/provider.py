"""An OpenID Connect provider: where its endpoints are and with which keys it signs, asked for seldom and never guessed.

Sources: OpenID Connect Discovery 1.0 (§3 metadata, §4.3 the issuer must be the very one that was asked), RFC 7517.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

METADATA = "/.well-known/openid-configuration"
FRESH_S = 300.0
"""So long keys are believed without asking again."""
LAST_S = 3600.0
"""So long they are believed while the provider does not answer."""
PAUSE_S = 5.0
"""The provider is asked at most this often, however many strange tokens come."""
TIMEOUT_S = 5.0
MOST_BYTES = 256 * 1024
SMALLEST_RSA = 2048
_log = structlog.get_logger("shenguan.oidc")


class ProviderAway(Exception):
    """It does not answer, or not as a provider must; so nobody can say now whether a token is valid."""


class _Known(NamedTuple):
    metadata: dict[str, Any]
    keys: list[Key]
    at: float


class Provider:
    """One provider, for several threads."""

    def __init__(
        self, issuer: str, trust: ssl.SSLContext | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`trust`: whose certificates it must have; None: those that the system trusts."""
        self.issuer = issuer
        self._now = now
        self._client = httpx2.Client(
            verify=trust or ssl.create_default_context(), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        )
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._asked_at = float("-inf")

    def endpoint(self, name: str) -> str | None:
        """An address of the metadata, such as `token_endpoint`. Raises ProviderAway."""
        found = self._current(FRESH_S).metadata.get(name)
        return found if isinstance(found, str) and is_safe(found) else None

    def supports(self, name: str, value: str) -> bool | None:
        """Whether a list of the metadata has the value; None where there is no such list. Raises ProviderAway."""
        found = self._current(FRESH_S).metadata.get(name)
        return value in found if isinstance(found, list) else None

    def key(self, kid: str | None, fits: Callable[[Key], bool]) -> Key | None:
        """The key of that name; of a token that names none, the only one that fits. A name that is not known is asked
        for. Raises ProviderAway."""
        keys = self._current(FRESH_S).keys
        if kid is not None and all(one.kid != kid for one in keys):
            keys = self._current(PAUSE_S).keys
        found = [one for one in keys if fits(one) and kid in (None, one.kid)]
        return found[0] if len(found) == 1 else None

    def post(self, url: str, form: dict[str, str], auth: tuple[str, str] | None) -> dict[str, Any] | None:
        """What it answers to a form, as JSON; None where it refuses. Raises ProviderAway."""
        try:
            with self._client.stream("POST", url, data=form, auth=auth or httpx2.USE_CLIENT_DEFAULT) as response:
                if 400 <= response.status_code < 500:
                    return None
                return _document(response)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise ProviderAway(type(error).__name__) from None

    def close(self) -> None:
        self._client.close()

    def _current(self, younger_than_s: float) -> _Known:
        """What is known, asked anew where it is older. A key that is not known may be new: while the provider does not
        answer nobody can tell, but what it signed with keys that are known stays good for a while."""
        known = self._known
        if known is not None and self._now() - known.at < younger_than_s:
            return known
        good = known is not None and self._now() - known.at < LAST_S and younger_than_s >= FRESH_S
        if self._lock.acquire(blocking=not good):  # nobody waits who need not
            try:
                if self._known is known and self._now() - self._asked_at >= PAUSE_S:
                    self._ask()
            finally:
                self._lock.release()
        if self._known is None or not (good or self._known is not known):
            raise ProviderAway(self.issuer)
        return self._known

    def _ask(self) -> None:
        """Within the lock."""
        try:
            metadata = self._get(self.issuer.rstrip("/") + METADATA)
            if metadata.get("issuer") != self.issuer:
                raise ValueError("another issuer")
            where = metadata.get("jwks_uri")
            if not isinstance(where, str) or not is_safe(where):
                raise ValueError("no jwks_uri over TLS")
            keys = _keys(self._get(where))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            self._asked_at = self._now()
            _log.error("provider_away", issuer=self.issuer, error=f"{type(error).__name__}: {error}")
        else:
            self._asked_at = self._now()
            self._known = _Known(metadata, keys, self._asked_at)

    def _get(self, url: str) -> dict[str, Any]:
        with self._client.stream("GET", url) as response:
            return _document(response)


def is_safe(url: str) -> bool:
    """Whether nobody on the way can answer in its place: over TLS, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"


def _document(response: httpx2.Response) -> dict[str, Any]:
    """Raises ValueError for what is not a JSON object that fits, answered with 200."""
    if response.status_code != 200:
        raise ValueError(f"status {response.status_code}")
    body = b""
    for part in response.iter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError("answer too large")
    found = httpx2.Response(200, content=body).json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _keys(document: dict[str, Any]) -> list[Key]:
    """Public keys for signatures; those that we cannot use are left out."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("no keys")
    found: list[Key] = []
    for one in listed:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or "d" in one:
            continue
        try:
            key = import_key(one)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        match key:
            case RSAKey():
                if key.raw_value.key_size >= SMALLEST_RSA:
                    found.append(key)
            case ECKey() | OKPKey():
                found.append(key)
    return found
