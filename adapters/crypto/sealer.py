"""AES-256-GCM per subject, keys wrapped by a master key; HMAC for pseudonyms and content hashes.

A sealed value is nonce ‖ ciphertext of (salt ‖ plain text); its commitment is SHA-256(salt ‖ plain text), so that the
salt goes with the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.personal import Sealed

CACHE = 50_000
KEPT_S = 5.0
"""For so long a key that was destroyed may still be used where it is known."""
SALT = 16
NONCE = 12


class KeyStore(Protocol):
    """Where wrapped keys are kept."""

    def fetch(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """The wrapped keys there are; destroyed ones are missing."""
        ...

    def add(self, wrapped: dict[str, bytes]) -> set[str]:
        """Stores new keys and says of whom; one that somebody else stored first stays."""
        ...


class MasterKeyError(Exception):
    """The master key is missing, malformed, or not the one that wrapped the store's keys."""


class SubjectErased(Exception):
    """The subject's key was destroyed on purpose: nothing more is kept of it."""


def read_master_key(path: Path) -> bytes:
    """The 32 bytes in the file, written in hexadecimal. Raises MasterKeyError."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise MasterKeyError(f"{path}: {error}") from None
    if len(key) != 32:
        raise MasterKeyError(f"{path}: 须为 32 字节的十六进制文本")
    return key


def _plain(value: str) -> str:
    """However the number was typed (spaces, width, case), the same person is the same subject."""
    return "".join(unicodedata.normalize("NFKC", value).split()).upper()


def _label(subjects: Sequence[str]) -> bytes:
    return "\n".join(subjects).encode()


class Sealer:
    """Seals and opens. `prepare` fetches or makes the keys that a batch needs in one go. Keys are asked for anew every
    few seconds: who was erased is seen no more."""

    def __init__(self, master: bytes, keys: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._wrap = AESGCM(master)
        self._pepper = hmac.digest(master, b"shenguan pepper", hashlib.sha256)
        self._store = keys
        self._keys: OrderedDict[str, bytes] = OrderedDict()  # a ready cipher takes forty times the room
        self._clock = clock
        self._since = clock()

    def prepare(self, subjects: Iterable[str], *, create: bool = True) -> None:
        """Makes these subjects' keys known. Raises MasterKeyError if they were wrapped under another master key."""
        self._age()
        missing = {s for s in subjects if s not in self._keys}
        if not missing:
            return
        self._learn(self._store.fetch(missing))
        new = {s: os.urandom(32) for s in missing if s not in self._keys} if create else {}
        if new:
            wrapped = {}
            for subject, key in new.items():
                nonce = os.urandom(NONCE)
                wrapped[subject] = nonce + self._wrap.encrypt(nonce, key, subject.encode())
            added = self._store.add(wrapped)
            self._keep({subject: new[subject] for subject in added})
            if len(added) < len(new):  # somebody else was faster with these, or they were destroyed
                self._learn(self._store.fetch(new.keys() - added))

    def misfits(self, wrapped: Mapping[str, bytes]) -> list[str]:
        """The subjects whose key does not unwrap under the master key."""
        return [subject for subject, box in wrapped.items() if self._unwrap(subject, box) is None]

    def forget(self) -> None:
        """Asks the store for every key anew."""
        self._keys.clear()
        self._since = self._clock()

    def _age(self) -> None:
        if self._clock() - self._since > KEPT_S:
            self.forget()

    def seal(self, subject: str, value: str) -> Sealed:
        """Raises SubjectErased where the subject's key was destroyed."""
        key = self._keys.get(subject)
        if key is None:
            self.prepare((subject,))
            key = self._keys.get(subject)
            if key is None:
                raise SubjectErased(subject)
        random = os.urandom(SALT + NONCE)
        salted, nonce = random[:SALT] + value.encode(), random[SALT:]
        return Sealed(
            subject=subject,
            ciphertext=base64.b64encode(nonce + AESGCM(key).encrypt(nonce, salted, subject.encode())).decode(),
            commitment=hashlib.sha256(salted).hexdigest(),
        )

    def seal_all(self, texts: Mapping[str, str]) -> dict[str, Sealed]:
        """One text for each subject, their keys made at once. Raises as `seal`."""
        self.prepare(texts)
        return {subject: self.seal(subject, text) for subject, text in texts.items()}

    def open(self, sealed: Sealed) -> str | None:
        """The plain value; None where the key was destroyed."""
        found = self.opening(sealed)
        return found[1] if found is not None else None

    def opening(self, sealed: Sealed) -> tuple[bytes, str] | None:
        """The salt and the plain value, by which a stranger may check the commitment; None where the key was
        destroyed."""
        self._age()
        key = self._keys.get(sealed.subject)
        if key is None:
            self.prepare((sealed.subject,), create=False)
            key = self._keys.get(sealed.subject)
            if key is None:
                return None
        data = base64.b64decode(sealed.ciphertext)
        salted = AESGCM(key).decrypt(data[:NONCE], data[NONCE:], sealed.subject.encode())
        return salted[:SALT], salted[SALT:].decode()

    def seal_jointly(self, subjects: Iterable[str], value: bytes) -> str:
        """Base64 of what opens only while there is the key of every one of the subjects: for what holds something of
        each and cannot be divided. Raises SubjectErased."""
        whose = sorted(set(subjects))
        self.prepare(whose)
        nonce = os.urandom(NONCE)
        return base64.b64encode(nonce + self._joint(whose).encrypt(nonce, value, _label(whose))).decode()

    def open_jointly(self, subjects: Iterable[str], ciphertext: str) -> bytes | None:
        """The plain value; None where the key of one of them was destroyed."""
        whose = sorted(set(subjects))
        self.prepare(whose, create=False)
        try:
            cipher = self._joint(whose)
        except SubjectErased:
            return None
        data = base64.b64decode(ciphertext)
        return cipher.decrypt(data[:NONCE], data[NONCE:], _label(whose))

    def _joint(self, subjects: Sequence[str]) -> AESGCM:
        """Their keys are as random as keys can be, so that a hash of them all is one."""
        keys = []
        for subject in subjects:
            if (key := self._keys.get(subject)) is None:
                raise SubjectErased(subject)
            keys.append(key)
        return AESGCM(hmac.digest(b"shenguan joint", b"".join(keys), hashlib.sha256))

    def pseudonym(self, value: str) -> str:
        """24 hexadecimal characters."""
        return hmac.digest(self._pepper, b"person\0" + _plain(value).encode(), hashlib.sha256).hex()[:24]

    def content(self, canonical: bytes) -> bytes:
        """32 bytes: the keyed hash of a canonical content. Keyed, because identity numbers can be guessed."""
        return hmac.digest(self._pepper, b"content\0" + canonical, hashlib.sha256)

    def _learn(self, wrapped: dict[str, bytes]) -> None:
        keys = {}
        for subject, box in wrapped.items():
            key = self._unwrap(subject, box)
            if key is None:
                raise MasterKeyError("主密钥不是封存此库数据时所用的密钥")
            keys[subject] = key
        self._keep(keys)

    def _unwrap(self, subject: str, box: bytes) -> bytes | None:
        try:
            return self._wrap.decrypt(box[:NONCE], box[NONCE:], subject.encode())
        except (InvalidTag, ValueError):  # the latter where it is too short for a nonce
            return None

    def _keep(self, keys: Mapping[str, bytes]) -> None:
        self._keys |= keys
        while len(self._keys) > CACHE:
            self._keys.popitem(last=False)
