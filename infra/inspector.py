"""Asking as an inspector 纪检监察 (3.3e): the question is recorded before its answer is shown."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import typer

from adapters.postgres.log import Log
from domain.attempts import AttemptRefused
from domain.event import Event
from domain.identifiers import holds_resident_id
from domain.personal import Officer
from domain.reads import Parameter, Question, inspecting, read_stream
from domain.registers import Registers
from domain.submissions import local_date
from domain.system import read_recorded
from domain.world import World
from infra.presentation import Context, known_at

LONGEST = 64
"""Of a parameter's value; more of it is not kept."""


class Inspector(NamedTuple):
    """Who asks, and what; `given` are the parameters that he chose, by name."""

    principal: str
    officer: Officer
    reason: str | None
    command: str
    given: dict[str, Any]


def read_inspector(
    principal: str, officer: str | None, reason: str | None, command: str, given: dict[str, Any]
) -> Inspector:
    """From the options' texts. Raises BadParameter."""
    if holds_resident_id(principal):
        raise typer.BadParameter(
            "接入方代码中不得含有居民身份证号 (no identity number in a principal's code)", param_hint="--as"
        )
    try:
        who = read_officer(officer or "")
    except ValueError:
        raise typer.BadParameter(
            "以监察身份查阅须给出经办人：工号,姓名 (an inspector's officer is ID,NAME)", param_hint="--officer"
        ) from None
    return Inspector(principal, who, reason, command, given)


def read_officer(text: str) -> Officer:
    """From `ID,NAME`. Raises ValueError."""
    id_, _, name = text.replace("，", ",").partition(",")
    return Officer(id=id_.strip(), name=name.strip())


def record(context: Context, inspector: Inspector, rows: int, revealed: bool) -> str | None:
    """Records that the inspector reads so many rows; by which rule it may not, where it may not."""
    question = context.sealed(_question(context, inspector, rows, revealed), read_stream(inspector.principal))
    made: list[Event] = []

    def fact(world: World, now: datetime) -> list[Event]:
        made[:] = read_recorded(world, question, now)
        return made

    context.facts(fact)
    refused = next((event for event in made if isinstance(event, AttemptRefused)), None)
    return refused.rule if refused is not None else None


def _question(context: Context, inspector: Inspector, rows: int, revealed: bool) -> Question:
    registers = Registers()
    with closing(context.connect()) as conn:
        Log(conn).refresh(registers, 0)
    department = inspecting(registers, inspector.principal, local_date(datetime.now(UTC)))
    known = registers.principals.get(inspector.principal)
    others = sorted(known.acts_for) if known is not None else []
    try:
        return Question(
            principal=inspector.principal,
            department=department or (others[0] if others else ""),
            officer=inspector.officer,
            command=inspector.command,
            parameters=tuple(Parameter(name=name, value=short(value)) for name, value in inspector.given.items()),
            as_known_at=known_at(inspector.given.get("as_known_at")),
            revealed=revealed,
            reason=inspector.reason or None,
            rows=rows,
        )
    except ValueError:
        raise typer.BadParameter(
            "接入方须为代码，缘由不超过 4000 字 (a principal is a code, a reason has 4000 characters at most)"
        ) from None


def short(value: Any) -> str:
    """On one line; what a file is called is no matter, but that there was one."""
    if isinstance(value, Path):
        return "yes"
    words = "".join(char if char.isprintable() else " " for char in str(value)).split()
    return " ".join(words)[:LONGEST].strip() or "-"
