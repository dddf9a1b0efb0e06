"""A guide as a program: the commands of its `sh` blocks run in their order, what they print is held against the page.

A `json` block is the file that the next command with `--data FILE`, or `found FILE`, names. Lines under a command are
what it prints, in their order, not all of it; `…` stands for anything, and any white space for any other.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.command import ROOT
from tests.acceptance.forked import Commands

SECONDS = 60.0
ONCE = ("submit", "found", "topics")
"""What changes something, and is not asked again until it answers as the page has it."""


@dataclass
class Step:
    """One command: where it stands, the files it needs, what it must print."""

    place: str
    arguments: list[str]
    files: dict[str, str] = field(default_factory=dict)
    expected: list[str] = field(default_factory=list)


def steps(page: Path) -> list[Step]:
    """Of a page, in order."""
    name = page.relative_to(ROOT)
    found: list[Step] = []
    blocks: list[tuple[int, str]] = []
    for line, kind, text in _fences(page):
        if kind == "json":
            json.loads(text)
            blocks.append((line, text))
            continue
        assert kind == "sh", f"{name}:{line}: a block of {kind or 'no language'}"
        for number, row in enumerate(text.splitlines(), line + 1):
            if row.startswith("$ "):
                command, *arguments = shlex.split(row[2:])
                assert command == "shenguan", f"{name}:{number}"
                found.append(Step(f"{name}:{number}", arguments))
                file = _file(arguments)
                if file is not None and blocks:
                    found[-1].files[file] = blocks.pop(0)[1]
            else:
                assert found, f"{name}:{number}: nothing was asked yet"
                found[-1].expected.append(row)
    assert not blocks, f"{name}:{blocks[0][0]}: no command reads this"
    return found


def run(step: Step, commands: Commands, here: Path) -> None:
    """Runs the command; raises AssertionError naming the place where it does not print what the page has."""
    for name, text in step.files.items():
        (here / name).write_text(text, encoding="utf-8")
    end = time.monotonic() + SECONDS
    while True:
        code, printed = commands.run(step.arguments)
        wanting = missing(step.expected, printed)
        fine = code == 0 or (bool(step.expected) and code == 1)
        if fine and wanting is None and "Traceback" not in printed:
            return
        if step.arguments[0] in ONCE or time.monotonic() > end:
            break
        time.sleep(0.2)
    raise AssertionError(
        f"{step.place}: shenguan {shlex.join(step.arguments)}\n"
        f"ended with {code}, wanting: {wanting}\nprinted:\n{printed}"
    )


def missing(expected: list[str], printed: str) -> str | None:
    """The first line that was not printed after those before it; None where all were."""
    rows = iter(printed.splitlines())
    for line in expected:
        pattern = re.compile(r".*".join(re.escape(" ".join(part.split())) for part in line.split("…")))
        if not any(pattern.search(" ".join(row.split())) for row in rows):
            return line
    return None


def _fences(page: Path) -> Iterator[tuple[int, str, str]]:
    """(line, language, text) of every fenced block."""
    opened: tuple[int, str] | None = None
    text: list[str] = []
    for number, row in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not row.startswith("```"):
            text.append(row)
        elif opened is None:
            opened, text = (number, row[3:].strip()), []
        else:
            yield *opened, "\n".join(text)
            opened = None
    assert opened is None, f"{page}:{opened}: not closed"


def _file(arguments: list[str]) -> str | None:
    """The file that a command reads."""
    if arguments[0] == "found":
        return arguments[1]
    return arguments[arguments.index("--data") + 1] if "--data" in arguments else None
