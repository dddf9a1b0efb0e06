"""Identifiers as field types: checked and normalised where they come in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from domain.identifiers import (
    USCC_ALPHABET,
    IdentifierError,
    check_licence_id,
    holds_resident_id,
    normalise_uscc,
    parse_checklist_code,
    parse_matter_code,
    parse_receipt_code,
    parse_region,
    without_identity,
)
from domain.rules import BadField


def _uscc(raw: str) -> str:
    found = normalise_uscc(raw)
    if not found.valid and holds_resident_id(found.value):
        raise IdentifierError("uscc.resident", "疑似居民身份证号，不得填入统一社会信用代码")
    return found.value


def _matter_code(raw: str) -> str:
    return parse_matter_code(raw).value


def _electronic_id(raw: str) -> str:
    return check_licence_id(raw).value


def _checklist_code(raw: str) -> str:
    value = parse_checklist_code(raw)
    _uscc(value[:18])
    without_identity(value[19:])
    return value


def _written(pattern: str) -> WithJsonSchema:
    """The form in which to write it; what normalising forgives (spaces, lower case) need not be documented."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


Region = Annotated[str, AfterValidator(parse_region), _written("^[1-8][0-9]{5}$")]
"""GB/T 2260, six digits."""
Uscc = Annotated[str, AfterValidator(_uscc), _written(f"^[{USCC_ALPHABET}]{{18}}$")]
"""GB 32100-2015 by shape; a failing check digit is kept (real data holds such) and flagged where it is shown."""
MatterCode = Annotated[
    str,
    AfterValidator(_matter_code),
    _written(f"^[{USCC_ALPHABET}]{{18}}[1-9][0-9A-Z]{{12}}([0-9A-Z]{{2}})?$"),
]
"""实施编码 of 31 characters, or 业务办理项 of 33."""


ElectronicId = Annotated[str, AfterValidator(_electronic_id), StringConstraints(max_length=128)]
"""电子证照标识, GB/T 36904, by shape; a failing check character is kept."""
ChecklistCode = Annotated[
    str,
    AfterValidator(_checklist_code),
    _written(f"^[{USCC_ALPHABET}]{{18}}[1-9][0-9A-Z]{{1,45}}$"),
]
"""检查实施清单编码."""
ReceiptCode = Annotated[str, AfterValidator(parse_receipt_code), _written("^[0-9]{9}$")]
"""回执码 of a letter."""


def _each_once(listed: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(listed)) < len(listed):
        raise BadField("", "listed.twice", "同一项列了两次")
    return listed


EACH_ONCE = AfterValidator(_each_once)
"""For several matters or notices."""
