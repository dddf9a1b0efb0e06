"""The walk-throughs under docs/guide are true: every command in them runs, and prints what the page says it does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.acceptance.command import ROOT, environment, up
from tests.acceptance.forked import Commands
from tests.acceptance.guide import missing, run, steps

GUIDES = ROOT / "docs/guide"
FIRST = "reform-office"
OTHERS = ("approver", "supervisor", "higher-authority", "liaison-officer")
ENDINGS = {"en": ".md", "zh": ".zh-CN.md"}


def page(name: str, language: str) -> Path:
    return GUIDES / f"{name}{ENDINGS[language]}"


@pytest.mark.parametrize("language", ENDINGS)
def test_the_walk_throughs_are_true(language: str) -> None:
    """In a city that the reform office's page sets up; each of the others goes on in it, whatever became of those."""
    path = Path(tempfile.mkdtemp(prefix="shenguan-guides-"))
    path.chmod(0o711)
    env = environment(path, SHENGUAN_LANGUAGE=language, SHENGUAN_EVIDENCE_SECONDS="0.5")
    wrong = []
    try:
        with up(env), Commands(env) as commands:
            for step in steps(page(FIRST, language)):
                run(step, commands, path)
            for name in OTHERS:
                try:
                    for step in steps(page(name, language)):
                        run(step, commands, path)
                except AssertionError as error:
                    wrong.append(str(error))
    finally:
        shutil.rmtree(path, ignore_errors=True)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("name", [FIRST, *OTHERS])
def test_both_languages_tell_the_same(name: str) -> None:
    english, chinese = (steps(page(name, language)) for language in ENDINGS)
    assert [(one.arguments, one.files) for one in english] == [(one.arguments, one.files) for one in chinese]
    assert [len(one.expected) for one in english] == [len(one.expected) for one in chinese]


def test_what_is_not_printed_is_found() -> None:
    printed = "Matters\n name   standing\n food   transferred  2026-02-01\n1 in all.\n"
    assert missing(["food transferred", "1 in all"], printed) is None
    assert missing(["… food … 2026-02-01", "1 in all."], printed) is None
    assert missing(["1 in all.", "food"], printed) == "food"
    assert missing(["food … deferred"], printed) == "food … deferred"
