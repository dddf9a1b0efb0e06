"""What a statement proves, checked by whoever has it and the log's verifier keys: nothing else is needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from domain.armour import unarmoured
from domain.checkpoints import Checkpoint
from domain.leaves import Leaf, parse_leaf
from domain.log_proofs import check_ledger, opened
from domain.merkle import EMPTY_ROOT, Frontier, Head, ProofError, leaf_hash
from domain.merkle_proofs import verify_growth
from domain.notes import Verifier
from domain.statements import INSTANT, Item, Statement, ended_by, month_period, totals
from domain.store_list_proofs import check_stores
from domain.store_lists import StoreList
from domain.submissions import local_date


class Kept(NamedTuple):
    """A notice that its addressee kept, as far as it did: `leaf` is the hash in hexadecimal that its message had as an
    attribute, `entry` the leaf's bytes (`/ledger/entries`)."""

    serial: int
    notice: str | None = None
    leaf: str | None = None
    entry: bytes | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that holds. `first`, `second`: its checkpoints; `ledger`: the department's ledger by the second;
    `stores`: the stores that there are, by its word."""

    statement: Statement
    first: Checkpoint | None
    second: Checkpoint
    ledger: Head
    stores: StoreList | None


def check_statement(statement: Statement, verifiers: Iterable[Verifier]) -> Checked:
    """That the serials it lists, each of that leaf hash, are all that came to the department's ledger between its two
    checkpoints, that these are of one log which only grew, and that it adds up. What the table says beside the hashes
    is the store's word until the leaves are held against it (`check_kept`). Raises Unproven."""
    known = list(verifiers)
    _check_period(statement)
    second = opened(statement.second.checkpoint, known, statement.origin)
    before, first = Head(0, EMPTY_ROOT), None
    for proof in (statement.first, statement.second):
        if proof is not None and proof.addressee != statement.department:
            raise ProofError("statement.department", "证明是别的部门的")
    if statement.first is not None:
        first = opened(statement.first.checkpoint, known, statement.origin)
        verify_growth(first.head, second.head, [_hash(one) for one in statement.growth])
        before = check_ledger(statement.first, known)
    elif statement.growth:
        raise ProofError("proof.long", "此处的证明应为空")
    ledger = check_ledger(statement.second, known)
    _check_entries(statement, before, ledger)
    if totals(statement.items, statement.feedback, statement.ended) != statement.totals:
        raise ProofError("statement.totals", "合计与逐件所列不符")
    return Checked(statement, first, second, ledger, _check_stores(statement, known))


def check_kept(statement: Statement, kept: Iterable[Kept]) -> list[int]:
    """That the notices which the addressee kept are those listed; gives the serials listed that it has not kept. Those
    of other months are passed over. Raises Unproven `statement.kept` or `statement.leaf`."""
    items = {one.serial: one for one in statement.items}
    found = set()
    for one in kept:
        item = items.get(one.serial)
        if item is None:
            continue
        if one.notice not in (None, item.notice) or one.leaf not in (None, item.leaf):
            raise ProofError("statement.kept", f"第{one.serial}号与所存的告知不同")
        if one.entry is not None:
            check_entry(statement, item, one.entry)
        found.add(one.serial)
    return sorted(items.keys() - found)


def check_entry(statement: Statement, item: Item, entry: bytes) -> None:
    """That what the table says of a notice is what its leaf says. Raises Unproven `statement.leaf`."""
    leaf = parse_leaf(entry)
    said = _said(leaf)
    _, _, case = said.get("case", "").partition("/")
    organ, _, number = case.partition("/")
    listed = (item.notice, item.about, item.matter, item.owed_at, item.organ, item.case)
    recorded = (said.get("notice"), said.get("about"), said.get("matter", ""), leaf.at, organ, number)
    place = (leaf.stream, leaf.version)
    if (
        leaf_hash(entry).hex() != item.leaf
        or place != (f"ledger/{statement.department}", item.serial)
        or listed != recorded
    ):
        raise ProofError("statement.leaf", f"第{item.serial}号与其叶不符")


def _check_stores(statement: Statement, known: Sequence[Verifier]) -> StoreList | None:
    if statement.stores is None:
        return None
    if statement.stores.proof.checkpoint != statement.second.checkpoint:
        raise ProofError("statement.stores", "信息库清单不是以本期检查点证明的")
    stores, since = check_stores(statement.stores, known)
    if since > local_date(statement.as_at):
        raise ProofError("statement.stores", "信息库清单届时尚未施行")
    return stores


def _check_period(statement: Statement) -> None:
    since, until = month_period(statement.month)
    ended = statement.ended == ended_by(statement.as_at)
    told = statement.as_at == until - INSTANT if statement.over else statement.as_at < until
    if (statement.since, statement.until) != (since, until) or not ended or not told:
        raise ProofError("statement.period", "起止时间与月份不符")


def _check_entries(statement: Statement, before: Head, ledger: Head) -> None:
    frontier = Frontier(before.size, tuple(_hash(one) for one in statement.frontier))
    if frontier.root != before.root:
        raise ProofError("statement.frontier", "编号簿前沿与前一检查点承诺的根不符")
    if [one.serial for one in statement.items] != list(range(before.size + 1, ledger.size + 1)):
        raise ProofError("statement.serials", f"所列编号不是第{before.size + 1}至{ledger.size}号，无缺无重")
    grown, _ = frontier.grow([_item_hash(one) for one in statement.items])
    if grown.root != ledger.root:
        raise ProofError("statement.entries", "所列各件的散列与检查点承诺的编号簿之根不符")


def _said(leaf: Leaf) -> Mapping[str, Any]:
    """Of what is owed; a leaf that has only its state's digest says nothing: owings are short."""
    try:
        found = json.loads(leaf.state) if isinstance(leaf.state, bytes) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _item_hash(item: Item) -> bytes:
    try:
        return bytes.fromhex(item.leaf)
    except ValueError:
        raise ProofError("proof.hash", "散列值须为十六进制") from None


def _hash(text: str) -> bytes:
    try:
        return unarmoured(text)
    except ValueError:
        raise ProofError("proof.hash", "散列值须为规范的base64") from None
