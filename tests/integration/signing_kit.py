"""Keys that principals sign with, and their registration."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.crypto.jws import JwsSigner
from domain.key_registering import RegisterKey
from domain.public_keys import PublicKey
from tests.integration.region import DAY
from tests.integration.teststore import TestStore

KEY, OTHER = (JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2))


def register(store: TestStore, principal: str, key: JwsSigner = KEY, **more: Any) -> None:
    """The principal may sign with it from now on."""
    entry = PublicKey(principal=principal, public_key=key.public_key, **more)
    store.submit(RegisterKey(entry=entry, valid_from=DAY, basis="登记表"), principal="operator")
