"""Signing in at the OpenID Connect provider: the authorization code flow with PKCE, state and nonce.

Sources: OpenID Connect Core 1.0 (§3.1), RFC 7636 (PKCE), RFC 9207 (the issuer in the answer), RFC 9700 (§2.1).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from adapters.http.problems import Problem, of_status
from adapters.http.provider import Provider, ProviderAway
from adapters.http.sessions import Sessions
from adapters.http.tokens import Tokens
from infra.web.claims import Claims, away
from infra.web.cookies import is_secure, keep
from infra.web.identity import Identity, Known
from infra.web.pages.page import render

router = APIRouter(include_in_schema=False)
BEGUN = "shenguan_begun_"
"""The cookies of sign-ins that are under way, each by the beginning of its state: several tabs do not disturb."""
BEGUN_S = 600
CALLBACK = "/signin/callback"


class ProviderSignIn:
    """Of one client at one provider."""

    def __init__(self, provider: Provider, client_id: str, secret: str | None, claims: Claims, begun: Sessions) -> None:
        self._provider = provider
        self._client_id = client_id
        self._secret = secret
        self._claims = claims
        self._begun = begun
        self._tokens = Tokens(provider, client_id)

    def begin(self, callback: str, then: str) -> tuple[str, str, str]:
        """Where the browser is to go, and the name and value of the cookie that it must bring back. Raises
        ProviderAway."""
        where = self._provider.endpoint("authorization_endpoint")
        if where is None:
            raise ProviderAway("no authorization_endpoint")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": callback,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        kept = self._begun.make({"state": state, "nonce": nonce, "verifier": verifier, "then": then}, BEGUN_S)
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}", BEGUN + state[:8], kept

    def begun(self, cookie: str | None, state: str) -> dict[str, Any] | None:
        """What was kept of the sign-in of this state, by the browser that began it; else None."""
        kept = self._begun.read(cookie) if cookie else None
        return kept if kept is not None and hmac.compare_digest(str(kept["state"]), state) else None

    def end(self, callback: str, code: str, kept: dict[str, Any]) -> Known | None:
        """Who has signed in; None where the provider's answer does not say so. Raises ProviderAway."""
        where = self._provider.endpoint("token_endpoint")
        if where is None:
            raise ProviderAway("no token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "client_id": self._client_id,
            "code_verifier": str(kept["verifier"]),
        }
        auth = None
        if self._secret is not None:
            if self._provider.supports("token_endpoint_auth_methods_supported", "client_secret_basic") is False:
                form["client_secret"] = self._secret
            else:  # RFC 6749 §2.3.1: each part form-encoded first
                auth = (quote(self._client_id, safe=""), quote(self._secret, safe=""))
        found = self._provider.post(where, form, auth)
        token = found.get("id_token") if found is not None else None
        claims = self._tokens.read(token) if isinstance(token, str) else None
        if claims is None or not hmac.compare_digest(str(claims.get("nonce")).encode(), str(kept["nonce"]).encode()):
            return None
        if claims.get("azp", self._client_id) != self._client_id:
            return None
        return self._claims.known(claims)

    def is_issuer(self, said: str | None) -> bool:
        return said in (None, self._provider.issuer)

    def leave(self, back: str) -> str | None:
        """Where the provider ends its own session, if it says so and is there."""
        try:
            where = self._provider.endpoint("end_session_endpoint")
        except ProviderAway:
            return None
        # The pages' policy lets forms lead to the issuer's address and to no other.
        if where is None or not f"{where}/".startswith(f"{origin_of(self._provider.issuer)}/"):
            return None
        asked = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back})
        return f"{where}{'&' if '?' in where else '?'}{asked}"


def origin_of(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def inside(path: str) -> str:
    """A path of ours to go on to; what leads elsewhere becomes the first page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isascii() and path.isprintable()
    return path if plain and len(path) <= 1000 else "/"


def our_address(request: Request) -> str:
    """As the browser reaches us."""
    settings = request.app.state.store.settings
    return settings.public_url or f"{request.url.scheme}://{request.url.netloc}"


@router.get("/signin")
def begin(request: Request, then: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Leads to the provider. `next`: where to go on afterwards."""
    at: ProviderSignIn | None = request.app.state.provider_sign_in
    if at is None:
        raise Problem(503, "未配置统一身份认证", "no identity provider is configured")
    try:
        where, name, kept = at.begin(our_address(request) + CALLBACK, inside(then))
    except ProviderAway:
        raise away() from None
    response = RedirectResponse(where, 303)
    secure = is_secure(request)
    response.set_cookie(name, kept, BEGUN_S, path=CALLBACK, httponly=True, samesite="lax", secure=secure)
    return response


@router.get(CALLBACK)
def end(
    request: Request,
    state: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{20,64}$")],
    code: Annotated[str | None, Query(max_length=4000)] = None,
    iss: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """The provider leads back to here."""
    at: ProviderSignIn | None = request.app.state.provider_sign_in
    if at is None:
        raise of_status(404)
    name = BEGUN + state[:8]
    kept = at.begun(request.cookies.get(name), state)
    try:
        known = None
        if kept is not None and code is not None and at.is_issuer(iss):
            known = at.end(our_address(request) + CALLBACK, code, kept)
    except ProviderAway:
        raise away() from None
    response: Response
    if known is None:
        response = render(request, "signin_failed.html", 403)
    else:
        identity: Identity = request.app.state.identity
        seconds: int = request.app.state.store.settings.session_seconds
        response = RedirectResponse(inside(str(kept["then"])) if kept else "/", 303)
        keep(request, response, identity.begin(known, seconds), seconds)
    response.delete_cookie(name, path=CALLBACK, httponly=True, samesite="lax", secure=is_secure(request))
    return response
