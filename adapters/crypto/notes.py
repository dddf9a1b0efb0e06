"""Ed25519 (RFC 8032) for signed notes: of logs over their checkpoints, of witnesses over what they saw."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.cosignatures import cosigned_message, stamped, unstamped
from domain.note_keys import KeyKind, NoteError, SignerKey, VerifierKey, key_id
from domain.unproven import Unproven


def new_signer_key(name: str, kind: KeyKind = KeyKind.ED25519) -> SignerKey:
    """A key that did not exist before. Raises NoteError `key.name`."""
    private = Ed25519PrivateKey.generate()
    public = VerifierKey(name, kind, private.public_key().public_bytes_raw())
    return SignerKey(name, kind, public.key_id, private.private_bytes_raw())


def verifier_key(key: SignerKey) -> VerifierKey:
    """The public half. Raises NoteError `key.id` where the key's id is not that of its seed."""
    public = Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw()
    if key_id(key.name, key.kind, public) != key.key_id:
        raise NoteError("key.id", "私钥编号与私钥不符")
    return VerifierKey(key.name, key.kind, public)


class NoteVerifier:
    """Checks signatures of one key (`domain.notes.Verifier`)."""

    def __init__(self, key: VerifierKey) -> None:
        self.name = key.name
        self.key_id = key.key_id
        self.kind = key.kind
        self._key = Ed25519PublicKey.from_public_bytes(key.public)

    def verify(self, text: str, signature: bytes) -> bool:
        try:
            if self.kind is KeyKind.COSIGNATURE:
                at, signature = unstamped(signature)
                message = cosigned_message(text, at)
            else:
                message = text.encode()
            self._key.verify(signature, message)
        except (InvalidSignature, Unproven):
            return False
        return True


class NoteSigner:
    """Signs notes' texts with an `ED25519` key (`domain.notes.Signer`). Raises NoteError `key.kind` or `key.id`."""

    def __init__(self, key: SignerKey) -> None:
        if key.kind is not KeyKind.ED25519:
            raise NoteError("key.kind", "此密钥不用于签署文本")
        self.verifier_key = verifier_key(key)
        self.name = key.name
        self.key_id = key.key_id
        self._key = Ed25519PrivateKey.from_private_bytes(key.seed)

    def sign(self, text: str) -> bytes:
        return self._key.sign(text.encode())


class Cosigner:
    """Signs checkpoints with a `COSIGNATURE` key as of a time, in seconds since the Unix epoch
    (`domain.notes.Signer`). Raises NoteError `key.kind` or `key.id`."""

    def __init__(self, key: SignerKey, at: int) -> None:
        if key.kind is not KeyKind.COSIGNATURE:
            raise NoteError("key.kind", "此密钥不用于见证签名")
        self.verifier_key = verifier_key(key)
        self.name = key.name
        self.key_id = key.key_id
        self._key = Ed25519PrivateKey.from_private_bytes(key.seed)
        self._at = at

    def sign(self, text: str) -> bytes:
        """Raises CheckpointError where the text is no checkpoint, NoteError `cosignature.time`."""
        return stamped(self._at, self._key.sign(cosigned_message(text, self._at)))
