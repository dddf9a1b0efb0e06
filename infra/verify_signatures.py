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
from domain.notices import NoticeOwed, NoticeReceived, notice_stream
from domain.recheck import Problem
from domain.registers import Registers
from domain.signatures import Signature
from domain.signed_receipts import SignedReceipt, read_receipt
from domain.signing_check import SigningCheck
from infra.had import judged as judged_receipt
from infra.proofs import standing_of
from infra.signatures import Reveals, judged, strangers
from infra.verify_tables import unknown

_NOTICE = notice_stream("")
_OWED = f"SELECT {COLUMNS}, unique_key FROM shenguan.stored_events WHERE unique_key = ANY(%s)"


class RevealsMany(Reveals, Protocol):
    """Whoever can fetch many keys at once."""

    def fetch_keys(self, subjects: Iterable[str]) -> None:
        """Raises MasterKeyError."""
        ...


KINDS = ("good", "erased", "unread", "key", "wrong")
"""`unread`: the key that opens what was kept is not at hand; only the digest was compared. The last two are problems;
`key`: it fits, and by a key that was not its principal's."""


class Signatures:
    """Fed the log in its order, without what another store has recorded. `counts`: submissions by what became of their
    signature."""

    def __init__(self, conn: Connection[Any], reveals: RevealsMany | None) -> None:
        self._conn = conn
        self._reveals = reveals
        self._check = SigningCheck()
        self._strange: set[tuple[str, str]] = set()  # submissions whose key was not their principal's
        self._last: tuple[str, str] | None = None
        self._erased: list[tuple[Signature, list[Recorded]]] = []
        """What was kept of the batch's submissions whose bytes are erased, and what they made; the last may go on."""
        self.counts: Counter[str] = Counter()

    def judge(self, recorded: Recorded, registers: Registers, owed: NoticeOwed | None) -> Iterator[Problem]:
        """By whose key the next event is signed, if it must be: as `SigningCheck.take`, before its batch is taken."""
        for problem in self._check.take(recorded, registers, owed):
            if problem.check == "signature" and problem.position == recorded.position:
                self._strange.add(_of(recorded))
            yield problem

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
                elif standing == "erased":
                    self._erased.append((found, [one]))
            elif self._erased and _of(self._erased[-1][1][0]) == _of(one):
                self._erased[-1][1].append(one)
            self._last = _of(one)
        going_on = self._erased and _of(self._erased[-1][1][0]) == self._last
        yield from self._gone(self._erased[:-1] if going_on else self._erased)
        self._erased = self._erased[-1:] if going_on else []
        self._strange.clear()

    def _gone(self, erased: Sequence[tuple[Signature, list[Recorded]]]) -> Iterator[Problem]:
        """Of what is said to have gone with somebody's key: that it held something of him, and that he had one."""
        never = set(unknown(self._conn, [name for found, _ in erased for name in found.subjects])) if erased else set()
        for found, made in erased:
            if not never.isdisjoint(found.subjects):
                yield self._refuted(
                    made[0], "称随之销毁的主体从未有过密钥", "is said to be erased with who never had a key"
                )
            elif strangers(found, [one.event for one in made]):
                yield self._refuted(
                    made[0], "称随之销毁的主体与其事件不符", "is said to be erased with others than its own"
                )

    def _refuted(self, one: Recorded, zh: str, en: str) -> Problem:
        self.counts["erased"] -= 1
        self.counts["wrong"] += 1
        return _problem(one, zh, en)

    def _fetch_keys(self, known: Iterable[Signature]) -> None:
        if self._reveals is not None:
            with suppress(MasterKeyError):  # of each it is said then
                self._reveals.fetch_keys({subject for one in known for subject in one.subjects})

    def _standing(self, found: Signature, one: Recorded) -> str:
        standing = "unread"
        if self._reveals is not None:
            with suppress(MasterKeyError):
                standing = judged(self._reveals, found, one)
        return "key" if standing != "wrong" and _of(one) in self._strange else standing

    def finish(self) -> Iterator[Problem]:
        """What only the end of the log tells, and signatures of what is not on record."""
        yield from self._check.finish()
        yield from self._gone(self._erased)
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
