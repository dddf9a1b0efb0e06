"""Shells complete the command: what `shenguan --install-completion` installs asks it like this."""

from __future__ import annotations

from typer.testing import CliRunner

from infra.main import app


def test_a_shell_is_told_how_a_word_may_end() -> None:
    asked = {"_SHENGUAN_COMPLETE": "complete_bash", "COMP_WORDS": "shenguan rec", "COMP_CWORD": "1"}
    told = CliRunner().invoke(app, env=asked, prog_name="shenguan").output.split()
    assert told == sorted(told)
    assert {"receipts", "reconcile"} <= set(told)
    assert all(word.startswith("rec") for word in told)
