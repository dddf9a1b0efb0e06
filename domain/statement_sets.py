"""Whether statements of several stores close the set: a department that was told by all of them has all there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.merkle import ProofError
from domain.note_keys import VerifierKey
from domain.notes import Verifier
from domain.statement_checks import Checked, check_statement
from domain.statements import INSTANT, Statement
from domain.store_lists import ListedStore, StoreList
from domain.submissions import local_date
from domain.unproven import Unproven


@dataclass(frozen=True, slots=True)
class Closed:
    """Of each listed store that worked in the month its statement as it was checked, or that it is missing."""

    checked: tuple[Checked, ...]
    missing: tuple[ListedStore, ...]


def check_set(
    statements: Sequence[Statement], verifiers: Iterable[Verifier], verifier: Callable[[VerifierKey], Verifier]
) -> Closed:
    """Of one department and one month. The list is that of those statements which hold by the keys one knows,
    `verifiers`; each statement must then hold by the keys that the list has for its store. Raises Unproven, besides
    what `check_statement` does `statement.set`, `statement.no_list`, `statement.lists` or `statement.unlisted`."""
    if len({(one.department, one.month) for one in statements}) != 1:
        raise ProofError("statement.set", "须为同一部门同一月份的对账函")
    if len({one.store for one in statements}) < len(statements):
        raise ProofError("statement.set", "同一库的对账函只能有一份")
    stores = _agreed(statements, list(verifiers))
    first, last = local_date(statements[0].since), local_date(statements[0].until - INSTANT)
    checked = []
    for one in statements:
        listed = stores.find(one.store)
        if listed is None or listed.log != one.origin or not listed.worked(first, last):
            raise ProofError("statement.unlisted", f"库{one.store}不在该月的信息库清单中，或日志名不符")
        checked.append(check_statement(one, [verifier(key) for key in listed.verifier_keys]))
    there = {one.store for one in statements}
    missing = tuple(one for one in stores.stores if one.worked(first, last) and one.store not in there)
    return Closed(tuple(checked), missing)


def _agreed(statements: Sequence[Statement], verifiers: Sequence[Verifier]) -> StoreList:
    """The one list that all say who hold by keys known from elsewhere."""
    lists: list[StoreList] = []
    held, failed = False, None
    for one in statements:
        try:
            found = check_statement(one, verifiers).stores
        except Unproven as error:
            failed = failed or error
            continue
        held = True
        if found is not None:
            lists.append(found)
    if not held and failed is not None:
        raise failed
    if not lists:
        raise ProofError("statement.no_list", "对账函没有信息库清单")
    if any(one != lists[0] for one in lists):
        raise ProofError("statement.lists", "各库所列的信息库清单不同")
    return lists[0]
