"""见证: what a witness makes of a checkpoint that it is shown, by the last one that it cosigned (C2SP tlog-witness).

A proposal, as it is sent: the line `old <size>`, a line of base64 for each hash of the consistency proof from that
size, an empty line, the signed note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from domain.armour import armoured, unarmoured
from domain.checkpoints import Checkpoint
from domain.ledger_heads import commitments
from domain.merkle import EMPTY_ROOT, HASH_SIZE, Head, ProofError
from domain.merkle_proofs import verify_growth
from domain.notes import MAX_BYTES
from domain.unproven import Unproven

MAX_PATH: Final = 63
MAX_PROPOSAL: Final = MAX_BYTES + 4096
NOTHING: Final = Head(0, EMPTY_ROOT)
"""What was cosigned of a log that nobody has shown yet."""
Shown = Literal["sent", "filed", "latest"]
"""How a witness came to see it: anybody may have sent it, who did not make it; it lay in a file that may lag behind;
the log itself has just said that this is its latest, and that this is the proof."""
_OLD: Final = re.compile(rb"old (0|[1-9][0-9]{0,18})")


class Refused(Unproven):
    """A witness does not cosign. `message` is Chinese, `en` English; `fork`: what it was shown and what it had cosigned
    cannot both be of one log that only grew, and the log itself has signed both."""

    def __init__(self, rule: str, zh: str, en: str, *, fork: bool = False) -> None:
        super().__init__(rule, zh)
        self.en = en
        self.fork = fork


@dataclass(frozen=True, slots=True)
class Proposal:
    """A signed note, and the proof that its log began as that of the first `old` entries."""

    old: int
    path: tuple[bytes, ...]
    note: bytes

    @property
    def data(self) -> bytes:
        """As it is sent."""
        lines = "".join(f"{armoured(one)}\n" for one in self.path)
        return f"old {self.old}\n{lines}\n".encode() + self.note


def parse_proposal(data: bytes) -> Proposal:
    """Reads what a log sends; the note is not looked into. Raises Refused `witness.shape`."""
    head, blank, note = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    old = _OLD.fullmatch(first)
    if not blank or old is None or len(lines) > MAX_PATH or len(data) > MAX_PROPOSAL:
        raise _misshapen()
    try:
        path = tuple(unarmoured(line.decode("ascii")) for line in lines)
    except (ValueError, UnicodeDecodeError):
        raise _misshapen() from None
    if any(len(one) != HASH_SIZE for one in path):
        raise _misshapen()
    return Proposal(int(old[1]), path, note)


def judge(
    kept: Checkpoint | None, proposed: Checkpoint, old: int, path: Sequence[bytes], shown: Shown = "sent"
) -> None:
    """Whether a witness that last cosigned `kept` cosigns what is proposed with a proof from the size `old`; both are
    of one origin, with signatures verified.

    Raises Refused: `witness.root`, `witness.ledgers` (two that were signed for one size differ), `witness.shorter` (it
    is smaller than what was cosigned), `witness.old` (the old size is larger than the new), `witness.size` (it is not
    the one that was cosigned), `witness.growth` (the proof does not hold).
    """
    head, size = (kept.head, kept.size) if kept is not None else (NOTHING, 0)
    if kept is not None and size == proposed.size:
        _same(kept, proposed)
    if shown != "sent" and proposed.size < size:
        raise Refused(
            "witness.shorter",
            f"日志最新的检查点大小为{proposed.size}，小于曾见证的{size}：日志被退回",
            f"the log's latest checkpoint is of size {proposed.size}, but size {size} was cosigned: it was rolled back",
            fork=shown == "latest",
        )
    if old > proposed.size:
        raise Refused(
            "witness.old",
            f"所称旧大小{old}大于检查点的大小{proposed.size}",
            f"the old size {old} is larger than the checkpoint's, {proposed.size}",
        )
    if old != size:
        raise Refused("witness.size", f"曾见证的大小是{size}，不是{old}", f"size {size} was cosigned, not {old}")
    try:
        verify_growth(head, proposed.head, path)
    except ProofError as error:
        raise Refused(
            "witness.growth",
            f"大小为{proposed.size}的检查点未被证明是曾见证的大小{size}的延续：{error.message}（{error.rule}）",
            f"that size {proposed.size} goes on from size {size}, which was cosigned, is not proven ({error.rule})",
            fork=shown == "latest",
        ) from None


def _same(kept: Checkpoint, proposed: Checkpoint) -> None:
    """Of one size there is one tree, and one state of all ledgers."""
    if kept.root != proposed.root:
        raise Refused(
            "witness.root",
            f"大小为{kept.size}的检查点有两个不同的根：日志已分叉",
            f"there are two roots of size {kept.size}: the log is forked",
            fork=True,
        )
    if commitments(kept) != commitments(proposed):
        raise Refused(
            "witness.ledgers",
            f"大小为{kept.size}的检查点对各编号簿有两种承诺：日志已分叉",
            f"there are two commitments to the ledgers of size {kept.size}: the log is forked",
            fork=True,
        )


def _misshapen() -> Refused:
    return Refused("witness.shape", "见证请求格式不正确", "this is no request to a witness")
