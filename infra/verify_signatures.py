"""What was signed, against what was kept of it: submissions by their rows and bytes, receipts by the notices they are
of and the checkpoints their signers saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from adapters.crypto.sealer import MasterKeyError
from adapters.postgres.log import COLUMNS, leaf_of
from adapters.postgres.signatures import signatures_of, unsigned_facts
from domain.event import Recorded
from domain.notices import NoticeReceived, notice_stream
from domain.recheck import Problem, Run
from domain.signatures import Signature
from infra.had import judged as judged_receipt
from infra.seen_checkpoints import AT_ODDS, STANDINGS, standing
from infra.signatures import judged

SignedBytes = Callable[[Signature], bytes | None]
"""What was signed, as it was kept; None where a key of those whom it is about was destroyed. Raises MasterKeyError."""


@dataclass(slots=True)
class Counted:
    """Signatures of submissions. `good`: verified from what was kept; `erased`: the bytes are gone with a subject's
    key; `unchecked`: the master key was not at hand, or not the one."""

    good: int = 0
    erased: int = 0
    unchecked: int = 0


class Signatures:
    """Every signed fact has its row, every row its signed fact; what is wrong is named."""

    def __init__(self, conn: Connection[Any], signed_bytes: SignedBytes | None) -> None:
        self._conn = conn
        self._signed_bytes = signed_bytes
        self.counted = Counted()
        self._matched = 0

    def take(self, runs: Sequence[Run]) -> Iterator[Problem]:
        """Runs of a batch, in log order."""
        signed = [run.first for run in runs if run.first.event.meta.signed is not None]
        kept = signatures_of(self._conn, [(one.event.meta.source, one.event.meta.id) for one in signed])
        for fact in signed:
            meta = fact.event.meta
            signature = kept.get((meta.source, meta.id))
            if signature is None:
                yield _problem(fact, f"提交 {meta.fact} 的签名没有保存", f"no signature of {meta.fact} was kept")
                continue
            self._matched += 1
            if not self._holds(signature, fact):
                zh = f"提交 {meta.fact} 的签名与所存的原文或事件不符"
                yield _problem(fact, zh, f"the signature of {meta.fact} does not fit what was kept or the event")

    def finish(self) -> Iterator[Problem]:
        """Rows of what was not signed, or is not there."""
        row = self._conn.execute("SELECT count(*) FROM shenguan.signature").fetchone()
        if row is None or row[0] == self._matched:
            return
        for fact in unsigned_facts(self._conn, 5):
            zh = f"存有提交 {fact} 的签名，日志中却没有它签名的事实"
            yield Problem(
                0, fact, "signature", zh, f"a signature of {fact} was kept, but the log has no such signed fact"
            )

    def _holds(self, signature: Signature, fact: Recorded) -> bool:
        if self._signed_bytes is None:
            self.counted.unchecked += 1
            return signature.signed == fact.event.meta.signed
        try:
            found = judged(self._signed_bytes, signature, fact)
        except MasterKeyError:
            self.counted.unchecked += 1
            return True
        if found == "good":
            self.counted.good += 1
        elif found == "erased":
            self.counted.erased += 1
        return found != "wrong"


def receipts(conn: Connection[Any], batch: Sequence[Recorded]) -> Iterator[Problem]:
    """Signed receipts of a batch: each verifies and is of the notice that was owed, and the checkpoint that its signer
    saw is this log's."""
    signed = [
        (one, one.event) for one in batch if isinstance(one.event, NoticeReceived) and one.event.receipt is not None
    ]
    owed = _owed(conn, [_notice(event) for _, event in signed])
    for recorded, event in signed:
        assert event.receipt is not None
        notice = _notice(event)
        serial, leaf = owed.get(notice, (None, None))
        wanted = {"notice": notice, "serial": serial, "leaf": leaf, "received_at": event.received_at}
        said = judged_receipt(event.receipt, wanted)
        if said is None:
            zh = f"告知 {notice} 的签收签名与该告知不符"
            yield _problem(recorded, zh, f"the receipt's signature does not fit the notice {notice}", "receipt")
            continue
        seen = said.checkpoint
        if seen is not None and (how := standing(conn, seen)) in AT_ODDS:
            words = STANDINGS[how]
            zh = f"告知 {notice} 的签收所见检查点（{seen.size} 项，根 {seen.root}）{words[0]}"
            en = f"the checkpoint that the receipt of {notice} names ({seen.size}, root {seen.root}): {words[1]}"
            yield _problem(recorded, zh, en, "fork")


def _notice(event: NoticeReceived) -> str:
    return event.originator_id.removeprefix(notice_stream(""))


def _owed(conn: Connection[Any], notices: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Serial and leaf hash, as the log has them now."""
    if not notices:
        return {}
    rows = conn.execute(
        f"SELECT {COLUMNS}, unique_key FROM shenguan.stored_events WHERE unique_key = ANY(%s)",
        (list(notices),),
        binary=True,
    )
    return {row[-1]: (row[1], leaf_of(row[:-1])) for row in rows}


def _problem(fact: Recorded, zh: str, en: str, check: str = "signature") -> Problem:
    return Problem(fact.position, fact.event.originator_id, check, zh, en)
