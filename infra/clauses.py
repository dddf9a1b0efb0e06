"""`shenguan clauses`: of each capability of the notice the tests that prove it, and whether they passed last time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from domain.clauses import CAPABILITIES, FINISHED, Capability

KEY = "shenguan/clauses"
"""Under which the tests leave their results in pytest's cache."""
TESTS = Path("tests")
RESULTS = Path(".pytest_cache/v") / KEY
DOORS = {"kafka": ("Kafka", "Kafka"), "command": ("命令行", "command")}
"""The product's own doors by which tests go in. Tests inside it may disprove something, but prove nothing."""


class NoTests(Exception):
    """This is not the source's directory: nothing here can be proven."""


class Proof(NamedTuple):
    """A capability with the tests that it works and those that its abuse is refused; how many of each go in by which
    door. `passed`: there are both by a door, and all have."""

    capability: Capability
    works: list[str]
    refused: list[str]
    doors: dict[str, tuple[int, int]]
    passed: bool

    @property
    def wanting(self) -> bool:
        """Whether it counts as finished without being proven."""
        return self.capability.letter in FINISHED and not self.passed

    def as_json(self) -> dict[str, Any]:
        return {
            "clause": self.capability.letter,
            "capability": self.capability.zh,
            "tests": self.works + self.refused,
            "refusals": self.refused,
            "doors": {door: {"works": works, "refused": refused} for door, (works, refused) in self.doors.items()},
            "finished": self.capability.letter in FINISHED,
            "passed": self.passed,
        }


def proofs(results: Iterable[dict[str, Any]]) -> list[Proof]:
    """One for each capability, in the notice's order. `results`: of each mark `test`, `clause`, `refused`, `passed` and
    `door`, None for a test inside."""
    kept = [one for one in results if (Path(str(one["test"]).partition("::")[0])).exists()]
    found = []
    for capability in CAPABILITIES:
        mine = [one for one in kept if one["clause"] == capability.letter]
        works = sorted(one["test"] for one in mine if not one["refused"])
        refused = sorted(one["test"] for one in mine if one["refused"])
        doors = {door: _counts(one for one in mine if one.get("door") == door) for door in DOORS}
        proven = all(any(counts) for counts in zip(*doors.values(), strict=True))
        passed = proven and all(one["passed"] for one in mine)
        found.append(Proof(capability, works, refused, {door: n for door, n in doors.items() if any(n)}, passed))
    return found


def _counts(results: Iterable[dict[str, Any]]) -> tuple[int, int]:
    """How many say that it works, and how many that its abuse is refused."""
    refused = [bool(one["refused"]) for one in results]
    return refused.count(False), refused.count(True)


def known() -> list[Proof]:
    """By the results of the last runs; where there are none, the tests that prove something are run first.

    Raises NoTests.
    """
    if not TESTS.is_dir():
        raise NoTests
    if not RESULTS.exists():
        command = [sys.executable, "-m", "pytest", "-q", "-m", "clause and not kafka", str(TESTS)]
        subprocess.run(command, stdout=sys.stderr, check=False)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return proofs(results.values())


def lines(found: Sequence[Proof], language: str) -> list[str]:
    """A line for each capability, and how many of those that are finished are proven."""
    en = language == "en"
    shown = []
    for one in found:
        if one.passed:
            mark = "proven" if en else "已证"
        elif one.wanting:
            mark = "MISSING" if en else "缺证"
        else:
            mark = "not yet" if en else "未做"
        name = one.capability.en if en else one.capability.zh
        counts = f"{len(one.works)} + {len(one.refused)}"
        doors = "".join(f"  [{DOORS[door][en]} {works} + {refused}]" for door, (works, refused) in one.doors.items())
        shown.append(f"{one.capability.letter:5} {mark:{8 if en else 4}} {counts:>7}  {name}{doors}")
    done = sum(one.passed and one.capability.letter in FINISHED for one in found)
    words = "finished {}, proven {}, capabilities in all {}" if en else "已完成 {}，其中已证 {}，能力共 {} 项"
    return [*shown, words.format(len(FINISHED), done, len(found))]
