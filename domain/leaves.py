"""叶: the bytes of one event in the transparency log, for ever.

A leaf is format (1 byte) ‖ position (8) ‖ recorded_at (8, signed: microseconds since 1970-01-01T00:00:00Z) ‖ the stored
bytes of the event's row; integers are big-endian. What stands in the tree is its hash (`domain.merkle.leaf_hash`).

Format 1 has the row's state as it is stored. Where that would be longer than an entry bundle takes (C2SP tlog-tiles:
65,535 bytes), and only there, format 2 has in its place 40 bytes: the state's length (8) ‖ its SHA-256.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from domain.bundles import MAX_ENTRY
from domain.unproven import Unproven

WHOLE: Final = 1
DIGEST: Final = 2
_HEAD: Final = struct.Struct(">BQq")
_LENGTH: Final = struct.Struct(">Q")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEDGER: Final = b"ledger/"  # as `domain.notices.ledger_stream` has it; alone, so that a verifier needs little
_MOST_DIGITS: Final = 19  # of a version: PostgreSQL's bigint


class LeafError(Unproven):
    """Bytes that are no leaf, or an event that none can be made of."""


class Row(NamedTuple):
    """An event as it is stored. `recorded_at` in microseconds since the epoch; `stream` and `topic` are UTF-8."""

    position: int
    recorded_at: int
    stream: bytes
    version: int
    topic: bytes
    state: bytes

    @property
    def addressee(self) -> str | None:
        """Whose ledger the row is an entry of; None: it is in no ledger."""
        return self.stream.removeprefix(_LEDGER).decode() if self.stream.startswith(_LEDGER) else None


class Digest(NamedTuple):
    """What a leaf has of a state that is too long for it."""

    length: int
    sha256: bytes

    @property
    def data(self) -> bytes:
        return _LENGTH.pack(self.length) + self.sha256


def digest(state: bytes) -> Digest:
    return Digest(len(state), sha256(state).digest())


def stored_bytes(stream: bytes, version: int, topic: bytes, state: bytes) -> bytes:
    """Stream, version in decimal, topic, state, each with its length (8 bytes) before it."""
    parts = (stream, b"%d" % version, topic, state)
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def leaf(row: Row) -> bytes:
    """At most 65,535 bytes. Raises LeafError `leaf.long` where stream and topic alone are longer."""
    return leaves((row,))[0]


def leaves(rows: Iterable[Row]) -> list[bytes]:
    """`leaf` of each; what the tree is made and checked from in bulk."""
    head, length = _HEAD.pack, _LENGTH.pack
    topics: dict[bytes, bytes] = {}
    found = []
    for position, recorded_at, stream, version, topic, state in rows:
        number = b"%d" % version
        named = topics.get(topic)
        if named is None:
            named = topics[topic] = length(len(topic)) + topic
        before = b"%b%b%b%b%b" % (length(len(stream)), stream, length(len(number)), number, named)
        one = b"%b%b%b%b" % (head(WHOLE, position, recorded_at), before, length(len(state)), state)
        if len(one) > MAX_ENTRY:
            part = digest(state).data
            one = b"%b%b%b%b" % (head(DIGEST, position, recorded_at), before, length(len(part)), part)
            if len(one) > MAX_ENTRY:
                raise LeafError("leaf.long", f"叶超过{MAX_ENTRY}字节")
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says. `recorded_at` in microseconds since the epoch."""

    position: int
    recorded_at: int
    stream: str
    version: int
    topic: str
    state: bytes | Digest

    @property
    def at(self) -> datetime:
        return moment(self.recorded_at)

    def is_of(self, state: bytes) -> bool:
        """Whether the event has this state."""
        return (digest(state) if isinstance(self.state, Digest) else state) == self.state


def parse_leaf(data: bytes) -> Leaf:
    """Reads a leaf; nothing else has the same bytes. Raises LeafError `leaf.format`, `leaf.short`, `leaf.long`,
    `leaf.text` (no UTF-8), `leaf.version` or `leaf.digest`."""
    if len(data) > MAX_ENTRY:
        raise LeafError("leaf.long", f"叶超过{MAX_ENTRY}字节")
    if len(data) < _HEAD.size:
        raise LeafError("leaf.short", "叶在中间结束")
    format_, position, recorded_at = _HEAD.unpack_from(data)
    if format_ not in (WHOLE, DIGEST):
        raise LeafError("leaf.format", "不支持的叶格式")
    stream, number, topic, state = _parts(data)
    try:
        texts = stream.decode(), topic.decode()
    except UnicodeDecodeError:
        raise LeafError("leaf.text", "叶中的文字不是UTF-8") from None
    if not (number.isdigit() and len(number) <= _MOST_DIGITS and b"%d" % int(number) == number):
        raise LeafError("leaf.version", "叶中的版本号须为不带前导零的十进制数")
    found: bytes | Digest = state
    if format_ == DIGEST:
        if len(state) != _LENGTH.size + sha256().digest_size:
            raise LeafError("leaf.digest", "叶中的内容摘要长度不正确")
        found = Digest(_LENGTH.unpack_from(state)[0], state[_LENGTH.size :])
        if len(data) - len(state) + found.length <= MAX_ENTRY:
            raise LeafError("leaf.digest", "内容不长，叶中却只有其摘要")
    return Leaf(position, recorded_at, texts[0], int(number), texts[1], found)


def _parts(data: bytes) -> list[bytes]:
    parts, at = [], _HEAD.size
    for _ in range(4):
        start = at + _LENGTH.size
        if start > len(data):
            raise LeafError("leaf.short", "叶在中间结束")
        at = start + _LENGTH.unpack_from(data, start - _LENGTH.size)[0]
        if at > len(data):
            raise LeafError("leaf.short", "叶在中间结束")
        parts.append(data[start:at])
    if at != len(data):
        raise LeafError("leaf.long", "叶的末尾有多余的字节")
    return parts


def microseconds(at: datetime) -> int:
    """Since the epoch. Raises TypeError for a time without its zone."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(recorded_at: int) -> datetime:
    """Raises LeafError `leaf.time` for what no calendar has."""
    try:
        return _EPOCH + timedelta(microseconds=recorded_at)
    except OverflowError:
        raise LeafError("leaf.time", "叶中的时间不合理") from None
