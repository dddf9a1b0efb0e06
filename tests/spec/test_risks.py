"""Thresholds of integrity-risk signals are dated data of the reform office's (3.3f)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from tests.spec.test_entries import enter, refused
from tests.unit.spec import Region

HASTY: dict[str, Any] = {"kind": "risk_threshold", "signal": "hasty", "value": 60}


@pytest.mark.clause("3.3f")
def test_a_change_of_threshold_is_a_fact_with_a_date(region: Region) -> None:
    enter(region, HASTY, "2026-01-01")
    enter(region, HASTY | {"value": 300}, "2026-03-01")
    versions = [region.world.registers.version("risk_threshold", "hasty", date(2026, month, 1)) for month in (2, 3)]
    assert [one and one.entry and one.entry.value for one in versions] == [60, 300]  # type: ignore[attr-defined]


@pytest.mark.clause("3.3f", refused=True)
def test_nobody_else_sets_what_is_looked_at(region: Region) -> None:
    for department in ("spj", "jw", "qu"):
        refused(region, "mandate.role", HASTY, by=department)
    with pytest.raises(ValidationError, match="期间"):
        enter(region, HASTY | {"period": 5})
    with pytest.raises(ValidationError, match="期间"):
        enter(region, HASTY | {"signal": "burst"})
