"""An OpenID Connect provider in a process of its own that signs whatever it is told to.

`python -m tests.servers.provider PORT`. It insists on PKCE, judged by another library than the product's own code.
POST /tell {"sub": …, "claims": {…}} = who signs in next; POST /sign {"claims", "header", "by"} = a token; POST /rotate
= new keys; GET /asked = how often the keys were asked for.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry


class Keys:
    """One of each kind; `other` is shown to nobody."""

    def __init__(self) -> None:
        self.by_name: dict[str, Key] = {
            "RS256": RSAKey.generate_key(2048),
            "ES256": ECKey.generate_key("P-256"),
            "EdDSA": OKPKey.generate_key("Ed25519"),
        }
        self.kids = {name: f"{name}-{secrets.token_hex(4)}" for name in self.by_name}
        self.other = RSAKey.generate_key(2048)

    def shown(self) -> dict[str, Any]:
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": self.kids[name], "use": "sig", "alg": name}
                for name, key in self.by_name.items()
            ]
        }

    def sign(self, claims: dict[str, Any], header: dict[str, Any], by: str) -> str:
        """`by`: RS256, ES256, EdDSA, other (its key under the name of RS256's), public (HS256 with the public key as
        PEM, under its name), none."""
        if by == "none":
            return jws.serialize_compact(
                {"alg": "none", "kid": self.kids["RS256"], **header},
                json.dumps(claims),
                OctKey.generate_key(),
                ["none"],
            )
        if by == "public":
            # By hand: no library signs with a key that is plainly a public one.
            said = ".".join(map(_part, ({"alg": "HS256", "kid": self.kids["RS256"], **header}, claims)))
            secret = self.by_name["RS256"].as_pem(private=False)
            return f"{said}.{_encoded(hmac.digest(secret, said.encode(), 'sha256'))}"
        name = "RS256" if by == "other" else by
        key = self.other if by == "other" else self.by_name[name]
        registry = JWSRegistry(algorithms=[name], strict_check_header=False)
        return jwt.encode({"alg": name, "kid": self.kids[name], **header}, claims, key, registry=registry)


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def provider(issuer: str) -> FastAPI:
    app = FastAPI()
    keys = Keys()
    told: dict[str, Any] = {"sub": "nobody", "claims": {}}
    codes: dict[str, dict[str, str]] = {}
    asked = {"jwks": 0}

    @app.get("/.well-known/openid-configuration")
    def metadata() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    @app.get("/jwks")
    def jwks() -> dict[str, Any]:
        asked["jwks"] += 1
        return keys.shown()

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        query = dict(request.query_params)
        if query["response_type"] != "code" or query["code_challenge_method"] != "S256":
            return Response(status_code=400)
        code = secrets.token_urlsafe(16)
        codes[code] = query
        answer = urlencode({"code": code, "state": query["state"], "iss": issuer})
        return RedirectResponse(f"{query['redirect_uri']}?{answer}", 302)

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        query = codes.pop(form["code"], None)
        if (
            query is None
            or form["client_secret"] != "s3cret"
            or form["redirect_uri"] != query["redirect_uri"]
            or create_s256_code_challenge(form["code_verifier"]) != query["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": issuer, "aud": query["client_id"], "iat": now, "exp": now + 60, "nonce": query["nonce"]}
        id_token = keys.sign({**claims, "sub": told["sub"], **told["claims"]}, {}, "ES256")
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": id_token})

    @app.post("/tell")
    async def tell(request: Request) -> None:
        told.update(await request.json())

    @app.post("/sign")
    async def sign(request: Request) -> str:
        wanted = await request.json()
        return keys.sign(wanted["claims"], wanted.get("header", {}), wanted.get("by", "RS256"))

    @app.post("/rotate")
    def rotate() -> None:
        nonlocal keys
        keys = Keys()

    @app.get("/asked")
    def times() -> int:
        return asked["jwks"]

    return app


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(provider(f"http://127.0.0.1:{port}"), host="127.0.0.1", port=port, log_level="warning")
