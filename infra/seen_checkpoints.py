"""The checkpoint that a receipt's signer saw, held against this log: who was shown another log has it in writing."""

from __future__ import annotations

from typing import Any, Final, Literal

from psycopg import Connection

from adapters.postgres.checkpoints import latest
from adapters.postgres.trees import LOG, TreeMismatch, nodes
from domain.armour import armoured
from domain.checkpoints import parse_checkpoint
from domain.merkle import root_of
from domain.notes import parse_note
from domain.signed_receipts import SeenCheckpoint

Standing = Literal["same", "fork", "ahead", "other_log", "unreadable"]
"""`same`: this log at that size. `fork`: that size had another root. `ahead`: this log has not come so far, or was put
back. `other_log`: of another name, of which nothing is known here. `unreadable`: tiles of this log are missing."""
AT_ODDS: Final = frozenset(("fork", "ahead"))
STANDINGS: Final[dict[str, tuple[str, str]]] = {
    "same": ("与本库日志相同", "this log's"),
    "fork": ("同样大小而根不同：另有一部日志", "same size, another root: there is another log"),
    "ahead": ("大于本库日志：本库曾被回退，或另有一部日志", "larger than this log, which was put back or has a double"),
    "other_log": ("别的日志的", "another log's"),
    "unreadable": ("本库日志的瓦片缺失，无从比较", "not comparable: tiles of this log are missing"),
}


def standing(conn: Connection[Any], seen: SeenCheckpoint) -> Standing:
    """By the tree itself, whether or not a checkpoint of just that size was signed here."""
    made = latest(conn)
    if made is None:
        return "ahead"
    if seen.origin != parse_checkpoint(parse_note(made.note.encode()).text).origin:
        return "other_log"
    if seen.size > made.head.size:
        return "ahead"
    try:
        root = root_of(seen.size, nodes(conn, LOG, seen.size))
    except TreeMismatch:
        return "unreadable"
    return "same" if armoured(root) == seen.root else "fork"
