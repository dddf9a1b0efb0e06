"""What a receiver's answer to a push means, and the push itself: a structured CloudEvent with its signatures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adapters.channels.http import Answer, Line, NotReached

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
GONE = 410
UNREADY = frozenset({401, 403, 404, 405, 407, 408, 421, 423, 425, 429})
"""Of the answers in the 400s those that speak of the server's state or ours, not of the notice: it may be mended."""
_REFERENCE = re.compile(r"[!-~]{1,200}")

Fate = Literal["taken", "refused", "gone", "temporary"]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push. `reference`: what the receiver calls it, else its webhook-id; `detail`: why it failed."""

    fate: Fate
    reference: str = ""
    detail: str = ""
    retry_after: float | None = None


def push(line: Line, body: bytes, id_: str, timestamp: int, signatures: str) -> Pushed:
    """Sends a notice once."""
    headers = {
        "content-type": CONTENT_TYPE,
        "user-agent": "shenguan",
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures,
    }
    try:
        answer = line.post(body, headers)
    except NotReached as why:
        return Pushed("temporary", detail=str(why))
    return read(answer, id_)


def read(answer: Answer, id_: str) -> Pushed:
    detail = f"HTTP {answer.status}"
    if 200 <= answer.status < 300:
        theirs = answer.headers.get("x-request-id", "")
        return Pushed("taken", theirs if _REFERENCE.fullmatch(theirs) else id_)
    if answer.status == GONE:
        return Pushed("gone", detail=detail)
    if 400 <= answer.status < 500 and answer.status not in UNREADY:
        return Pushed("refused", detail=detail)
    return Pushed("temporary", detail=detail, retry_after=answer.retry_after)


def structured(attributes: Mapping[str, str | int | bool], data: bytes) -> bytes:
    """The CloudEvent with everything in the body, for that is what is signed; its data are the bytes as given."""
    head = json.dumps({**attributes, "datacontenttype": "application/json"}, ensure_ascii=False)
    return head[:-1].encode() + b', "data": ' + data + b"}"
