"""The feed: lines of the generated files as Kafka records, without knowing Kafka."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from adapters.crypto.jws import ATTRIBUTE
from infra.generator.signers import Sign

Headers = list[tuple[str, bytes]]
Send = Callable[[str, bytes, Headers, bytes], None]
"""(principal, key, headers, value)."""
FILES = ("registers.jsonl", "submissions.jsonl")


def feed(out: Path, send: Send, files: Iterable[str] = FILES, sign: Sign | None = None) -> int:
    """Sends every line in order, one file after the other, signed by those who sign; how many there were.

    The registers must have settled before the submissions are decided (see `infra.generator.year`): feed the files
    one by one where the intake runs meanwhile.
    """
    count = 0
    for name in files:
        with (out / name).open(encoding="utf-8") as lines:
            for line in lines:
                send(*record(json.loads(line), sign))
                count += 1
    return count


def record(line: dict[str, Any], sign: Sign | None = None) -> tuple[str, bytes, Headers, bytes]:
    """A line as (principal, key, headers, value): CloudEvents in binary or structured mode, or the raw bytes given.
    What is raw, or laid out by hand, nobody signs."""
    principal, key = line["principal"], line["key"].encode()
    if "raw_base64" in line:
        headers = [(name, text.encode()) for name, text in line["headers"].items()]
        return principal, key, headers, base64.b64decode(line["raw_base64"])
    attributes: dict[str, str] = line["attributes"]
    pretty = line.get("layout") == "pretty"
    if sign is not None and not pretty and (jws := sign(principal, attributes, _json(line["data"], pretty))):
        attributes = {**attributes, ATTRIBUTE: jws}
    if line["mode"] == "structured":
        body = {**attributes, "datacontenttype": "application/json", "data": line["data"]}
        return principal, key, [("content-type", b"application/cloudevents+json")], _json(body, pretty)
    headers = [("content-type", b"application/json")]
    headers += [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return principal, key, headers, _json(line["data"], pretty)


def _json(value: Any, pretty: bool) -> bytes:
    if pretty:
        return json.dumps(value, ensure_ascii=True, indent=2).encode()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
