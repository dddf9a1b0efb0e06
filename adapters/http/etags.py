"""Entity tags (RFC 9110 §8.8.3): an answer is named by what it was made from, before it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fastapi import Request

from adapters.http.problems import Problem


class NotModified(Problem):
    """The client has the answer already: 304, without a body."""

    def __init__(self, tag: str) -> None:
        super().__init__(304, "未变", "not modified", headers={"ETag": tag, "Cache-Control": "private, no-cache"})


def tag_of(parts: Iterable[object]) -> str:
    """A weak tag: answers of the same tag mean the same, byte by byte or not."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
    return f'W/"{digest[:32]}"'


def check(request: Request, tag: str) -> None:
    """Raises NotModified where `If-None-Match` has the tag."""
    asked = request.headers.get("if-none-match", "")
    if asked and tag in (part.strip() for part in asked.split(",")):
        raise NotModified(tag)
