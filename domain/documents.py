"""The register of policy documents 政策文件, what in the registers cites them, and what a repeal affects (5.3a).

A citation is that a text gives the document's number 文号, however its brackets are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import model_validator

from domain.entries import Entry
from domain.rules import BadField, Refusal
from domain.submissions import Code, Day, Number, Title

if TYPE_CHECKING:
    from domain.registers import Registers, Version
    from domain.world import World

DocumentStatus = Literal["in_force", "repealed"]
_CITING = ("legal_basis", "document")
"""Fields of entries that may name documents, beside the basis on which the entry was made."""
_BRACKETS = str.maketrans({"〔": "[", "〕": "]", "【": "[", "】": "]", "(": "[", ")": "]"})


class PolicyDocument(Entry):
    """A document that rules rest on. `issuer` 发文机关 may be any; `repealed_on`: since when it no longer holds."""

    kind: Literal["document"] = "document"
    code: Code
    number: Number
    title: Title
    issuer: Title
    issued_on: Day
    repealed_on: Day | None = None

    @model_validator(mode="after")
    def _repealed_after(self) -> PolicyDocument:
        if self.repealed_on is not None and self.repealed_on < self.issued_on:
            raise BadField("repealed_on", "date.order", "废止早于印发")
        return self

    def key(self) -> str:
        return self.code


class Known(NamedTuple):
    """A document as it stood on a date; one that was struck as it was before."""

    document: PolicyDocument
    since: date
    basis: str
    status: DocumentStatus


class Citation(NamedTuple):
    """What rests on a document: `kind` is a list, or what else a register says; `key` the matter's, the department's or
    the entry's code; `since` what date, where it has one."""

    kind: str
    key: str
    since: date | None
    basis: str


def documents(registers: Registers, on: date) -> dict[str, Known]:
    """Every document registered by that date, by its code."""
    found = {}
    for key, versions in sorted(registers.entries.get("document", {}).items()):
        past = [one for one in versions if one.since <= on]
        said = next((one for one in reversed(past) if isinstance(one.entry, PolicyDocument)), None)
        if said is None or not isinstance(said.entry, PolicyDocument):
            continue
        repealed_on = said.entry.repealed_on
        repealed = past[-1].entry is None or (repealed_on is not None and repealed_on <= on)
        found[key] = Known(said.entry, past[-1].since, past[-1].basis, "repealed" if repealed else "in_force")
    return found


def numbered(registers: Registers, number: str, on: date) -> str | None:
    """The document's number as it is registered, however it is written here; None where it is not by that date."""
    numbers = (one.document.number for one in documents(registers, on).values())
    return next((one for one in numbers if _plain(one) == _plain(number)), None)


def cited(text: str, numbers: set[str]) -> set[str]:
    """Which of the numbers a text gives: where one is part of another's, the longer."""
    return _finder(numbers)(text)


def _finder(numbers: set[str]) -> Callable[[str], set[str]]:
    """`cited` of many texts."""
    plain = {_plain(number): number for number in numbers}
    # Digits and letters beside it would make it another number.
    shapes = (
        (r"(?<![0-9A-Z])" if one[0].isascii() and one[0].isalnum() else "")
        + re.escape(one)
        + (r"(?![0-9A-Z])" if one[-1].isascii() and one[-1].isalnum() else "")
        for one in sorted(plain, key=len, reverse=True)
    )
    pattern = re.compile("|".join(shapes) or "(?!)")
    return lambda text: {plain[match.group()] for match in pattern.finditer(_plain(text))}


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).translate(_BRACKETS).upper()


def citations(registers: Registers, number: str, on: date) -> list[Citation]:
    """Everything in force on that date that cites the document: matters by their 设定依据, transfers, routes,
    successions and entries of every list, the document's own left out."""
    return citing(registers, on, number).get(number, [])


def citing(registers: Registers, on: date, *numbers: str) -> dict[str, list[Citation]]:
    """By the number of each registered document, and of these, what cites it on that date."""
    find = _finder({one.document.number for one in documents(registers, date.max).values()} | set(numbers))
    found: dict[str, list[Citation]] = {}
    for one, text, own in _in_force(registers, on):
        for number in find(text) - {own}:
            found.setdefault(number, []).append(one)
    return found


def _in_force(registers: Registers, on: date) -> Iterator[tuple[Citation, str, str | None]]:
    """With all the text in which it may cite, and the number of the document that it is."""
    for code, history in sorted(registers.matters.items()):
        yield Citation("matter", code, None, history.entry.legal_basis), history.entry.legal_basis, None
        transfer = registers.transfer(code, on)
        if transfer is not None:
            yield Citation("transfer", code, transfer.valid_from, transfer.basis), transfer.basis, None
            route = next(((since, basis) for since, _, _, basis in reversed(history.routes) if since <= on), None)
            if route is not None and route != (transfer.valid_from, transfer.basis):
                yield Citation("route", code, *route), route[1], None
    for old, successions in sorted(registers.successions.items()):
        for one in successions:
            if one.since <= on:
                yield Citation("succession", old, one.since, one.basis), one.basis, None
    for kind in sorted(registers.entries):
        for key in sorted(registers.entries[kind]):
            version = registers.version(kind, key, on)
            if version is None or version.entry is None:
                continue
            own = version.entry.number if isinstance(version.entry, PolicyDocument) else None
            yield Citation(kind, key, version.since, version.basis), _text(version), own


def _text(version: Version) -> str:
    return "\n".join((version.basis, *_cites(version.entry)))


def _cites(entry: Entry | None) -> Iterator[str]:
    """What an entry itself names as that on which it rests."""
    for name in _CITING:
        if value := getattr(entry, name, None):
            yield str(value)


def require_document(entry: PolicyDocument, world: World, on: date) -> None:
    """A number is one document's."""
    for key, one in documents(world.registers, on).items():
        if key != entry.code and _plain(one.document.number) == _plain(entry.number):
            raise Refusal("document.exists")


def require_in_force(world: World, basis: str, on: date, entry: Entry | None = None) -> None:
    """Nothing is rested on a document that is repealed on that date; but for what other documents say of it."""
    if isinstance(entry, PolicyDocument):
        return
    known = documents(world.registers, on).values()
    repealed = {one.document.number for one in known if one.status == "repealed"}
    if repealed and repealed & cited("\n".join((basis, *_cites(entry))), {one.document.number for one in known}):
        raise Refusal("document.repealed")
