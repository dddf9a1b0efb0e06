"""Which capability each test proves, and how it went: kept in pytest's cache for `shenguan clauses`.

`@pytest.mark.clause("2.7b")` says that the capability works, with `refused=True` that its abuse is refused;
`@pytest.mark.door("kafka")` by which of the product's own doors the test goes in.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.clauses import CAPABILITIES
from infra.clauses import DOORS, KEY

_LETTERS = {capability.letter for capability in CAPABILITIES}
_PROPERTY = "clause"
_seen: dict[str, dict[str, Any]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reports carry the marks with them, from whichever process runs the test."""
    for item in items:
        entered = item.get_closest_marker("door")
        door = entered and entered.args[0]
        if entered and door not in DOORS:
            raise pytest.UsageError(f"{item.nodeid}: there is no door {door}")
        for mark in item.iter_markers("clause"):
            letter = str(mark.args[0])
            if letter not in _LETTERS:
                raise pytest.UsageError(f"{item.nodeid}: there is no capability {letter}")
            assert item.parent is not None
            name = f"{item.parent.nodeid}::{item.name}"
            item.user_properties.append((_PROPERTY, [name, letter, bool(mark.kwargs.get("refused")), door]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test has passed when its call has, and nothing about it has failed."""
    for key, value in report.user_properties:
        if key != _PROPERTY:
            continue
        assert isinstance(value, list)
        name, letter, refused, door = value
        found = {"test": name, "clause": letter, "refused": refused, "door": door}
        one = _seen.setdefault(f"{name} {letter} {refused}", found)
        if report.failed:
            one["passed"] = False
        elif report.when == "call":
            one.setdefault("passed", report.passed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Adds to what earlier runs have left: suites run apart."""
    cache = getattr(session.config, "cache", None)  # absent under -p no:cacheprovider
    if hasattr(session.config, "workerinput") or cache is None or not _seen:
        return
    known = cache.get(KEY, {})
    cache.set(KEY, known | {key: one for key, one in _seen.items() if "passed" in one})
