"""For those who receive pushes: checks that one is Shenguan's, and fresh. Needs the standard library only; copy it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_S = 300
"""Older ones, or from further in the future, may be copies that somebody sends again."""


class NotVerified(Exception):
    """Why the request must be answered with 401, and nothing of it believed."""


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The notice's id, by which repeated pushes are known. `secret` as `shenguan channels secret` printed it; `body`
    exactly as it came; `now` in seconds since 1970. Raises NotVerified."""
    named = {name.lower(): value for name, value in headers.items()}
    try:
        id_, timestamp = named["webhook-id"], named["webhook-timestamp"]
        signatures = named["webhook-signature"].split()
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        sent = int(timestamp)
    except (KeyError, ValueError, binascii.Error):
        raise NotVerified("headers") from None
    if abs(now - sent) > TOLERANCE_S:
        raise NotVerified("time")
    expected = hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    wanted = "v1," + base64.b64encode(expected).decode()
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in signatures):
        raise NotVerified("signature")
    return id_
