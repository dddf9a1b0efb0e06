"""Counts (2.6b): what a source says it has sent on a day; `shenguan reconcile` holds it against what came."""

from __future__ import annotations

from typing import Any

import pytest

from domain.counts import CountDeclared
from tests.unit.spec import Region

COUNT: dict[str, Any] = {"counted_source": "spj.windows", "day": "2026-03-01", "count": 40}


@pytest.mark.clause("2.6b")
def test_a_source_declares_its_day_and_may_count_again(region: Region) -> None:
    for count in (40, 41):
        [declared] = region.accepted("count.declare", "spj", **(COUNT | {"count": count}))
        assert isinstance(declared, CountDeclared)
        assert (declared.counted_source, str(declared.day), declared.count) == ("spj.windows", "2026-03-01", count)


@pytest.mark.clause("2.6b", refused=True)
def test_nobody_declares_for_another_nor_ahead(region: Region) -> None:
    region.refused("count.not_yours", "count.declare", "s1", **COUNT)
    region.refused("mandate.principal", "count.declare", "spj", by="s1", **COUNT)
    region.refused("count.not_yours", "count.declare", "spj", **(COUNT | {"counted_source": "spjx"}))
    region.dead("day", "date.future", "count.declare", "spj", **(COUNT | {"day": "2026-03-03"}))
    region.dead("count", "greater_than_equal", "count.declare", "spj", **(COUNT | {"count": -1}))
