"""Inspectors' reads 查阅留痕: what a discipline inspection 纪检监察 asks is recorded before it is answered (3.3e)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.event import Event, Meta
from domain.identifiers import without_identity
from domain.personal import Model, Officer, Text
from domain.registers import Registers
from domain.submissions import Code, Moment

TYPE = "read.record"
"""How an attempt to read is called: nobody hands it in."""


def read_stream(department: str) -> str:
    return f"read/{department}"


class Parameter(Model):
    """One that a question was asked with; whoever asks may have typed a name."""

    name: Code
    value: Text


class Question(Model):
    """What an officer of a principal asks, sealed. `rows`: how many the answer has; `revealed`: persons in clear."""

    principal: Annotated[Code, AfterValidator(without_identity)]
    department: str
    officer: Officer
    command: Code
    parameters: Annotated[tuple[Parameter, ...], Field(max_length=50)] = ()
    as_known_at: Moment | None = None
    revealed: bool = False
    reason: Text | None = None
    rows: int = 0

    def part_subject(self, name: str) -> str | None:
        return f"officer/{self.department}/{self.officer.id}" if name == "officer" else None


class ReadRecorded(Event):
    """On the department's own stream, as the system's own fact: `principal` asked, the officer is in `meta`."""

    TOPIC = "read.recorded"
    department: str
    principal: str
    command: str
    parameters: tuple[Parameter, ...]
    as_known_at: Moment | None
    revealed: bool
    reason: Text | None
    rows: int


def inspecting(registers: Registers, principal: str, on: date, vouched: str | None = None) -> str | None:
    """The discipline inspection for which a principal reads; None where it may not. `vouched`: the department of whom a
    principal that vouches speaks for."""
    known = registers.principals.get(principal)
    acts_for: Sequence[str] = sorted(known.acts_for) if known is not None and not known.operator else ()
    if known is not None and known.vouches and vouched is not None:
        acts_for = [vouched]
    for code in acts_for:
        entry = registers.departments.get(code)
        if entry is not None and "DISCIPLINE" in entry.roles and not registers.ceased(code, on):
            return code
    return None


def read_id(stream: str, version: int) -> str:
    """The id under which a read is recorded."""
    return f"{stream}.{version}".replace("/", ".")


def refused_id(principal: str, at: datetime) -> str:
    """The id under which it is recorded that somebody wanted to read as an inspector, and may not."""
    return f"{TYPE}.{principal}.{at:%Y%m%dT%H%M%S%f}"


def refused_by(meta: Meta, about: str | None) -> bool:
    """Whether an attempt is one that Shenguan itself recorded so."""
    _, _, principal = (about or "").partition("/")
    return meta.id == refused_id(principal, meta.occurred_at)
