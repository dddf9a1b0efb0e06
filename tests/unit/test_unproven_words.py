"""Every reason for which evidence does not hold has English words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from domain.unproven import Unproven
from infra.unproven_words import WORDS, english

ROOT = Path(__file__).resolve().parents[2]
ERRORS = ("ProofError", "NoteError", "LeafError", "TileError", "CheckpointError", "Unproven")


def raised() -> set[str]:
    """The rules with which the code raises them, as they are written there."""
    found = set()
    for folder in ("domain", "adapters", "infra"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                    rule = node.args[0]
                    if isinstance(rule, ast.Attribute) and rule.attr == "rule":
                        continue  # that of another error
                    assert isinstance(rule, ast.Constant), (file, node.lineno)
                    found.add(rule.value)
    return found


def test_no_reason_is_without_words_and_no_words_without_reason() -> None:
    assert raised() == set(WORDS)


@pytest.mark.parametrize("rule", sorted(WORDS))
def test_it_is_said(rule: str) -> None:
    assert english(Unproven(rule, "不成立")) == WORDS[rule]
