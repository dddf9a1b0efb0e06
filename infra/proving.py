"""The transparency log grows with the event log: leaves, tiles, ledgers and one signed checkpoint in one transaction.

A batch is integrated as a whole or not at all, so that the last checkpoint is always how far the log is integrated.
What contradicts what was integrated before stops the follower, visibly, and nothing more is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from psycopg import Connection

from adapters.crypto.notes import NoteSigner
from adapters.postgres.checkpoints import Made, keys_in_use, latest, ledgers_at, put, put_keys
from adapters.postgres.leaves import leaf_row_before, leaf_rows_after
from adapters.postgres.trees import LOG, nodes, put_positions, put_runs
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.leaves import Row, leaf, leaves
from domain.ledger_heads import LedgerHead, LedgerHeads, extension
from domain.merkle import Frontier, Head, leaf_hash, leaf_hashes, read_frontier, root_of
from domain.notes import parse_note, sign_note
from infra.log_keys import LogKey, LogKeyError, make_keys, read_keys, signers
from infra.settings import Settings

PROOFS: Final = "proofs"
BATCH: Final = 8192
"""Leaves at most under one checkpoint: while it catches up there is one about every 200 ms."""


class Contradiction(Exception):
    """What is found is not what was integrated: somebody has changed the past."""


class Keys:
    """The log's keys, read again when their file changes. The first ones are made where the store has none yet."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.log_key_file
        self._name = settings.log_name
        self._stamp: tuple[int, int] | None = None
        self._keys: list[LogKey] = []

    def signers(self, conn: Connection[Any]) -> list[NoteSigner]:
        """Those that sign now, after they were entered among the public ones. Raises LogKeyError, OSError."""
        now = datetime.now(UTC)
        if self._stamp is None or self._stamp != self._look():
            known = {one.verifier for one in keys_in_use(conn)}
            keys = read_keys(self._file)
            if not keys and not known:
                keys = make_keys(self._file, self._name, now)
            if not keys or (known and known.isdisjoint(one.public.text for one in keys)):
                raise LogKeyError(f"{self._file}: 没有此日志已公布的密钥 (none of the log's published keys is there)")
            self._keys, self._stamp = keys, self._look()
        found = signers(self._keys, self._name, now)
        if not found:
            raise LogKeyError(f"{self._file}: 没有此刻可用于签署的密钥 (no key there signs now)")
        put_keys(conn, [one.in_use for one in self._keys])
        return found

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


@dataclass(slots=True)
class _State:
    """The trees as they are after a checkpoint; ledgers' own as far as they were needed."""

    log: Frontier
    position: int
    last: bytes  # the leaf hash of the last leaf
    heads: LedgerHeads
    ledgers: dict[str, Frontier] = field(default_factory=dict)


