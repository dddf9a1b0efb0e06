"""What one checks a statement with, read from files: the statement, verifier keys, the notices one kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.crypto.notes import NoteVerifier
from domain.armour import unarmoured
from domain.merkle import leaf_hash
from domain.note_keys import NoteError, parse_verifier_key
from domain.statement_checks import Kept
from domain.statements import Statement


class BadFile(Exception):
    """A file that is not what it should be."""

    def __init__(self, file: Path, zh: str, en: str) -> None:
        super().__init__(f"{file}: {en}")
        self.zh, self.en = f"{file}：{zh}", f"{file}: {en}"


def read_statement(file: Path) -> Statement:
    """Raises BadFile."""
    try:
        return Statement.model_validate_json(_text(file))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "-"
        raise BadFile(
            file, f"不是对账函：{where}（{first['type']}）", f"no statement: {where} {first['type']}"
        ) from None


def read_verifiers(files: Iterable[Path]) -> list[NoteVerifier]:
    """From lines of verifier keys, or JSON as `log-keys list --json` and `/api/v1/log/keys` give it. Raises BadFile."""
    found = {}
    for file in files:
        for text in _keys(file):
            try:
                found[text] = NoteVerifier(parse_verifier_key(text))
            except NoteError:
                raise BadFile(file, f"不是公钥：{text[:40]}", f"no verifier key: {text[:40]}") from None
    return list(found.values())


def read_kept(files: Iterable[Path]) -> Iterator[Kept]:
    """JSON, one a line: notices as `subscribe --json` prints them, their CloudEvents in structured mode, or the answers
    of `/ledger/entries`. Raises BadFile."""
    for file in files:
        for number, line in enumerate(_text(file).splitlines(), 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                for one in found.get("items", [found]):
                    yield _kept(one)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise BadFile(file, f"第 {number} 行不是告知", f"line {number} is no notice") from None


def _kept(one: dict[str, Any]) -> Kept:
    if "leaf_hash" in one:
        entry = unarmoured(one["leaf"])
        return Kept(int(one["serial"]), leaf=leaf_hash(entry).hex(), entry=entry)
    data = one.get("data", one)
    leaf = one.get("leaf")
    return Kept(int(data["serial"]), str(data["notice"]), None if leaf is None else str(leaf))


def _keys(file: Path) -> list[str]:
    text = _text(file)
    if not text.lstrip().startswith("{"):
        return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    try:
        found = json.loads(text)
        return [str(one["verifier"]) for one in found.get("items") or found["keys"]]
    except (ValueError, KeyError, TypeError):
        raise BadFile(file, "没有公钥", "no keys") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(file, f"无法读取：{type(error).__name__}", f"not readable: {type(error).__name__}") from None
