"""Identifiers as field types: checked and normalised where they come in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from domain.identifiers import normalise_uscc, parse_matter_code, parse_region


def _uscc(raw: str) -> str:
    return normalise_uscc(raw).value


def _matter_code(raw: str) -> str:
    return parse_matter_code(raw).value


Region = Annotated[str, AfterValidator(parse_region)]
"""GB/T 2260, six digits."""
Uscc = Annotated[str, AfterValidator(_uscc)]
"""GB 32100-2015 by shape; a failing check digit is kept (real data holds such) and flagged where it is shown."""
MatterCode = Annotated[str, AfterValidator(_matter_code)]
"""实施编码 of 31 characters, or 业务办理项 of 33."""
