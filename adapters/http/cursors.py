"""Cursors: where the next page of a list begins. Opaque to clients; those of another list are refused."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from adapters.http.problems import Fault, Problem

_TYPES: dict[str, Callable[[Any], Any]] = {"i": int, "s": str, "t": datetime.fromisoformat, "d": date.fromisoformat}


def write(name: str, key: Sequence[Any]) -> str:
    """After the row of that list with this key: whole numbers, texts, days and times."""
    packed = json.dumps([name, *map(_packed, key)], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read(name: str, cursor: str | None, kinds: Sequence[type]) -> list[Any] | None:
    """The key of parts of these kinds; None where there is no cursor. Raises Problem."""
    if cursor is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        listed, *parts = json.loads(packed)
        key = [_TYPES[kind](value) for kind, value in parts]
        if listed != name or [type(part) for part in key] != list(kinds):
            raise ValueError
        if any(isinstance(part, int) and abs(part) >= 2**63 for part in key):
            raise ValueError
        if any("\0" in part for part in key if isinstance(part, str) and part.encode()):
            raise ValueError  # PostgreSQL's texts have none, nor halves of characters
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        fault = Fault(field="query.cursor", rule="cursor.shape", message="must be one that this list gave")
        raise Problem(422, "游标无效", "no cursor of this list", faults=[fault]) from None
    return key


def _packed(part: Any) -> tuple[str, Any]:
    match part:
        case datetime():
            return "t", part.isoformat()
        case date():
            return "d", part.isoformat()
        case int():
            return "i", part
    return "s", str(part)
