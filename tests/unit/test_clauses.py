"""What `shenguan clauses` makes of the tests' results."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.clauses import CAPABILITIES, CLAUSES, FINISHED
from infra.clauses import lines, proofs, table

HERE = "tests/unit/test_clauses.py"


def result(
    clause: str, refused: bool, passed: bool = True, file: str = HERE, door: str | None = "kafka"
) -> dict[str, Any]:
    test = f"{file}::test_{clause}_{refused}"
    return {"test": test, "clause": clause, "refused": refused, "door": door, "passed": passed}


def proven(*results: dict[str, Any]) -> list[str]:
    return [one.capability.letter for one in proofs(results) if one.passed]


def test_letters_are_unique_and_of_a_named_clause() -> None:
    letters = [capability.letter for capability in CAPABILITIES]
    assert len(set(letters)) == len(letters)
    assert {capability.clause for capability in CAPABILITIES} == set(CLAUSES)
    assert set(letters) >= FINISHED
    assert all(re.fullmatch(r"[1-5]\.\d[a-k]", letter) for letter in letters)


def test_a_capability_needs_both_tests_and_every_one_passed() -> None:
    works, refused = result("2.7b", False), result("2.7b", True)
    assert proven(works, refused) == ["2.7b"]
    assert proven(works) == proven(refused) == []
    assert proven(works, refused, result("2.7b", True, passed=False) | {"test": f"{HERE}::test_other"}) == []


def test_it_is_proven_by_the_products_own_doors() -> None:
    inside = result("2.7b", True, door=None)
    assert proven(result("2.7b", False), inside) == []
    by_command = result("2.7b", True, door="command") | {"test": f"{HERE}::test_other"}
    assert proven(result("2.7b", False), inside, by_command) == ["2.7b"]
    [found] = [one for one in proofs([result("2.7b", False), inside, by_command]) if one.works]
    assert found.as_json()["doors"] == {"kafka": {"works": 1, "refused": 0}, "command": {"works": 0, "refused": 1}}
    [line] = [line for line in lines([found], "zh") if line.startswith("2.7b")]
    assert line.endswith("[Kafka 1 + 0]  [命令行 0 + 1]")
    assert proven(result("2.7b", False), by_command, inside | {"passed": False}) == []


def test_tests_that_are_gone_prove_nothing() -> None:
    assert proven(result("2.7b", False), result("2.7b", True, file="tests/gone.py")) == []


def test_a_finished_one_without_proof_is_wanting() -> None:
    found = proofs([])
    assert {one.capability.letter for one in found if one.wanting} == FINISHED
    assert all(row["tests"] == [] and not row["passed"] for row in (one.as_json() for one in found))
    assert sum("缺证" in line for line in lines(found, "zh")) == len(FINISHED)
    assert lines(found, "en")[-1] == f"finished {len(FINISHED)}, proven 0, capabilities in all {len(CAPABILITIES)}"


def test_the_table_says_by_which_door(monkeypatch: pytest.MonkeyPatch) -> None:
    by_command = result("2.7b", True, door="command") | {"test": f"{HERE}::test_other"}
    [row] = [line for line in table(proofs([result("2.7b", False), by_command])) if line.startswith("| 2.7b")]
    assert row.endswith("| ● |  |  | ● | proven 已证 |")
    monkeypatch.setattr("infra.clauses.FINISHED", frozenset())
    [row] = [line for line in table(proofs([])) if line.startswith("| 5.4a")]
    assert row.endswith("|  |  |  |  | ○ |")
