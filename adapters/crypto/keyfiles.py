"""Private keys in files, as other people's tools write and read them: PKCS#8 in PEM."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.crypto.jws import JwsSigner


class KeyFileError(Exception):
    """There is no such file, or no Ed25519 key in it. In both languages: `zh`, `en`."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh = zh
        self.en = en


def new_key(path: Path) -> JwsSigner:
    """Makes one; only the owner may read its file. Raises OSError, FileExistsError where there is one already."""
    key = Ed25519PrivateKey.generate()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return JwsSigner(key)


def read_key(path: Path) -> JwsSigner:
    """Raises KeyFileError."""
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyFileError(f"不能读取 {path}：{error.strerror}", f"cannot read {path}: {error.strerror}") from None
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyFileError(
            f"{path} 中没有未加密的 Ed25519 私钥（PKCS#8 PEM）", f"{path} holds no plain Ed25519 key (PKCS#8 PEM)"
        )
    return JwsSigner(found)
