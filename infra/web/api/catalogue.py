"""All doors of the API."""

from __future__ import annotations

from infra.web.api import (
    actions,
    attempts,
    cases,
    deadletters,
    differences,
    feedback,
    inspections,
    licences,
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
    streams,
    submissions,
)

DOORS = (
    me,
    notices,
    cases,
    differences,
    feedback,
    attempts,
    licences,
    inspections,
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
    submissions,
    actions,
    streams,
)
"""In the order of the documentation."""
