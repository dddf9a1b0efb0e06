"""A log of several months, whole in memory, and the statements that belong to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key
from domain.armour import armoured
from domain.checkpoints import Checkpoint
from domain.leaves import Row, leaves, microseconds
from domain.ledger_heads import LedgerHead, LedgerHeads, extension
from domain.log_proofs import LedgerProof, event_proof, ledger_proof
from domain.merkle import Frontier, leaf_hashes, tree_hash
from domain.merkle_proofs import prove_consistency, prove_inclusion
from domain.notes import sign_note
from domain.statements import INSTANT, Item, Statement, ended_by, month_period, totals
from domain.store_list_proofs import ProvenList
from domain.store_lists import STREAM, StoreList
from tests.unit.merkle_kit import node_of

ORIGIN = "log.example/1"
SIGNER = NoteSigner(new_signer_key(ORIGIN))
OTHER = NoteSigner(new_signer_key(ORIGIN))
KEYS = [NoteVerifier(SIGNER.verifier_key)]


def month_at(number: int) -> str:
    return f"{2026 + number // 12}-{number % 12 + 1:02}"


@dataclass(frozen=True)
class Month:
    """What a month brought: for each event whose ledger it is, or None; `signed`: whether the events of the month were
    under a checkpoint by its end."""

    events: Sequence[str | None]
    signed: bool = True


class Months:
    """Of them all. Events of a month are recorded on its days from the first on, one a minute."""

    def __init__(
        self,
        months: Sequence[Month],
        signer: NoteSigner = SIGNER,
        origin: str = ORIGIN,
        store: str = "150000",
        stores: StoreList | None = None,
    ) -> None:
        """`stores`: the list of stores, which then is the first event."""
        self.signer, self.origin, self.store = signer, origin, store
        self.rows: list[Row] = []
        self.ends: list[int] = []  # by month, how many leaves the last checkpoint by its end has
        counts: dict[str, int] = {}
        self.listed = stores is not None
        if stores is not None:
            state = json.dumps({"entry": stores.model_dump(mode="json"), "valid_from": "2025-12-01", "basis": "x"})
            self.rows.append(Row(1, 0, STREAM.encode(), 1, b"register.entered", state.encode()))
        for number, month in enumerate(months):
            at = month_period(month_at(number)).since
            for addressee in month.events:
                at += timedelta(minutes=1)
                self.rows.append(_row(len(self.rows) + 1, at, addressee, counts))
            self.ends.append(len(self.rows) if month.signed else (self.ends[-1] if self.ends else 0))
        self.entries = leaves(self.rows)
        self.hashes = leaf_hashes(self.entries)

    def checkpoint(self, size: int, signer: NoteSigner | None = None) -> tuple[str, LedgerHeads]:
        ledgers = LedgerHeads(
            LedgerHead(name, len(mine), tree_hash(mine))
            for name in {row.addressee for row in self.rows[:size]}
            if name is not None and (mine := self.of(name, size))
        )
        found = Checkpoint(self.origin, size, tree_hash(self.hashes[:size]), (extension(ledgers.head),))
        return sign_note(found.text, [signer or self.signer]).decode(), ledgers

    def of(self, addressee: str, size: int) -> list[bytes]:
        return [hash_ for hash_, row in zip(self.hashes[:size], self.rows, strict=False) if row.addressee == addressee]

    def proof(self, addressee: str, size: int) -> LedgerProof | None:
        if not size:
            return None
        note, ledgers = self.checkpoint(size)
        return ledger_proof(addressee, ledgers.prove(addressee), note)

    def proven(self, size: int) -> ProvenList | None:
        if not self.listed:
            return None
        path = prove_inclusion(0, size, node_of(self.hashes))
        proof = event_proof(1, 0, self.hashes[0], path, self.checkpoint(size)[0])
        return ProvenList(leaf=armoured(self.entries[0]), proof=proof)

    def mine(self, addressee: str) -> list[bytes]:
        """The leaves of its ledger, serial 1 first."""
        return [entry for entry, row in zip(self.entries, self.rows, strict=True) if row.addressee == addressee]

    def statement(self, addressee: str, number: int, **more: Any) -> Statement:
        month = month_at(number)
        since, until = month_period(month)
        one, other = (self.ends[number - 1] if number else 0), self.ends[number]
        first, second = self.proof(addressee, one), self.proof(addressee, other)
        assert second is not None
        before, hashes = len(self.of(addressee, one)), self.of(addressee, other)
        rows = [row for row in self.rows[:other] if row.addressee == addressee]
        items = [_item(row, hash_.hex()) for row, hash_ in zip(rows, hashes, strict=True)][before:]
        path = prove_consistency(one, other, node_of(self.hashes)) if 0 < one < other else []
        frontier, _ = Frontier().grow(hashes[:before])
        ended = ended_by(until - INSTANT)
        made = Statement(
            store=self.store, origin=self.origin, department=addressee, name=addressee, month=month,
            since=since, until=until,
            as_at=until - INSTANT, ended=ended, over=True, first=first, second=second,
            growth=[armoured(one) for one in path], frontier=[armoured(one) for one in frontier.peaks], carried=0,
            items=items, totals=totals(items, [], ended), feedback=[], stores=self.proven(other),
        )  # fmt: skip
        return made.model_copy(update=more)


def _row(position: int, at: datetime, addressee: str | None, counts: dict[str, int]) -> Row:
    recorded = microseconds(at.astimezone(UTC))
    if addressee is None:
        return Row(position, recorded, b"case/x/%d" % position, 1, b"case.accepted", b'{"n":%d}' % position)
    serial = counts[addressee] = counts.get(addressee, 0) + 1
    said = {"notice": f"{addressee}/x/{position}", "addressee": addressee, "about": "decision", "matter": "m"}
    state = json.dumps(said | {"case": f"case/x/{position}"}).encode()
    return Row(position, recorded, f"ledger/{addressee}".encode(), serial, b"notice.owed", state)


def _item(row: Row, leaf: str) -> Item:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.recorded_at)
    received = at + timedelta(days=row.position % 5) if row.position % 3 else None
    nothing = dict.fromkeys(
        ("dispatched_at", "delivered_at", "deemed_at", "returned_at", "moved_at", "moved_to", "lamp")
    )
    return Item(
        serial=row.version, leaf=leaf, notice=json.loads(row.state)["notice"], about="decision", organ="x",
        case=str(row.position), matter="m", matter_name="许可", owed_at=at,
         due_on=(at + timedelta(days=2)).date(), received_at=received,
        status="received" if received else "outstanding", **nothing,
    )  # fmt: skip
