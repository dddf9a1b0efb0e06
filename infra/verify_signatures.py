"""What was signed, as `shenguan verify` reads it: each signed fact has its signature, each signature its fact; and the
checkpoints that receipts name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from psycopg import Connection

from adapters.crypto.sealer import MasterKeyError
from adapters.postgres.log import COLUMNS, leaf_of
from adapters.postgres.signatures import signatures_of
from domain.event import Recorded
from domain.notices import NoticeReceived, notice_stream
from domain.recheck import Problem
from domain.signatures import Signature
from domain.signed_receipts import SignedReceipt, read_receipt
from infra.had import judged as judged_receipt
from infra.proofs import standing_of
from infra.signatures import Reveals, judged

_NOTICE = notice_stream("")
_OWED = f"SELECT {COLUMNS}, unique_key FROM shenguan.stored_events WHERE unique_key = ANY(%s)"


class RevealsMany(Reveals, Protocol):
    """Whoever can fetch many keys at once."""

    def fetch_keys(self, subjects: Iterable[str]) -> None:
        """Raises MasterKeyError."""
        ...


KINDS = ("good", "erased", "unread")
"""`unread`: the key that opens what was kept is not at hand; only the digest was compared."""


class Signatures:
    """Fed the log in its order, without what another store has recorded. `counts`: submissions by what became of their
    signature."""

    def __init__(self, conn: Connection[Any], reveals: RevealsMany | None) -> None:
        self._conn = conn
        self._reveals = reveals
        self._last: tuple[str, str] | None = None
        self.counts: Counter[str] = Counter()

    def take(self, batch: Sequence[Recorded]) -> Iterator[Problem]:
        signed = [one for one in batch if one.event.meta.signed is not None]
        if not signed:
            return
        known = signatures_of(self._conn, {_of(one) for one in signed})
        self._fetch_keys(known.values())
        for one in signed:
            found = known.get(_of(one))
            if found is None:
                yield _problem(one, "没有留存", "was not kept")
            elif found.signed != one.event.meta.signed:
                yield _problem(one, "与留存的不符", "is not the one that was kept")
            elif self._last != _of(one):
                standing = self._standing(found, one)
                self.counts[standing] += 1
                if standing == "wrong":
                    yield _problem(one, "不是对所留原文的签名", "does not fit what was kept of it")
            self._last = _of(one)

    def _fetch_keys(self, known: Iterable[Signature]) -> None:
        if self._reveals is not None:
            with suppress(MasterKeyError):  # of each it is said then
                self._reveals.fetch_keys({subject for one in known for subject in one.subjects})

    def _standing(self, found: Signature, one: Recorded) -> str:
        if self._reveals is None:
            return "unread"
        try:
            return judged(self._reveals, found, one)
        except MasterKeyError:
            return "unread"

    def finish(self) -> Iterator[Problem]:
        """Signatures of what is not on record."""
        row = self._conn.execute("SELECT count(*) FROM shenguan.signature").fetchone()
        if row is None or row[0] == self.counts.total():
            return
        for source, id_ in self._conn.execute(
            "SELECT g.source, g.id FROM shenguan.signature AS g LEFT JOIN shenguan.submission AS s"
            " ON s.source = g.source AND s.id = g.id AND s.disposition IN ('accepted', 'refused')"
            " LEFT JOIN shenguan.stored_events AS e ON e.originator_id = s.stream AND e.originator_version = s.version"
            " WHERE convert_from(e.state, 'UTF8')::jsonb #>> '{meta,signed,digest}' IS DISTINCT FROM g.digest LIMIT 5"
        ):
            zh, en = (
                f"留存了 {source}/{id_} 的签名，却没有它签名的事件",
                f"a signature of {source}/{id_} is of no event",
            )
            yield Problem(0, f"{source}/{id_}", "signature", zh, en)


def receipts(conn: Connection[Any], batch: Iterable[Recorded]) -> Iterator[Problem]:
    """Signed receipts that do not fit the notice that they are of, as the log has it now."""
    signed = [(one, one.event) for one in batch if isinstance(one.event, NoticeReceived) and one.event.receipt]
    if not signed:
        return
    notices = [event.originator_id.removeprefix(_NOTICE) for _, event in signed]
    rows = conn.execute(_OWED, (notices,), binary=True)
    owed = {row[-1]: (row[1], leaf_of(row[:-1])) for row in rows}
    for notice, (recorded, event) in zip(notices, signed, strict=True):
        assert event.receipt is not None
        serial, leaf = owed.get(notice, (None, None))
        wanted = {"notice": notice, "serial": serial, "leaf": leaf, "received_at": event.received_at}
        if judged_receipt(event.receipt, wanted)["standing"] != "good":
            zh, en = f"告知 {notice} 的签收签名与该告知不符", f"the signed receipt does not fit the notice {notice}"
            yield Problem(recorded.position, event.originator_id, "receipt", zh, en)


def doubts(conn: Connection[Any], batch: Iterable[Recorded]) -> Iterator[Problem]:
    """Signed receipts that name a checkpoint which this log has not signed. Their signer was shown another log, or has
    not told the truth: that is for people to ask, for whoever was shown one has kept the log's signature."""
    for one in batch:
        event = one.event
        if not isinstance(event, NoticeReceived) or event.receipt is None:
            continue
        seen = _statement(event.receipt)
        if seen is None or standing_of(conn, seen) == "same":
            continue
        named = f"{seen.origin} {seen.size}"
        zh = f"签收说见过检查点 {named}，此日志未曾签署：请签收人出示其留存"
        en = f"the receipt names the checkpoint {named}, which this log has not signed: ask its signer"
        yield Problem(one.position, event.originator_id, "receipt checkpoint", zh, en)


def _statement(receipt: SignedReceipt) -> Any:
    try:
        return read_receipt(receipt.jws).statement.checkpoint
    except (ValueError, LookupError, TypeError):
        return None


def _of(one: Recorded) -> tuple[str, str]:
    return one.event.meta.source, one.event.meta.id


def _problem(one: Recorded, zh: str, en: str) -> Problem:
    fact = one.event.meta.fact
    stream = one.event.originator_id
    return Problem(one.position, stream, "signature", f"提交 {fact} 的签名{zh}", f"the signature of {fact} {en}")
