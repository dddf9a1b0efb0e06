"""An arrival: one record that a principal's system writes to its intake topic, with what must become of it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Disposition = Literal["accepted", "refused", "duplicate", "conflict", "parked", "dead"]


@dataclass(slots=True)
class Arrival:
    """`arrives` orders the year; `raw` replaces `data` where the bytes are no JSON at all.

    `layout` "pretty" asks the feed for indented JSON: other bytes, the same content. `readable` is False where the
    CloudEvents attributes themselves cannot be read, so that nobody can tell its source and id.
    """

    principal: str
    key: str
    attributes: dict[str, str]
    data: dict[str, Any]
    arrives: datetime
    mode: Literal["binary", "structured"] = "binary"
    disposition: Disposition = "accepted"
    rule: str | None = None
    layout: Literal["compact", "pretty"] = "compact"
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    readable: bool = True

    @property
    def source(self) -> str:
        return self.attributes.get("source", "") if self.readable else ""

    @property
    def id(self) -> str:
        return self.attributes.get("id", "") if self.readable else ""

    def notice(self, addressee: str) -> str:
        """The id of the notice that this fact owes the addressee."""
        return f"{addressee}/{self.source}/{self.id}"

    def line(self) -> str:
        """The line of the file, without its end."""
        if self.raw is not None:
            found: dict[str, Any] = {
                "principal": self.principal,
                "key": self.key,
                "raw_base64": base64.b64encode(self.raw).decode(),
                "headers": self.headers,
            }
        else:
            found = {
                "principal": self.principal,
                "key": self.key,
                "mode": self.mode,
                "attributes": self.attributes,
                "data": self.data,
            }
            if self.layout != "compact":
                found["layout"] = self.layout
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    def expectation(self) -> list[str | None]:
        """The line of the truth."""
        return [self.principal, self.source, self.id, self.disposition, self.rule]
