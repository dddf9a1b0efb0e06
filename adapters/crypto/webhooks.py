"""Signatures of pushes by the Standard Webhooks specification: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.crypto.sealer import NONCE, MasterKeyError

PREFIX = "whsec_"
SIZE = 32


def new_secret() -> bytes:
    return os.urandom(SIZE)


def shown(secret: bytes) -> str:
    """As the receiver writes it into its settings."""
    return PREFIX + base64.b64encode(secret).decode()


def sign(secrets: Sequence[bytes], id_: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature by each of the secrets."""
    signed = f"{id_}.{timestamp}.".encode() + body
    macs = (hmac.digest(secret, signed, hashlib.sha256) for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


class SecretBox:
    """Wraps secrets under the master key, each for its department only."""

    def __init__(self, master: bytes) -> None:
        self._cipher = AESGCM(master)

    def wrap(self, department: str, secret: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, _label(department))

    def unwrap(self, department: str, box: bytes) -> bytes:
        """Raises MasterKeyError."""
        try:
            return self._cipher.decrypt(box[:NONCE], box[NONCE:], _label(department))
        except InvalidTag:
            raise MasterKeyError("主密钥不是封存推送密钥时所用的密钥") from None


def _label(department: str) -> bytes:
    return f"push/{department}".encode()
