"""Whatever shows what is on record can be asked as an inspector, and is then on record itself (3.3e)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from infra.main import app

CHANGES = "it changes something, and answers for that only"
PROOF = "it holds hashes and signatures, and nothing of what they are over"
MACHINE = "it is about the machine and the source, not about what is on record"
NOT_ASKED = {
    "submit": CHANGES,
    "letters issue": CHANGES,
    "letters receive": CHANGES,
    "channels secret": CHANGES,
    "sessions end": CHANGES,
    "log-keys rotate": CHANGES,
    "keys new": MACHINE,
    "keys show": MACHINE,
    "log-keys list": PROOF,
    "checkpoint": PROOF,
    "stores": PROOF,
    "prove event": PROOF,
    "prove ledger": PROOF,
    "witness new": MACHINE,
    "witness show": MACHINE,
    "witness look": PROOF,
    "witness serve": PROOF,
    "evidence-verifier": MACHINE,
    "erase": CHANGES,
    "statement check": "it reads files, and no record",
    "found": CHANGES,
    "migrate": CHANGES,
    "retry": CHANGES,
    "rewind": CHANGES,
    "topics apply": CHANGES,
    "topics accept": CHANGES,
    "projections rebuild": CHANGES,
    "import shuanggongshi": CHANGES,
    "feed": CHANGES,
    "role": CHANGES,
    "up": CHANGES,
    "subscribe": "a department reads its own topic, which only it may",
    "verify": "it says whether the record is whole, and nothing of what is in it",
    "truth": "it compares a generated year with the file that it was generated with",
    "generate": MACHINE,
    "demo": MACHINE,
    "bench": MACHINE,
    "clauses": MACHINE,
    "schemas": MACHINE,
}


def commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command that does something by itself, under its full name."""
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    if command.invoke_without_command:
        yield name, command
    for part, one in command.commands.items():
        yield from commands(one, f"{name} {part}".strip())


ALL = dict(commands(get_command(app)))


@pytest.mark.clause("3.3e")
@pytest.mark.parametrize("name", sorted(ALL))
def test_every_question_takes_who_asks(name: str) -> None:
    options = {option for one in ALL[name].params for option in one.opts}
    assert ({"--as", "--officer", "--reason"} <= options) == (name not in NOT_ASKED)


def test_no_exemption_is_of_a_command_that_is_gone() -> None:
    assert ALL.keys() >= NOT_ASKED.keys()
    assert {"letters print", "channels", "case"} <= ALL.keys()