class Proofs:
    """A row follower. `published`: the last checkpoint that is known outside the database, where one is kept."""

    name = PROOFS

    def __init__(
        self,
        origin: str,
        signers: Callable[[Connection[Any]], Sequence[NoteSigner]],
        published: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self._origin = origin
        self._signers = signers
        self._published = published
        self._state: _State | None = None

    def read(self, conn: Connection[Any], position: int, limit: int) -> Sequence[Row]:
        return leaf_rows_after(conn, position, limit)

    def apply(self, conn: Connection[Any], rows: Sequence[Row]) -> None:
        """Raises Contradiction, LogKeyError."""
        # What is signed is on disk before anybody is shown it.
        conn.execute("SET LOCAL synchronous_commit TO on")
        state = self._current(conn)
        self._state = None  # until all of this has succeeded
        _check_join(conn, state, rows)
        entries = leaf_hashes(leaves(rows))
        grown_log, log_runs = state.log.grow(entries)
        runs = [(LOG, log_runs)]
        heads = []
        for addressee, mine in _ledger_entries(state.heads, rows, entries).items():
            before = state.ledgers.get(addressee) or _frontier(conn, addressee, state.heads.size(addressee))
            grown, more = before.grow(mine)
            state.ledgers[addressee] = grown
            heads.append(LedgerHead(addressee, grown.size, grown.root))
            runs.append((addressee, more))
        put_runs(conn, runs)
        put_positions(conn, state.log.size, [row.position for row in rows])
        state.heads.put(heads)
        state.log, state.position, state.last = grown_log, rows[-1].position, entries[-1]
        text = Checkpoint(self._origin, grown_log.size, grown_log.root, (extension(state.heads.head),)).text
        note = sign_note(text, self._signers(conn)).decode()
        put(conn, grown_log.head, state.position, state.heads.head, note, heads)
        self._state = state

    def _current(self, conn: Connection[Any]) -> _State:
        """The state of the last checkpoint; what is remembered is good for one size only, for a batch that was applied
        may not have been committed, or somebody else may have led meanwhile."""
        made = latest(conn)
        size = made.head.size if made is not None else 0
        if self._state is not None and self._state.log.size == size:
            return self._state
        return self._read(conn, made)

    def _read(self, conn: Connection[Any], made: Made | None) -> _State:
        """Anew from the database, held against what was signed and what was published."""
        check_published(conn, self._published(), made, self._origin)
        if made is None:
            return _State(Frontier(), 0, b"", LedgerHeads())
        if parse_checkpoint(parse_note(made.note.encode()).text).origin != self._origin:
            raise Contradiction(f"the checkpoint of size {made.head.size} is of another log than {self._origin}")
        read = nodes(conn, LOG, made.head.size)
        frontier = read_frontier(made.head.size, read)
        if frontier.head != made.head:
            raise Contradiction(f"the tiles do not give the root that was signed for size {made.head.size}")
        heads = LedgerHeads(ledgers_at(conn, made.head.size))
        if heads.head != made.ledgers:
            raise Contradiction(f"the ledgers are not those that were signed for size {made.head.size}")
        return _State(frontier, made.position, read(0, made.head.size - 1), heads)


def _check_join(conn: Connection[Any], state: _State, rows: Sequence[Row]) -> None:
    """The new rows follow the last one that was integrated, and that one is still as it was."""
    before = leaf_row_before(conn, rows[0].position)
    found = before.position if before is not None else 0
    if found != state.position:
        raise Contradiction(f"integrated up to position {state.position}, but position {found} comes before these")
    if before is not None and leaf_hash(leaf(before)) != state.last:
        raise Contradiction(f"the event at position {found} is not the one that was integrated")


def _ledger_entries(heads: LedgerHeads, rows: Sequence[Row], entries: Sequence[bytes]) -> dict[str, list[bytes]]:
    """By addressee what its ledger grows by; serials follow one another without a gap."""
    found: dict[str, list[bytes]] = {}
    for row, entry in zip(rows, entries, strict=True):
        addressee = row.addressee
        if addressee is None:
            continue
        mine = found.setdefault(addressee, [])
        due = heads.size(addressee) + len(mine) + 1
        if row.version != due:
            raise Contradiction(f"ledger {addressee}: serial {due} is due, {row.version} is at {row.position}")
        mine.append(entry)
    return found


def _frontier(conn: Connection[Any], addressee: str, size: int) -> Frontier:
    return read_frontier(size, nodes(conn, addressee, size)) if size else Frontier()


def check_published(conn: Connection[Any], note: bytes | None, made: Made | None, origin: str) -> None:
    """What was published is the beginning of what is here: else the database was put back to an earlier state. Raises
    Contradiction."""
    if note is None:
        return
    known = parse_checkpoint(parse_note(note).text)
    if known.origin != origin:
        raise Contradiction(f"the published checkpoint is of another log, {known.origin}")
    size = made.head.size if made is not None else 0
    if known.size > size:
        raise Contradiction(f"size {known.size} is published, but only {size} events are integrated here")
    if known.size and Head(known.size, root_of(known.size, nodes(conn, LOG, known.size))) != known.head:
        raise Contradiction(f"the published checkpoint of size {known.size} is of other events")
