"""Every integrated event against the leaf that was integrated for it: the hash path of `shenguan verify`."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from psycopg import Connection

from adapters.postgres.checkpoints import Made, ledgers_at
from adapters.postgres.leaves import raw_rows_after
from adapters.postgres.trees import LOG
from domain.leaves import LeafError, Row, leaves
from domain.ledger_heads import LedgerHead
from domain.merkle import leaf_hashes
from domain.recheck import Problem
from infra.verify_tiles import Leaves, split

BATCH: Final = 8192
BEFORE_ALL: Final = -(2**63)
AHEAD: Final = 4
"""Tiles of each ledger that are fetched at once."""
_LEDGER: Final = b"ledger/"


def events(conn: Connection[Any], made: Made, runs: Sequence[tuple[int, int]]) -> Iterator[Problem]:
    """Up to a checkpoint whose tiles are good: each there, unaltered, in its place, and none beside them; of ledgers
    also in its place among the addressee's own."""
    stored, ledgers = Leaves(conn, LOG), _Ledgers(conn)
    index, position = 0, BEFORE_ALL
    while index < made.head.size:
        rows = raw_rows_after(conn, position, min(BATCH, made.head.size - index))
        wanted = stored.take(len(rows))
        try:
            hashes = leaf_hashes(leaves(rows))
        except (LeafError, struct.error):  # a position that no leaf can have
            hashes = []
        if not rows or b"".join(hashes) != wanted:
            yield _first_wrong(index, rows, split(wanted), runs, made)
            return
        for row, hash_ in zip(rows, hashes, strict=True):
            if row[2].startswith(_LEDGER):
                problem = ledgers.take(Row._make(row), hash_)
                if problem is not None:
                    yield problem
                    return
        index += len(rows)
        position = rows[-1][0]
        if [row[0] for row in rows] != positions_in(runs, index - len(rows), index):
            zh, en = "叶的序号与位置的对应不符", "leaf indexes and positions do not belong together"
            yield Problem(position, "proof.run", "run", zh, en)
            return
    if position != made.position:
        zh, en = (
            f"检查点止于位置 {made.position}，末叶却在 {position}",
            f"the last leaf is at {position}, not {made.position}",
        )
        yield Problem(made.position, f"checkpoint/{made.head.size}", "checkpoint", zh, en)
    yield from ledgers.finish(ledgers_at(conn, made.head.size))


class _Ledgers:
    """Each ledger's entries, as they come by in the log, against its own tree."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        self._trees: dict[str, Leaves] = {}
        self._counts: dict[str, int] = {}

    def take(self, row: Row, hash_: bytes) -> Problem | None:
        addressee = str(row.addressee)
        serial = self._counts[addressee] = self._counts.get(addressee, 0) + 1
        tree = self._trees.get(addressee)
        if tree is None:
            tree = self._trees[addressee] = Leaves(self._conn, addressee, AHEAD)
        if row.version == serial and tree.take(1) == hash_:
            return None
        return _not_in_ledger(addressee, serial, row.position)

    def finish(self, heads: Sequence[LedgerHead]) -> Iterator[Problem]:
        """Nothing is in a ledger that is not in the log."""
        for one in heads:
            if self._counts.get(one.addressee, 0) != one.size:
                yield _not_in_ledger(one.addressee, self._counts.get(one.addressee, 0) + 1, 0)


def _not_in_ledger(addressee: str, serial: int, position: int) -> Problem:
    zh = f"部门 {addressee} 的编号簿第 {serial} 号与其编号簿树不符"
    en = f"serial {serial} of the ledger of {addressee} is not what its tree has"
    return Problem(position, f"ledger/{addressee}", "ledger", zh, en)


def _first_wrong(
    index: int, rows: Sequence[Any], wanted: Sequence[bytes], runs: Sequence[tuple[int, int]], made: Made
) -> Problem:
    """What became of the first leaf that no longer has its event."""
    positions = positions_in(runs, index, min(index + max(len(rows), 1), made.head.size))
    for at, (row, hash_, position) in enumerate(zip(rows, wanted, positions, strict=False), index):
        one = Row._make(row)
        try:
            if leaf_hashes(leaves((one,)))[0] == hash_:
                continue
        except (LeafError, struct.error):
            pass
        if one.position > position:
            return _gone(position, at)
        stream = one.stream.decode(errors="replace")
        if one.position < position:
            zh, en = f"位置 {one.position} 的事件未曾并入日志树", "this event is in no leaf"
            return Problem(one.position, stream, "leaf", zh, f"position {one.position}: {en}")
        zh = f"位置 {position} 的事件已不是并入日志树时的内容（第 {at} 号叶）"
        en = f"the event at position {position} is not what was integrated (leaf {at})"
        return Problem(position, stream, "leaf", zh, en)
    last = index + len(rows)
    return _gone(next(iter(positions_in(runs, last, last + 1)), made.position), last)


def _gone(position: int, at: int) -> Problem:
    zh = f"位置 {position} 的事件已不在日志中（第 {at} 号叶）"
    return Problem(position, "log", "leaf", zh, f"the event at position {position} is gone (leaf {at})")


def positions_in(runs: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Of the leaves from index `start` up to, without, `end`, by the runs in which they lie; `runs` in order."""
    found: list[int] = []
    number = max(bisect_right(runs, start, key=itemgetter(0)) - 1, 0)
    while number < len(runs) and runs[number][0] < end:
        index, position = runs[number]
        number += 1
        last = min(runs[number][0], end) if number < len(runs) else end
        first = max(index, start)
        found += range(position + first - index, position + last - index)
    return found
