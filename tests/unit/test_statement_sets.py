"""Stores' statements together: by the signed list of stores it is known whether one is missing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key
from domain.armour import armoured
from domain.merkle import Frontier, leaf_hashes
from domain.registers import Registers, Version
from domain.rules import BadField, Rejection
from domain.statement_checks import check_statement
from domain.statement_sets import check_joined, check_set
from domain.statements import Statement, ended_by, totals
from domain.store_list_proofs import ProvenList, check_stores
from domain.store_lists import ListedStore, StoreList, require_stores
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


def test_a_list_makes_no_signature_good_of_a_log_whose_keys_are_known() -> None:
    """One store's keeper cannot speak for another store, whatever list he has entered in his own log."""
    false = NoteSigner(new_signer_key("log.example/150100"))
    forged = StoreList(stores=(listed("150000"), listed("150100", keys=(false.verifier_key.text,))))
    his = of("150000", stores=forged)
    withheld = Months([Month(["d"]), Month([None])], false, "log.example/150100", "150100", forged).statement("d", 1)
    known = [*MASTER, NoteVerifier(SIGNERS["150100"].verifier_key)]
    assert reasons(check_set, [his, withheld], known, NoteVerifier) == "note.unsigned"
    assert absent(his, withheld) == []  # who knows his key alone believes him


def test_whose_key_is_known_must_be_listed() -> None:
    few = StoreList(stores=(listed("150000"), listed("150100")))
    known = [NoteVerifier(one.verifier_key) for one in SIGNERS.values()]
    both = [of("150000", stores=few), of("150100", stores=few)]
    assert reasons(check_set, both, known, NoteVerifier) == "statement.lists"
    assert check_set(both, known[:2], NoteVerifier).missing == ()


def test_a_key_that_was_rotated_yesterday_is_good_though_not_listed_yet() -> None:
    new = NoteSigner(new_signer_key("log.example/150100"))
    months = [Month(["d", None, "d"]), Month(["d", "e"])]
    made = Months(months, new, "log.example/150100", "150100", LIST).statement("d", 1)
    known = [*MASTER, NoteVerifier(new.verifier_key)]
    assert [one.store for one in check_set([of("150000"), made], known, NoteVerifier).missing] == ["150200"]


def test_a_month_that_is_not_over_closes_no_set() -> None:
    running = of("150100", 0)
    as_at = running.as_at - timedelta(days=3)
    more = {"over": False, "as_at": as_at, "ended": ended_by(as_at)}
    running = running.model_copy(update={**more, "totals": totals(running.items, [], ended_by(as_at))})
    closed = check_set([of("150000", 0), running], MASTER, NoteVerifier)
    assert (closed.missing, closed.early) == ((), ("150100",))


def test_months_of_a_store_join() -> None:
    months = [Month(["d", None, "d"]), Month(["d", "e"]), Month(["d"])]
    made = Months(months, SIGNERS["150000"], "log.example/150000", "150000", LIST)
    first, second, third = (made.statement("d", number) for number in range(3))
    assert [one.statement.month for one in check_joined([second, third, first], MASTER)] == [
        first.month, second.month, third.month,
    ]  # fmt: skip
    assert reasons(check_joined, [first, third], MASTER) == "statement.gap"
    # one that begins where it ends holds by itself, and leaves out what lies between
    peaks = Frontier().grow(leaf_hashes(made.mine("d")))[0].peaks
    late = third.model_copy(
        update={
            "first": third.second, "growth": [], "frontier": [armoured(one) for one in peaks], "items": [],
            "totals": totals([], [], third.ended),
        }
    )  # fmt: skip
    assert check_statement(late, MASTER).ledger.size == 4
    assert reasons(check_joined, [second, late], MASTER) == "statement.gap"
    assert reasons(check_joined, [first, of("150100", 1)], MASTER) == "statement.set"


def test_what_was_listed_once_stays() -> None:
    registers = Registers()
    registers.entries["stores"] = {
        "stores": [Version(date(2026, 1, 1), 1, LIST, "x", 1), Version(date(2026, 5, 1), 2, None, "x", 2)]
    }
    require_stores(StoreList(stores=(*LIST.stores[:2], listed("150200", until=date(2026, 3, 1)))), registers)
    for gone in (LIST.stores[:2], (*LIST.stores[:2], listed("150200", log="other", keys=(_key("other"),)))):
        with pytest.raises(Rejection):
            require_stores(StoreList(stores=gone), registers)


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
