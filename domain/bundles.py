"""Entry bundles: up to 256 entries of the log in one file, beside the tile of their leaf hashes (C2SP tlog-tiles).

An entry's length stands before it in two bytes, big-endian: entries longer than 65,535 bytes do not fit this format.
A log that has such must make them small enough before they become entries, as by entering a digest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.tiles import WIDTH, TileError

MAX_ENTRY: Final = 0xFFFF  # bytes


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 entries. Raises TileError `bundle.count` or `entry.long`."""
    if not 0 < len(entries) <= WIDTH:
        raise TileError("bundle.count", f"条目束应有1至{WIDTH}个条目")
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise TileError("entry.long", f"条目超过{MAX_ENTRY}字节")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries that the bundle's path promises. Raises TileError `bundle.count` or `bundle.short`."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        end = start + int.from_bytes(data[at:start], "big")
        if end > len(data):
            raise TileError("bundle.short", "条目束在条目中间结束")
        entries.append(data[start:end])
        at = end
    if len(entries) != width:
        raise TileError("bundle.count", f"条目束应有{width}个条目，实有{len(entries)}个")
    return entries
