"""见证签名: a witness says that, at some time, this checkpoint was the largest it saw of a log that only grew.

Ed25519 cosignatures, `cosignature/v1` (C2SP tlog-cosignature): eight bytes of time, then the signature.
"""

from __future__ import annotations

from typing import Final

from domain.checkpoints import parse_checkpoint
from domain.note_keys import NoteError

STAMP_SIZE: Final = 8
MAX_TIME: Final = 2**63 - 1


def cosigned_message(text: str, at: int) -> bytes:
    """What a witness signs: the checkpoint's text under a header and the time, in seconds since the Unix epoch.

    Raises CheckpointError where the text is no checkpoint, NoteError `cosignature.time`.
    """
    parse_checkpoint(text)
    if not 0 <= at <= MAX_TIME:
        raise NoteError("cosignature.time", "见证时间不合理")
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def stamped(at: int, signature: bytes) -> bytes:
    """The note signature: time and signature."""
    return at.to_bytes(STAMP_SIZE, "big") + signature


def unstamped(signature: bytes) -> tuple[int, bytes]:
    """The time, in seconds since the Unix epoch, and the signature. Raises NoteError `cosignature.time`."""
    at = int.from_bytes(signature[:STAMP_SIZE], "big")
    if len(signature) < STAMP_SIZE or at > MAX_TIME:
        raise NoteError("cosignature.time", "见证时间不合理")
    return at, signature[STAMP_SIZE:]
