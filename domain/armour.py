"""Bytes as text: base64 (RFC 4648 §4) with its padding, one spelling for each value, so that none can be altered
unnoticed; and text as bytes."""

from __future__ import annotations

import base64
import binascii


def armoured(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def unarmoured(text: str) -> bytes:
    """Raises ValueError for what `armoured` would not have written."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("not base64") from None
    if armoured(data) != text:
        raise ValueError("not canonical base64")
    return data


def is_unicode(text: str) -> bool:
    """Whether UTF-8 has a spelling for it: half a surrogate pair, which Python's strings may hold, has none."""
    return not any("\ud800" <= one <= "\udfff" for one in text)
