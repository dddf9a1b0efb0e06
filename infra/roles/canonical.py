"""What a submission says, whatever its key order and white space: type, time and data by RFC 8785."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import rfc8785

from domain.rules import FieldError, Rejection
from domain.submissions import masked

_UNUSABLE = re.compile("[\0\ud800-\udfff]")
# Sorting by code point differs from RFC 8785's by UTF-16 unit only where keys lie beyond the basic plane.
_UNUSUAL = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]|\\\\u0000")
_SAFE_DIGITS = 15
"""Fewer than 2**53 - 1 has, the largest integer that RFC 8785 takes."""


def canonical(type_: str, time: str, data: bytes) -> bytes:
    """The canonical bytes. Raises Rejection where the data is no JSON, or none that everybody reads alike."""
    try:
        # Of text, small integers, true, false and null the C encoder writes what RFC 8785 asks for.
        text = _write({"data": _read(data.decode()), "time": time, "type": type_})
        if not _UNUSUAL.search(text):
            return text.encode()
    except (ValueError, RecursionError):
        pass
    return _slowly(type_, time, data)


def _unusual(_: str) -> NoReturn:
    raise ValueError


def _small(text: str) -> int:
    return int(text) if len(text) <= _SAFE_DIGITS else _unusual(text)


_read = json.JSONDecoder(parse_float=_unusual, parse_int=_small, parse_constant=_unusual).decode
_write = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def _slowly(type_: str, time: str, data: bytes) -> bytes:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise Rejection(FieldError("data", "json.invalid", "不是有效的 JSON", f"{len(data)} 字节")) from None
    try:
        _refuse_nul(parsed)
        return rfc8785.dumps({"type": type_, "time": time, "data": parsed})
    except (rfc8785.CanonicalizationError, RecursionError):
        raise Rejection(FieldError("data", "json.range", "数值超出可互通的范围或结构过深", "—")) from None


def _refuse_nul(value: Any, name: str = "data") -> None:
    """PostgreSQL text cannot hold NUL, and no honest text has one; nor a lone surrogate."""
    if isinstance(value, str):
        if _UNUSABLE.search(value):
            raise Rejection(FieldError(name, "text.control", "含有不可用的字符", masked(len(value))))
    elif isinstance(value, dict):
        for key, part in value.items():
            _refuse_nul(key)
            _refuse_nul(part, name)
    elif isinstance(value, list):
        for part in value:
            _refuse_nul(part, name)
