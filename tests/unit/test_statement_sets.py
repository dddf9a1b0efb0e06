"""Stores' statements together: by the signed list of stores it is known whether one is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key
from domain.armour import armoured
from domain.rules import BadField
from domain.statement_checks import check_statement
from domain.statement_sets import check_set
from domain.statements import Statement
from domain.store_list_proofs import ProvenList, check_stores
from domain.store_lists import ListedStore, StoreList
from infra.statement_pages import page_of
from tests.unit.merkle_kit import reasons
from tests.unit.statement_kit import Month, Months

SIGNERS = {code: NoteSigner(new_signer_key(f"log.example/{code}")) for code in ("150000", "150100", "150200")}


def listed(code: str, **more: Any) -> ListedStore:
    given = {"store": code, "name": f"库{code}", "log": f"log.example/{code}", "since": date(2025, 12, 1)}
    return ListedStore(**{**given, "keys": (SIGNERS[code].verifier_key.text,), **more})


LIST = StoreList(stores=(listed("150000"), listed("150100"), listed("150200", since=date(2026, 2, 1))))
MASTER = [NoteVerifier(SIGNERS["150000"].verifier_key)]


def of(code: str, number: int = 1, stores: StoreList | None = LIST) -> Statement:
    months = [Month(["d", None, "d"]), Month(["d", "e"]), Month([None])]
    made = Months(months, SIGNERS[code], f"log.example/{code}", code, stores).statement("d", number)
    return Statement.model_validate_json(made.model_dump_json())


def absent(*statements: Statement) -> list[str]:
    return [one.store for one in check_set(statements, MASTER, NoteVerifier).missing]


def test_one_of_each_store_closes_the_set() -> None:
    all_of_them = [of(code) for code in SIGNERS]
    assert absent(*all_of_them) == []
    assert len(check_set(all_of_them, MASTER, NoteVerifier).checked) == 3
    assert absent(*all_of_them[:2]) == ["150200"]
    assert absent(all_of_them[0], all_of_them[2]) == ["150100"]
    # in January that store was not there
    assert absent(of("150000", 0), of("150100", 0)) == []


def test_a_statement_names_the_stores_that_there_are() -> None:
    checked = check_statement(of("150000"), MASTER)
    assert checked.stores == LIST
    told = dict(page_of(checked.statement).proof)["信息库清单"]
    assert told == "自2025-12-01起的清单：本函只说本库（150000）；另有库150100（150100）、库150200（150200），各自出函"
    assert "别无他库" in dict(page_of(of("150000", stores=StoreList(stores=(listed("150000"),)))).proof)["信息库清单"]
    assert "信息库清单" not in dict(page_of(of("150000", stores=None)).proof)


def test_or_it_is_not_closed() -> None:
    one, other = of("150000"), of("150100")
    given = (MASTER, NoteVerifier)
    assert reasons(check_set, [one, of("150100", 2)], *given) == "statement.set"
    assert reasons(check_set, [one, one], *given) == "statement.set"
    assert reasons(check_set, [one, other.model_copy(update={"department": "e"})], *given) == "statement.set"
    assert reasons(check_set, [of("150000", stores=None), of("150100", stores=None)], *given) == "statement.no_list"
    assert reasons(check_set, [one, other], [NoteVerifier(SIGNERS["150200"].verifier_key)], NoteVerifier) != ""
    few = StoreList(stores=(listed("150000"),))
    assert reasons(check_set, [of("150000", stores=few), other], *given) == "statement.unlisted"
    both = [*MASTER, NoteVerifier(SIGNERS["150100"].verifier_key)]
    assert reasons(check_set, [of("150000", stores=few), other], both, NoteVerifier) == "statement.lists"
    wrong = StoreList(stores=(listed("150000"), listed("150100", log="other", keys=(_key("other"),))))
    assert reasons(check_set, [of("150000", stores=wrong), other], *given) == "statement.unlisted"
    strange = StoreList(stores=(listed("150000"), listed("150100", keys=(_key("log.example/150100"),))))
    assert reasons(check_set, [of("150000", stores=strange), other], *given) == "note.unsigned"


def _key(name: str) -> str:
    return NoteSigner(new_signer_key(name)).verifier_key.text


def test_the_list_is_proven_by_the_statements_own_checkpoint() -> None:
    made = of("150000")
    assert made.stores is not None
    assert check_stores(made.stores, MASTER) == (LIST, date(2025, 12, 1))
    earlier = of("150000", 0).stores
    assert reasons(check_statement, made.model_copy(update={"stores": earlier}), MASTER) == "statement.stores"
    for leaf in ("?", armoured(b"x"), armoured(Months([Month(["d"])]).entries[0])):
        forged = ProvenList(leaf=leaf, proof=made.stores.proof)
        assert reasons(check_stores, forged, MASTER) == "stores.leaf"
    other = of("150000", stores=StoreList(stores=(listed("150000"),))).stores
    assert other is not None
    forged = ProvenList(leaf=other.leaf, proof=made.stores.proof)
    assert reasons(check_stores, forged, MASTER) == "proof.leaf"


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": ("x",)},
        {"keys": ()},
        {"keys": (_key("another"),)},
        {"until": date(2025, 1, 1)},
        {"log": "with space"},
    ],
)
def test_what_is_listed_is_well_formed(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, BadField)):
        listed("150000", **wrong)


def test_each_store_and_log_is_listed_once() -> None:
    for twice in (listed("150000"), listed("150000", store="150300")):
        with pytest.raises((ValidationError, BadField)):
            StoreList(stores=(listed("150000"), twice))
