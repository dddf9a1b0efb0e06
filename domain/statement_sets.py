"""Several statements together: of one month those of all stores, which close the set; of one store months that join."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.checkpoints import parse_checkpoint
from domain.log_proofs import LedgerProof
from domain.merkle import ProofError
from domain.note_keys import VerifierKey
from domain.notes import Verifier, parse_note
from domain.statement_checks import Checked, check_statement
from domain.statements import INSTANT, Statement
from domain.store_lists import ListedStore, StoreList
from domain.submissions import local_date
from domain.unproven import Unproven


@dataclass(frozen=True, slots=True)
class Closed:
    """Of each listed store that worked in the month its statement as it was checked, or that it is missing; it is not
    closed while one is, or ends before the month does."""

    checked: tuple[Checked, ...]
    missing: tuple[ListedStore, ...]

    @property
    def early(self) -> tuple[str, ...]:
        """The stores whose statement ends before the month does."""
        return tuple(one.statement.store for one in self.checked if not one.statement.over)


def check_set(
    statements: Sequence[Statement], verifiers: Iterable[Verifier], verifier: Callable[[VerifierKey], Verifier]
) -> Closed:
    """Of one department and one month. A statement of a log of which one knows keys, `verifiers`, must hold by these;
    all such must have the same list of stores, with every log that one knows. Others must hold by the keys that the
    list has for them: of a log that one knows the list's keys make nothing good.

    Raises Unproven, besides what `check_statement` does `statement.set`, `statement.no_list`, `statement.lists` or
    `statement.unlisted`."""
    if len({(one.department, one.month) for one in statements}) != 1:
        raise ProofError("statement.set", "须为同一部门同一月份的对账函，或同一库连续各月的对账函")
    if len({one.store for one in statements}) < len(statements):
        raise ProofError("statement.set", "同一库的对账函只能有一份")
    verifiers = list(verifiers)
    known = {one.name for one in verifiers}
    held = {one.store: _check(one, verifiers) for one in statements if one.origin in known}
    stores = _agreed(list(held.values()), known)
    first, last = local_date(statements[0].since), local_date(statements[0].until - INSTANT)
    checked = []
    for one in statements:
        listed = stores.find(one.store)
        if listed is None or listed.log != one.origin or not listed.worked(first, last):
            raise ProofError("statement.unlisted", f"库{one.store}不在该月的信息库清单中，或日志名不符")
        checked.append(held.get(one.store) or _check(one, [verifier(key) for key in listed.verifier_keys]))
    there = {one.store for one in statements}
    missing = tuple(one for one in stores.stores if one.worked(first, last) and one.store not in there)
    return Closed(tuple(checked), missing)


def check_joined(statements: Sequence[Statement], verifiers: Iterable[Verifier]) -> tuple[Checked, ...]:
    """Of one store and one department, months that follow one another, the earliest first: each begins where the one
    before it ends, so that no serial lies between them. Raises Unproven, besides what `check_statement` does
    `statement.set` or `statement.gap`."""
    if len({(one.store, one.origin, one.department) for one in statements}) != 1:
        raise ProofError("statement.set", "须为同一部门同一月份的对账函，或同一库连续各月的对账函")
    verifiers = list(verifiers)
    ordered = sorted(statements, key=lambda one: one.since)
    checked = tuple(check_statement(one, verifiers) for one in ordered)
    for before, after in pairwise(ordered):
        if before.until != after.since or _place(before.second) != _place(after.first):
            raise ProofError("statement.gap", f"{before.month}与{after.month}的对账函不相接")
    return checked


def _place(proof: LedgerProof | None) -> object:
    """Of which checkpoint, and where the ledger stood; whoever cosigned it."""
    if proof is None:
        return None
    return parse_checkpoint(parse_note(proof.checkpoint.encode()).text), proof.ledger


def _check(statement: Statement, verifiers: Sequence[Verifier]) -> Checked:
    """Says of which store it is that does not hold."""
    try:
        return check_statement(statement, verifiers)
    except Unproven as error:
        raise ProofError(error.rule, f"库{statement.store}：{error.message}") from None


def _agreed(held: Sequence[Checked], known: set[str]) -> StoreList:
    """The one list that all say of whose logs keys are known."""
    lists = [one.stores for one in held if one.stores is not None]
    if not lists:
        raise ProofError("statement.no_list", "对账函没有信息库清单，或没有一份是已知公钥的日志所出")
    if any(one != lists[0] for one in lists):
        raise ProofError("statement.lists", "各库所列的信息库清单不同")
    if unlisted := sorted(known - {one.log for one in lists[0].stores}):
        raise ProofError("statement.lists", f"信息库清单没有已知公钥的日志：{'、'.join(unlisted)}")
    return lists[0]
