"""检查点: what a log signs of itself: who it is, how many entries it has, the root over them (C2SP tlog-checkpoint)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.armour import armoured, is_unicode, unarmoured
from domain.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE, Head
from domain.unproven import Unproven

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x1f]")


class CheckpointError(Unproven):
    """A text that is no checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`origin` names the log; `size` in entries; `root` 32 bytes; `extensions` are lines of the log's own, which
    witnesses sign over but do not judge.

    Raises CheckpointError `checkpoint.origin`, `checkpoint.size`, `checkpoint.root` or `checkpoint.extension`.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _line(self.origin):
            raise CheckpointError("checkpoint.origin", "检查点的来源行为空或含控制字符")
        if not 0 <= self.size <= MAX_SIZE:
            raise CheckpointError("checkpoint.size", "检查点的大小不合理")
        if len(self.root) != HASH_SIZE or (self.size == 0 and self.root != EMPTY_ROOT):
            raise CheckpointError("checkpoint.root", "检查点的根不正确")
        if not all(map(_line, self.extensions)):
            raise CheckpointError("checkpoint.extension", "检查点的扩展行为空或含控制字符")

    @property
    def head(self) -> Head:
        return Head(self.size, self.root)

    @property
    def text(self) -> str:
        """The note text that is signed, its last newline included."""
        lines = (self.origin, str(self.size), armoured(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads a note's text, its last newline included; `text` of the result is the same again.

    Raises CheckpointError `checkpoint.shape` or as `Checkpoint` does.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise CheckpointError("checkpoint.shape", "检查点至少有三行，每行以换行结束")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None:
        raise CheckpointError("checkpoint.size", "检查点的大小须为不带前导零的十进制数")
    try:
        found = unarmoured(root)
    except ValueError:
        raise CheckpointError("checkpoint.root", "检查点的根须为规范的base64") from None
    return Checkpoint(origin, int(size), found, tuple(extensions))


def _line(text: str) -> bool:
    """Whether it can be a line of a note: some text without control characters."""
    return text != "" and _CONTROL.search(text) is None and is_unicode(text)
