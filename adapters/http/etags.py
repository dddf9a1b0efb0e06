"""Entity tags (RFC 9110 §8.8.3): an answer is named by what it was made from, before it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from fastapi import Request

from adapters.http.problems import Problem


class NotModified(Problem):
    """The client has the answer already: 304, without a body. `headers`: what the answer would have said of how it may
    be kept, where that is not what every answer says (RFC 9110 §15.4.5)."""

    def __init__(self, tag: str, headers: Mapping[str, str]) -> None:
        super().__init__(304, "未变", "not modified", headers={"ETag": tag, **headers})


def tag_of(parts: Iterable[object]) -> str:
    """A weak tag: answers of the same tag mean the same, byte by byte or not."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
    return f'W/"{digest[:32]}"'


def check(request: Request, tag: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """Raises NotModified where `If-None-Match` has the tag."""
    asked = request.headers.get("if-none-match", "")
    if asked and tag in (part.strip() for part in asked.split(",")):
        raise NotModified(tag, headers)
