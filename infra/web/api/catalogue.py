"""All doors of the API."""

from __future__ import annotations

from infra.web.api import (
    deadletters,
    lists,
    me,
    notices,
    operations,
    public_statistics,
    ratings,
    reads,
    registers,
    risks,
    seals,
    statistics,
)

DOORS = (
    me,
    notices,
    registers,
    lists,
    statistics,
    public_statistics,
    seals,
    ratings,
    risks,
    reads,
    deadletters,
    operations,
)
"""In the order of the documentation."""
