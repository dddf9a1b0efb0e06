"""Keys of signed notes: how a signer is named and its keys are written down (C2SP signed-note).

A key is known by its name and its id, four bytes of a digest over name, kind and public key. Kinds: Ed25519 over the
note's text, and Ed25519 of a witness over a checkpoint with a time (C2SP tlog-cosignature).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from domain.armour import armoured, is_unicode, unarmoured
from domain.unproven import Unproven

ID_SIZE: Final = 4
KEY_SIZE: Final = 32  # of an Ed25519 public key and of its seed (RFC 8032 §5.1.5)
_SECRET: Final = "PRIVATE+KEY+"
_ID = re.compile(r"[0-9a-f]{8}")


class KeyKind(IntEnum):
    """The signature type's byte."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


class NoteError(Unproven):
    """A note, or a key for notes, that is malformed or does not verify."""


def is_key_name(name: str) -> bool:
    """Not empty, without Unicode spaces, plus signs and control characters, and with a spelling in UTF-8."""
    return name != "" and is_unicode(name) and not any(one.isspace() or one == "+" or one < " " for one in name)


def key_id(name: str, kind: KeyKind, public: bytes) -> bytes:
    """Four bytes: SHA-256(name ‖ 0x0A ‖ kind ‖ public key), cut off."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:ID_SIZE]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key, which may be published. Raises NoteError `key.name` or `key.length`."""

    name: str
    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        _check(self.name, self.public)

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.kind, self.public)

    @property
    def text(self) -> str:
        """`<name>+<id in hexadecimal>+<base64 of kind and public key>`."""
        return f"{self.name}+{self.key_id.hex()}+{armoured(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A private key: `seed` must stay secret. `key_id` is that of its public key, which whoever can derive it checks.

    Raises NoteError `key.name` or `key.length`.
    """

    name: str
    kind: KeyKind
    key_id: bytes
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check(self.name, self.seed)

    @property
    def text(self) -> str:
        """`PRIVATE+KEY+<name>+<id in hexadecimal>+<base64 of kind and seed>`."""
        return f"{_SECRET}{self.name}+{self.key_id.hex()}+{armoured(bytes([self.kind]) + self.seed)}"


def parse_verifier_key(text: str) -> VerifierKey:
    """Raises NoteError `key.shape`, `key.kind`, `key.id` or as `VerifierKey` does."""
    name, wanted, kind, public = _parts(text)
    key = VerifierKey(name, kind, public)
    if key.key_id != wanted:
        raise NoteError("key.id", "公钥编号与公钥不符")
    return key


def parse_signer_key(text: str) -> SignerKey:
    """Raises NoteError `key.shape`, `key.kind` or as `SignerKey` does; no message repeats any of the text."""
    if not text.startswith(_SECRET):
        raise NoteError("key.shape", "签名私钥格式不正确")
    name, id_, kind, seed = _parts(text.removeprefix(_SECRET))
    return SignerKey(name, kind, id_, seed)


def _parts(text: str) -> tuple[str, bytes, KeyKind, bytes]:
    parts = text.split("+", 2)  # base64 may hold a plus, names may not
    if len(parts) != 3 or _ID.fullmatch(parts[1]) is None:
        raise NoteError("key.shape", "密钥格式不正确")
    try:
        data = unarmoured(parts[2])
    except ValueError:
        raise NoteError("key.shape", "密钥格式不正确") from None
    if data[:1] not in {bytes([kind]) for kind in KeyKind}:
        raise NoteError("key.kind", "不支持的签名类型")
    return parts[0], bytes.fromhex(parts[1]), KeyKind(data[0]), data[1:]


def _check(name: str, key: bytes) -> None:
    if not is_key_name(name):
        raise NoteError("key.name", "密钥名称为空，或含空白、加号、控制字符")
    if len(key) != KEY_SIZE:
        raise NoteError("key.length", f"密钥应为{KEY_SIZE}字节")
